//! Documents made by chance: the passes never panic, and what they accept generates. The seed of a failure is in its message.

use serde_json::{Map, Value, json};

use super::super::order::reversed;
use super::{code, document, passes};

const DOCUMENTS: u64 = 120;
const SCHEMAS: [&str; 8] = ["A", "a", "B", "String", "C-d", "", "e/f", "Ünï"];
const PROPERTIES: [&str; 10] = ["id", "fileId", "file_id", "type", "Type", "", "1", "extra", "🦀", "x-y"];

/// xorshift: enough to choose by.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap_or(1)).unwrap_or_default()
    }

    fn one<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn reference(&mut self) -> Value {
        let name = self.one(&SCHEMAS).replace('/', "~1");
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    fn list(&mut self, depth: usize) -> Vec<Value> {
        (0..self.below(3)).map(|_| self.schema(depth)).collect()
    }

    fn schema(&mut self, depth: usize) -> Value {
        if depth == 0 {
            return match self.below(8) {
                0..3 => self.reference(),
                3 => json!({"type": "integer", "format": "int32", "enum": [1]}),
                4 => json!({"enum": ["a", "A", "", null]}),
                5 => json!({"type": "string", "format": self.one(&["date-time", "binary", "uuid"])}),
                6 => json!(true),
                _ => json!({}),
            };
        }
        let mut schema = Map::new();
        for _ in 0..=self.below(3) {
            match self.below(12) {
                0 => schema.insert("allOf".into(), json!(self.list(depth - 1))),
                1 => schema.insert("oneOf".into(), json!(self.list(depth - 1))),
                2 => schema.insert("anyOf".into(), json!(self.list(depth - 1))),
                3 => schema.insert("discriminator".into(), json!({"propertyName": self.one(&PROPERTIES)})),
                4 => schema.insert("not".into(), self.schema(depth - 1)),
                5 => schema.insert("type".into(), json!(self.one(&["object", "array", "string", "boolean", "number"]))),
                6 => schema.insert("items".into(), self.schema(depth - 1)),
                7 => schema.insert("additionalProperties".into(), self.schema(depth - 1)),
                8 => schema.insert("nullable".into(), json!(self.one(&[true, false]))),
                9 => schema.insert("required".into(), json!([self.one(&PROPERTIES), self.one(&PROPERTIES)])),
                _ => {
                    let count = self.below(4);
                    let properties: Map<String, Value> =
                        (0..count).map(|_| (self.one(&PROPERTIES).to_owned(), self.schema(depth - 1))).collect();
                    schema.insert("properties".into(), Value::Object(properties))
                }
            };
        }
        // Now and then one that contradicts itself.
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or("object").to_owned();
        if self.below(20) > 0 {
            schema.retain(|key, _| match key.as_str() {
                "properties" => kind == "object",
                "items" => kind == "array",
                _ => true,
            });
        }
        Value::Object(schema)
    }

    fn parameter(&mut self) -> Value {
        let mut parameter =
            json!({"name": self.one(&PROPERTIES), "in": self.one(&["query", "path", "header", "cookie"])});
        if self.below(4) > 0 {
            parameter["schema"] = self.schema(1);
        }
        if self.below(3) == 0 {
            parameter["style"] = json!(self.one(&["form", "simple", "deepObject", "pipeDelimited"]));
        }
        if self.below(3) == 0 {
            parameter["explode"] = json!(self.one(&[true, false]));
        }
        if self.below(12) == 0 {
            parameter["required"] = json!(true);
        }
        parameter
    }

    fn content(&mut self) -> Value {
        const TYPES: [&str; 8] = [
            "application/json",
            "*/*",
            "application/hal+json",
            "application/xml",
            "text/csv",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "application/octet-stream",
        ];
        let mut content = Map::new();
        for _ in 0..self.below(3) {
            let media_type = if self.below(5) == 0 { json!({}) } else { json!({"schema": self.schema(2)}) };
            content.insert(self.one(&TYPES).to_owned(), media_type);
        }
        Value::Object(content)
    }

    fn operation(&mut self) -> Value {
        let mut operation = json!({"parameters": (0..self.below(4)).map(|_| self.parameter()).collect::<Vec<_>>()});
        if self.below(5) > 0 {
            operation["operationId"] = json!(self.one(&["getFile", "get_file", "new", "error", "🦀", "get1", "get_1"]));
        }
        if self.below(2) == 0 {
            operation["requestBody"] = json!({"content": self.content()});
        }
        let mut responses = Map::new();
        for _ in 0..self.below(3) {
            let status = self.one(&["200", "201", "204", "400", "default", "2XX"]);
            responses.insert(status.to_owned(), json!({"description": "", "content": self.content()}));
        }
        operation["responses"] = Value::Object(responses);
        operation
    }
}

fn by_chance(seed: u64) -> Value {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let schemas: Map<String, Value> = SCHEMAS.iter().map(|name| ((*name).to_owned(), chance.schema(3))).collect();
    let mut paths = Map::new();
    for path in ["/a", "/a/{id}", "/b/{file_id}/{type}"] {
        let mut item = Map::new();
        for _ in 0..2 {
            item.insert(chance.one(&["get", "post", "head", "options"]).to_owned(), chance.operation());
        }
        paths.insert(path.to_owned(), Value::Object(item));
    }
    document(Value::Object(paths), Value::Object(schemas))
}

#[test]
fn ignores_key_order() {
    for seed in 1..=DOCUMENTS {
        let document = by_chance(seed);
        let outcome = |document: &Value| {
            passes::prepare(&document.to_string(), None)
                .map(|passed| (passes::canonical::text(&passed.document), passed.counts))
        };
        let (one, other) = (outcome(&document), outcome(&reversed(&document)));
        assert!(one == other, "seed {seed}: {document}");
    }
}

#[test]
fn generates_every_accepted_document() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 1..=DOCUMENTS {
        let document = by_chance(seed);
        let text = document.to_string();
        let Ok(outcome) = std::panic::catch_unwind(|| passes::prepare(&text, None)) else {
            panic!("seed {seed}: the passes panicked at {text}");
        };
        let Ok(passed) = outcome else {
            refused += 1;
            continue;
        };
        accepted += 1;
        match code::generate(&passed.document) {
            Ok(generated) => super::parses(&generated.client),
            Err(reasons) => panic!("seed {seed}: {reasons:#?}\n{text}"),
        }
    }
    assert!(accepted > DOCUMENTS / 4, "{accepted} accepted, {refused} refused");
}
