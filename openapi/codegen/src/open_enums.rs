//! Replaces enums by open enums.
//!
//! Why: a generated enum rejects unknown values, and a single one fails a whole list. Services add values.
//! Finds: strings with an `enum`, named or inline.
//! Holds afterwards: each is a component schema marked `x-open-enum`, which the generator replaces by a type in `crate::enums`
//! that preserves unknown values. An inline enum is named after its owner and property (`FileStatus` + `workflowStatus` →
//! `FileStatusWorkflowStatus`), because the generator's choice depends on the order of keys.
//! Delete when: the generator supports open enums.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::names;
use crate::tree::{self, NodeKind, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    let mut hoisted: Vec<(String, Object)> = Vec::new();
    let owners = InlineNames::of(document);
    let mut schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, pointer| {
        if !is_text_enum(schema) {
            return;
        }
        edits += 1;
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.retain(Value::is_string);
        }
        let segments = tree::segments(pointer);
        if let [_, _, _] = segments.as_slice() {
            schema.insert(String::from("x-open-enum"), Value::Bool(true));
            return;
        }
        let name = names::free(&schemas, &owners.name(&segments));
        let mut component = std::mem::take(schema);
        *schema = reference(&name, component.get("description").cloned());
        component.remove("nullable");
        component.insert(String::from("x-open-enum"), Value::Bool(true));
        schemas.insert(name.clone(), Value::Null);
        hoisted.push((name, component));
    });
    if let Some(schemas) = tree::schemas_mut(document) {
        for (name, component) in hoisted {
            schemas.insert(name, Value::Object(component));
        }
    }
    edits
}

/// Returns a reference with a description, wrapped in `allOf`, because OpenAPI 3.0 ignores members beside `$ref`.
pub(super) fn reference(name: &str, description: Option<Value>) -> Object {
    let mut reference =
        Object::from_iter([(String::from("allOf"), json!([{"$ref": format!("#/components/schemas/{name}")}]))]);
    if let Some(description) = description {
        reference.insert(String::from("description"), description);
    }
    reference
}

fn is_text_enum(schema: &Object) -> bool {
    let is_text = tree::text(schema, "type").is_none_or(|kind| kind == "string");
    let values = schema.get("enum").and_then(Value::as_array);
    is_text
        && values.is_some_and(|values| {
            values.iter().any(Value::is_string) && values.iter().all(|value| value.is_string() || value.is_null())
        })
}

/// The names for inline schemas: those of operations and parameters, by pointer.
#[derive(Default)]
pub(super) struct InlineNames {
    operations: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl InlineNames {
    pub(super) fn of(document: &mut Value) -> Self {
        let mut owners = Self::default();
        tree::visit_all(document, &mut |node, object, pointer| {
            let (names, key) = match node {
                NodeKind::Operation => (&mut owners.operations, "operationId"),
                NodeKind::Parameter => (&mut owners.parameters, "name"),
                _ => return,
            };
            let name = tree::text(object, key).unwrap_or_default();
            names.insert(String::from(pointer), String::from(name));
        });
        owners
    }

    /// Returns the name for an inline schema: its owner, then the data path without structural segments.
    pub(super) fn name(&self, segments: &[String]) -> String {
        let pointer = |length: usize| {
            let parts = segments.iter().take(length).map(|segment| tree::escape(segment));
            parts.fold(String::new(), |pointer, part| format!("{pointer}/{part}"))
        };
        let part = segments.get(3).map(String::as_str);
        let (owner, part, inner) = match (segments.first().map(String::as_str), part) {
            (Some("components"), _) => (segments.get(2).cloned(), None, segments.get(3..)),
            (_, Some("parameters")) => (
                self.operations.get(&pointer(3)).cloned(),
                self.parameters.get(&pointer(5)).cloned(),
                segments.get(6..),
            ),
            (_, Some("requestBody")) => {
                (self.operations.get(&pointer(3)).cloned(), Some(String::from("body")), segments.get(7..))
            }
            _ => (self.operations.get(&pointer(3)).cloned(), Some(String::from("answer")), segments.get(8..)),
        };
        let inner = inner.unwrap_or_default().iter().cloned();
        let parts = owner.into_iter().chain(part).chain(inner.filter(|part| !is_structure(part)));
        parts.collect::<Vec<String>>().join("-")
    }
}

/// Returns `true` for structural pointer segments, which do not name data.
fn is_structure(segment: &str) -> bool {
    const STRUCTURE: [&str; 6] = ["properties", "items", "allOf", "oneOf", "anyOf", "additionalProperties"];
    STRUCTURE.contains(&segment) || segment.chars().all(|c| c.is_ascii_digit())
}
