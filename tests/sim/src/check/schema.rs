//! Schemas of OpenAPI 3.0, rewritten to JSON Schema 2020-12 and compiled.
//!
//! The two differ in a few keywords (`nullable`, exclusive bounds as flags, siblings of `$ref`). The schemas of the document are there twice, as
//! `#/open/NAME` and as `#/closed/NAME`; the closed ones refuse fields that are not declared. Members of `allOf` and its like stay open, because
//! only the whole knows all fields.

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::Findings;

/// More of the same list would only bury the first ones.
const MOST_ERRORS: usize = 10;

/// The schemas of a document, ready to be compiled against.
pub(super) struct Schemas {
    open: Value,
    closed: Value,
}

/// A compiled schema.
pub(super) struct Compiled {
    validator: Validator,
}

impl Schemas {
    pub(super) fn of(document: &Value) -> Result<Self, String> {
        let empty = Map::new();
        let all = document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&empty);
        let rewritten = |closed: bool| -> Result<Value, String> {
            let pairs: Result<Map<String, Value>, String> =
                all.iter().map(|(name, schema)| Ok((name.clone(), rewrite(schema, closed, closed)?))).collect();
            Ok(Value::Object(pairs?))
        };
        Ok(Self { open: open_heads(&rewritten(true)?), closed: rewritten(true)? }.with_lenient(&rewritten(false)?))
    }

    /// Compiles a schema of the document; `closed` refuses undeclared fields.
    pub(super) fn compile(&self, schema: &Value, closed: bool) -> Result<Compiled, String> {
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [rewrite(schema, closed, closed)?],
            "open": self.open,
            "closed": self.closed,
        });
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .offline()
            .build(&root)
            .map_err(|error| error.to_string())?;
        Ok(Compiled { validator })
    }
}
