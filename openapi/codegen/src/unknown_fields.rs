//! Allows unknown fields in objects.
//!
//! Why: a field that the document does not declare would be lost when a model is read and written, and `additionalProperties:
//! false` would make it an error. A newer service sends new fields.
//! Finds: object schemas with properties.
//! Holds afterwards: they allow other fields in the form (`{}`) for which the generator emits a map `extra`; an object with
//! documented additional properties keeps its own map. A model with a property `extra` does not change.
//! Delete when: never.

use serde_json::{Value, json};

use crate::names;
use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        let Some(properties) = tree::object(schema, "properties") else {
            return;
        };
        let taken = properties.keys().any(|name| names::snake(name) == "extra");
        let documented =
            schema.get("additionalProperties").is_some_and(|any| any.as_object().is_some_and(|any| !any.is_empty()));
        if documented || (taken && schema.get("additionalProperties") != Some(&Value::Bool(false))) {
            return;
        }
        let open = if taken { json!(true) } else { json!({}) };
        if schema.get("additionalProperties") != Some(&open) {
            schema.insert(String::from("additionalProperties"), open);
            edits += 1;
        }
    });
    edits
}
