//! Schemas of OpenAPI 3.0, rewritten to JSON Schema 2020-12 and compiled.
//!
//! The two differ in a few keywords: `nullable`, exclusive bounds as flags, siblings of `$ref`. Every schema of the document is there in three
//! forms: as the document says, closed (undeclared fields are refused), and as a member of a composition: there the fields of the parts add up, so
//! the part itself stays open and only what lies inside it is closed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::{Findings, Manner};

/// More of the same list would only bury the first ones.
const MOST_ERRORS: usize = 10;
/// Messages quote the value; a long one is cut.
const LONGEST_MESSAGE: usize = 300;
/// What tells people something and validators nothing.
const SILENT: [&str; 11] = [
    "nullable",
    "example",
    "description",
    "title",
    "default",
    "externalDocs",
    "xml",
    "discriminator",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// How a schema treats fields it does not declare.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As the document says.
    Open,
    /// Undeclared fields are refused, here and inside.
    Closed,
    /// Undeclared fields are refused inside; here they may belong to another part of the same composition.
    Part,
}

impl Form {
    const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Part];

    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Part => "part",
        }
    }

    /// The form of what lies inside.
    fn inside(self) -> Self {
        if self == Self::Open { Self::Open } else { Self::Closed }
    }

    /// The form of the parts of a composition.
    fn part(self) -> Self {
        if self == Self::Open { Self::Open } else { Self::Part }
    }
}

/// The schemas of a document, ready to be compiled against.
pub(super) struct Schemas {
    root: Map<String, Value>,
    manner: Manner,
    /// What was compiled already, by its rewritten text: most answers of most operations are the same error message.
    done: RefCell<HashMap<String, Compiled>>,
}

impl Schemas {
    pub(super) fn of(document: &Value, manner: Manner) -> Result<Self, String> {
        let mut root = Map::new();
        root.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        if let Some(all) = document.pointer("/components/schemas").and_then(Value::as_object) {
            for form in Form::ALL {
                let rewritten: Result<Map<String, Value>, String> =
                    all.iter().map(|(name, schema)| Ok((name.clone(), rewritten(schema, form, manner)?))).collect();
                root.insert(form.name().to_owned(), Value::Object(rewritten?));
            }
        }
        Ok(Self { root, manner, done: RefCell::default() })
    }

    /// Compiles a schema of the document.
    pub(super) fn compile(&self, schema: &Value, form: Form) -> Result<Compiled, String> {
        match (self.compiled(schema, form), self.manner) {
            // A pattern or a reference that only other tools take is no reason to serve nothing.
            (Err(_), Manner::Lenient) => Ok(Compiled { validator: Arc::new(build(&Value::Bool(true))?) }),
            (compiled, _) => compiled,
        }
    }

    fn compiled(&self, schema: &Value, form: Form) -> Result<Compiled, String> {
        let rewritten = rewritten(schema, form, self.manner)?;
        let text = rewritten.to_string();
        if let Some(compiled) = self.done.borrow().get(&text) {
            return Ok(compiled.clone());
        }
        let mut root = self.root.clone();
        root.insert("allOf".to_owned(), json!([rewritten]));
        let compiled = Compiled { validator: Arc::new(build(&Value::Object(root))?) };
        self.done.borrow_mut().insert(text, compiled.clone());
        Ok(compiled)
    }
}

fn build(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .build(schema)
        .map_err(|error| error.to_string())
}

/// A compiled schema.
#[derive(Clone)]
pub(super) struct Compiled {
    validator: Arc<Validator>,
}

impl Compiled {
    /// Adds what does not fit; `at` stands before the pointers.
    pub(super) fn check(&self, value: &Value, at: &str, findings: &mut Findings<'_>) {
        // Most values fit, and telling that they do is much faster than telling where they don't.
        if self.validator.is_valid(value) {
            return;
        }
        for error in self.validator.iter_errors(value).take(MOST_ERRORS) {
            let mut message = error.to_string();
            if message.len() > LONGEST_MESSAGE {
                let cut = (0..=LONGEST_MESSAGE).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
                message.truncate(cut);
                message.push('…');
            }
            findings.add(format!("{at}{}", error.instance_path()), message);
        }
    }
}

/// A schema for bodies of this form, by this manner.
fn rewritten(schema: &Value, form: Form, manner: Manner) -> Result<Value, String> {
    let mut schema = match (rewrite(schema, form), manner) {
        (Err(_), Manner::Lenient) => Value::Bool(true),
        (rewritten, _) => rewritten?,
    };
    if manner == Manner::Lenient && form != Form::Open {
        open_sets(&mut schema);
    }
    Ok(schema)
}

/// Takes the values of enumerations away, and the type of objects of which nothing is said.
fn open_sets(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("enum").is_some_and(Value::is_array) {
                fields.remove("enum");
            }
            // What Java tools write for a value of any type.
            let is_bare = ["properties", "additionalProperties", "unevaluatedProperties"]
                .iter()
                .all(|key| !fields.contains_key(*key));
            if is_bare && fields.get("type").is_some_and(|kind| kind == "object") {
                fields.remove("type");
            }
            for (key, inner) in fields {
                match (key.as_str(), inner) {
                    // A field that is called `enum` is none.
                    ("properties", Value::Object(properties)) => properties.values_mut().for_each(open_sets),
                    (_, inner) => open_sets(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(open_sets),
        _ => {}
    }
}

fn rewrite(schema: &Value, form: Form) -> Result<Value, String> {
    let Some(fields) = schema.as_object() else { return Ok(schema.clone()) };
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
        // In OpenAPI 3.0 nothing beside a reference counts.
        let name = reference
            .strip_prefix("#/components/schemas/")
            .ok_or_else(|| format!("a schema refers to `{reference}`, which is no schema of the document"))?;
        return Ok(json!({ "$ref": format!("#/{}/{name}", form.name()) }));
    }
    let mut made = Map::new();
    for (key, value) in fields {
        let rewritten = match (key.as_str(), value) {
            (key, _) if SILENT.contains(&key) || key.starts_with("x-") => continue,
            ("properties", Value::Object(properties)) => {
                let rewritten: Result<Map<String, Value>, String> = properties
                    .iter()
                    .map(|(name, schema)| Ok((name.clone(), rewrite(schema, form.inside())?)))
                    .collect();
                Value::Object(rewritten?)
            }
            ("items" | "additionalProperties", Value::Object(_)) => rewrite(value, form.inside())?,
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                parts.iter().map(|part| rewrite(part, form.part())).collect::<Result<Vec<_>, _>>()?.into()
            }
            ("not", _) => rewrite(value, Form::Open)?,
            ("exclusiveMinimum" | "exclusiveMaximum", Value::Bool(_)) => continue,
            ("minimum" | "maximum", bound) => {
                let exclusive = format!("exclusiveM{}", &key[1..]);
                if fields.get(&exclusive) == Some(&Value::Bool(true)) {
                    made.insert(exclusive, bound.clone());
                    continue;
                }
                bound.clone()
            }
            (_, other) => other.clone(),
        };
        made.insert(key.clone(), rewritten);
    }
    let declares = ["properties", "allOf", "anyOf", "oneOf"].iter().any(|key| made.contains_key(*key));
    if form == Form::Closed && declares && !made.contains_key("additionalProperties") {
        made.insert("unevaluatedProperties".to_owned(), false.into());
    }
    if fields.get("nullable") == Some(&Value::Bool(true)) { Ok(nullable(made)) } else { Ok(Value::Object(made)) }
}

/// The same schema, letting `null` through as well.
fn nullable(mut schema: Map<String, Value>) -> Value {
    let Some(Value::String(kind)) = schema.get("type") else {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    };
    let kinds = json!([kind, "null"]);
    schema.insert("type".to_owned(), kinds);
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(schema)
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_of_openapi_is_rewritten() {
        let schema = json!({ "type": "integer", "minimum": 0, "exclusiveMinimum": true, "nullable": true, "x-a": 1, "example": 2 });
        let rewritten = rewrite(&schema, Form::Open).expect("rewrites");
        assert_eq!(rewritten, json!({ "type": ["integer", "null"], "exclusiveMinimum": 0 }));
        let listed =
            rewrite(&json!({ "type": "string", "enum": ["A"], "nullable": true }), Form::Open).expect("rewrites");
        assert_eq!(listed, json!({ "type": ["string", "null"], "enum": ["A", null] }));
        let referred = json!({ "allOf": [{ "$ref": "#/components/schemas/A", "description": "x" }], "nullable": true });
        let expected = json!({ "anyOf": [{ "allOf": [{ "$ref": "#/open/A" }] }, { "type": "null" }] });
        assert_eq!(rewrite(&referred, Form::Open).expect("rewrites"), expected);
        assert!(rewrite(&json!({ "$ref": "other.json#/A" }), Form::Open).is_err());
    }

    #[test]
    fn sets_of_a_foreign_documents_answers_are_open() {
        let schema = json!({ "properties": { "enum": { "type": "string", "enum": ["A"] } } });
        let lenient = rewritten(&schema, Form::Closed, Manner::Lenient).expect("rewrites");
        assert_eq!(lenient["properties"]["enum"], json!({ "type": "string" }));
        for (form, manner) in [(Form::Closed, Manner::Strict), (Form::Open, Manner::Lenient)] {
            let held = rewritten(&schema, form, manner).expect("rewrites");
            assert_eq!(held["properties"]["enum"]["enum"], json!(["A"]));
        }
    }

    #[test]
    fn parts_of_a_composition_add_up() {
        let document = json!({ "components": { "schemas": {
            "Base": { "type": "object", "properties": { "id": { "type": "string" } } },
            "Whole": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "properties": { "base": { "$ref": "#/components/schemas/Base" } } }] },
        } } });
        let schemas = Schemas::of(&document, Manner::Strict).expect("a document");
        let whole = json!({ "$ref": "#/components/schemas/Whole" });
        let closed = schemas.compile(&whole, Form::Closed).expect("compiles");
        let pointers = |value: Value| {
            let mut findings = Findings::new("x", super::super::Side::Response);
            closed.check(&value, "", &mut findings);
            findings.found.iter().map(|found| found.pointer.clone()).collect::<Vec<_>>()
        };
        assert!(pointers(json!({ "id": "a", "base": { "id": "b" } })).is_empty());
        assert_eq!(pointers(json!({ "id": "a", "more": 1 })), [""]);
        // What is wrong inside comes first; that the whole then counts as undeclared too is how JSON Schema reckons.
        assert_eq!(pointers(json!({ "base": { "more": 1 } })).first().map(String::as_str), Some("/base"));
        let open = schemas.compile(&whole, Form::Open).expect("compiles");
        assert!(open.validator.is_valid(&json!({ "more": 1, "base": { "more": 1 } })));
    }
}
