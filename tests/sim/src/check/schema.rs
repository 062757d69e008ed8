//! Schemas of OpenAPI 3.0, rewritten to JSON Schema 2020-12 and compiled.
//!
//! The dialects differ in a few keywords: `nullable`, exclusive bounds as flags, siblings of `$ref`. Every schema exists in three forms: open, as in
//! the document; closed, which rejects undeclared fields; and as a part of a composition. The fields of all parts of a composition add up, so a part
//! itself stays open, and only the schemas inside it are closed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::violation::Findings;

/// Maximum number of errors per body, because more of the same hide the first ones.
const MAX_ERRORS: usize = 10;
/// Maximum length of a message, which quotes the value.
const MAX_MESSAGE_BYTES: usize = 300;
/// Keywords without an effect on validation.
const ANNOTATION_KEYWORDS: [&str; 11] = [
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

/// The strictness of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Everything undocumented is a violation.
    Strict,
    /// Errors may be undocumented, and enumeration values and response headers are ignored.
    Lenient,
}

/// The treatment of undeclared fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaForm {
    /// Allows undeclared fields, as the document does.
    Open,
    /// Rejects undeclared fields, also inside.
    Closed,
    /// Rejects undeclared fields inside. On this level they may belong to another part of the composition.
    Part,
}

impl SchemaForm {
    const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Part];

    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Part => "part",
        }
    }

    /// Returns the form of nested schemas.
    fn nested(self) -> Self {
        if self == Self::Open { Self::Open } else { Self::Closed }
    }

    /// Returns the form of the parts of a composition.
    fn part_form(self) -> Self {
        if self == Self::Open { Self::Open } else { Self::Part }
    }
}

/// Compiles the schemas of a document.
pub(super) struct SchemaCompiler {
    root: Map<String, Value>,
    strictness: Strictness,
    /// Compiled schemas by their rewritten text, because most operations share the same error response.
    done: RefCell<HashMap<String, CompiledSchema>>,
}

impl SchemaCompiler {
    pub(super) fn new(document: &Value, strictness: Strictness) -> Result<Self, String> {
        let mut root = Map::new();
        root.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        if let Some(all) = document.pointer("/components/schemas").and_then(Value::as_object) {
            for form in SchemaForm::ALL {
                let rewritten: Result<Map<String, Value>, String> =
                    all.iter().map(|(name, schema)| Ok((name.clone(), rewritten(schema, form, strictness)?))).collect();
                root.insert(form.name().to_owned(), Value::Object(rewritten?));
            }
        }
        Ok(Self { root, strictness, done: RefCell::default() })
    }

    /// Compiles a schema of the document.
    pub(super) fn compile(&self, schema: &Value, form: SchemaForm) -> Result<CompiledSchema, String> {
        match (self.compiled(schema, form), self.strictness) {
            // A pattern or reference that only other tools support must not prevent the start.
            (Err(_), Strictness::Lenient) => Ok(CompiledSchema { validator: Arc::new(build(&Value::Bool(true))?) }),
            (compiled, _) => compiled,
        }
    }

    fn compiled(&self, schema: &Value, form: SchemaForm) -> Result<CompiledSchema, String> {
        let rewritten = rewritten(schema, form, self.strictness)?;
        let text = rewritten.to_string();
        if let Some(compiled) = self.done.borrow().get(&text) {
            return Ok(compiled.clone());
        }
        let mut root = self.root.clone();
        root.insert("allOf".to_owned(), json!([rewritten]));
        let compiled = CompiledSchema { validator: Arc::new(build(&Value::Object(root))?) };
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
pub(super) struct CompiledSchema {
    validator: Arc<Validator>,
}

impl CompiledSchema {
    /// Adds the violations of a value. `at` is the prefix of the pointers.
    pub(super) fn check(&self, value: &Value, at: &str, findings: &mut Findings<'_>) {
        // Most values are valid, and `is_valid` is much faster than collecting errors.
        if self.validator.is_valid(value) {
            return;
        }
        for error in self.validator.iter_errors(value).take(MAX_ERRORS) {
            let mut message = error.to_string();
            if message.len() > MAX_MESSAGE_BYTES {
                let cut = (0..=MAX_MESSAGE_BYTES).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
                message.truncate(cut);
                message.push('…');
            }
            findings.add(format!("{at}{}", error.instance_path()), message);
        }
    }
}

/// Rewrites a schema for a form and a strictness.
fn rewritten(schema: &Value, form: SchemaForm, strictness: Strictness) -> Result<Value, String> {
    let mut schema = match (rewrite(schema, form), strictness) {
        (Err(_), Strictness::Lenient) => Value::Bool(true),
        (rewritten, _) => rewritten?,
    };
    if strictness == Strictness::Lenient && form != SchemaForm::Open {
        relax_enums(&mut schema);
    }
    Ok(schema)
}

/// Removes enumeration values, and the type of objects without any other constraint.
fn relax_enums(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("enum").is_some_and(Value::is_array) {
                fields.remove("enum");
            }
            // Java tools write such an object for a value of any type.
            let is_bare = ["properties", "additionalProperties", "unevaluatedProperties"]
                .iter()
                .all(|key| !fields.contains_key(*key));
            if is_bare && fields.get("type").is_some_and(|kind| kind == "object") {
                fields.remove("type");
            }
            for (key, inner) in fields {
                match (key.as_str(), inner) {
                    // A field named `enum` is not the keyword.
                    ("properties", Value::Object(properties)) => properties.values_mut().for_each(relax_enums),
                    (_, inner) => relax_enums(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(relax_enums),
        _ => {}
    }
}

fn rewrite(schema: &Value, form: SchemaForm) -> Result<Value, String> {
    let Some(fields) = schema.as_object() else { return Ok(schema.clone()) };
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
        // In OpenAPI 3.0 siblings of a reference are ignored.
        let name = reference
            .strip_prefix("#/components/schemas/")
            .ok_or_else(|| format!("a schema refers to `{reference}`, which is not a schema of the document"))?;
        return Ok(json!({ "$ref": format!("#/{}/{name}", form.name()) }));
    }
    let mut made = Map::new();
    for (key, value) in fields {
        let rewritten = match (key.as_str(), value) {
            (key, _) if ANNOTATION_KEYWORDS.contains(&key) || key.starts_with("x-") => continue,
            ("properties", Value::Object(properties)) => {
                let rewritten: Result<Map<String, Value>, String> = properties
                    .iter()
                    .map(|(name, schema)| Ok((name.clone(), rewrite(schema, form.nested())?)))
                    .collect();
                Value::Object(rewritten?)
            }
            ("items" | "additionalProperties", Value::Object(_)) => rewrite(value, form.nested())?,
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                parts.iter().map(|part| rewrite(part, form.part_form())).collect::<Result<Vec<_>, _>>()?.into()
            }
            ("not", _) => rewrite(value, SchemaForm::Open)?,
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
    if form == SchemaForm::Closed && declares && !made.contains_key("additionalProperties") {
        made.insert("unevaluatedProperties".to_owned(), false.into());
    }
    if fields.get("nullable") == Some(&Value::Bool(true)) { Ok(nullable(made)) } else { Ok(Value::Object(made)) }
}

/// Makes a schema accept `null`.
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
    fn rewrites_openapi_keywords() {
        let schema = json!({ "type": "integer", "minimum": 0, "exclusiveMinimum": true, "nullable": true, "x-a": 1, "example": 2 });
        let rewritten = rewrite(&schema, SchemaForm::Open).expect("rewrites");
        assert_eq!(rewritten, json!({ "type": ["integer", "null"], "exclusiveMinimum": 0 }));
        let listed =
            rewrite(&json!({ "type": "string", "enum": ["A"], "nullable": true }), SchemaForm::Open).expect("rewrites");
        assert_eq!(listed, json!({ "type": ["string", "null"], "enum": ["A", null] }));
        let referred = json!({ "allOf": [{ "$ref": "#/components/schemas/A", "description": "x" }], "nullable": true });
        let expected = json!({ "anyOf": [{ "allOf": [{ "$ref": "#/open/A" }] }, { "type": "null" }] });
        assert_eq!(rewrite(&referred, SchemaForm::Open).expect("rewrites"), expected);
        assert!(rewrite(&json!({ "$ref": "other.json#/A" }), SchemaForm::Open).is_err());
    }

    #[test]
    fn ignores_enumerations_in_responses_of_another_document() {
        let schema = json!({ "properties": { "enum": { "type": "string", "enum": ["A"] } } });
        let lenient = rewritten(&schema, SchemaForm::Closed, Strictness::Lenient).expect("rewrites");
        assert_eq!(lenient["properties"]["enum"], json!({ "type": "string" }));
        for (form, strictness) in [(SchemaForm::Closed, Strictness::Strict), (SchemaForm::Open, Strictness::Lenient)] {
            let held = rewritten(&schema, form, strictness).expect("rewrites");
            assert_eq!(held["properties"]["enum"]["enum"], json!(["A"]));
        }
    }

    #[test]
    fn adds_up_the_parts_of_a_composition() {
        let document = json!({ "components": { "schemas": {
            "Base": { "type": "object", "properties": { "id": { "type": "string" } } },
            "Whole": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "properties": { "base": { "$ref": "#/components/schemas/Base" } } }] },
        } } });
        let schemas = SchemaCompiler::new(&document, Strictness::Strict).expect("a document");
        let whole = json!({ "$ref": "#/components/schemas/Whole" });
        let closed = schemas.compile(&whole, SchemaForm::Closed).expect("compiles");
        let pointers = |value: Value| {
            let mut findings = Findings::new("x", super::super::violation::Side::Response);
            closed.check(&value, "", &mut findings);
            findings.found.iter().map(|found| found.pointer.clone()).collect::<Vec<_>>()
        };
        assert!(pointers(json!({ "id": "a", "base": { "id": "b" } })).is_empty());
        assert_eq!(pointers(json!({ "id": "a", "more": 1 })), [""]);
        // The inner error comes first. JSON Schema then also reports the whole as undeclared.
        assert_eq!(pointers(json!({ "base": { "more": 1 } })).first().map(String::as_str), Some("/base"));
        let open = schemas.compile(&whole, SchemaForm::Open).expect("compiles");
        assert!(open.validator.is_valid(&json!({ "more": 1, "base": { "more": 1 } })));
    }
}
