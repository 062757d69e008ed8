//! Why: a generated enum refuses a value it does not know, and one such element fails a whole list. Services add values.
//! Looks for: texts with an `enum`, named or inline.
//! Holds afterwards: each is a component schema marked `x-open-enum`, which the code side replaces by a type in `crate::enums` that
//! keeps unknown texts. An inline one is named after its owner and property (`FileStatus` + `workflowStatus` →
//! `FileStatusWorkflowStatus`), never by the generator, whose choice depends on the order of keys.
//! Delete when: the generator makes open enums.

use serde_json::{Value, json};

use super::names;
use super::walk::{self, Node, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    let mut hoisted: Vec<(String, Object)> = Vec::new();
    let operation_ids = operation_ids(document);
    let mut schemas = walk::schemas_mut(document).cloned().unwrap_or_default();
    walk::every(document, Node::Schema, &mut |schema, pointer| {
        if !is_text_enum(schema) {
            return;
        }
        edits += 1;
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.retain(Value::is_string);
        }
        let segments = walk::segments(pointer);
        if let [_, _, _] = segments.as_slice() {
            schema.insert(String::from("x-open-enum"), Value::Bool(true));
            return;
        }
        let name = names::free(&schemas, &wanted(&segments, &operation_ids));
        let mut component = std::mem::take(schema);
        *schema = reference(&name, component.get("description").cloned());
        component.insert(String::from("x-open-enum"), Value::Bool(true));
        schemas.insert(name.clone(), Value::Null);
        hoisted.push((name, component));
    });
    if let Some(schemas) = walk::schemas_mut(document) {
        for (name, component) in hoisted {
            schemas.insert(name, Value::Object(component));
        }
    }
    edits
}

/// A reference that keeps the description of the place it stands at: members beside `$ref` are ignored in OpenAPI 3.0.
pub(super) fn reference(name: &str, description: Option<Value>) -> Object {
    let mut reference = Object::from_iter([(
        String::from("allOf"),
        json!([{"$ref": format!("#/components/schemas/{name}")}]),
    )]);
    if let Some(description) = description {
        reference.insert(String::from("description"), description);
    }
    reference
}

fn is_text_enum(schema: &Object) -> bool {
    let is_text = walk::text(schema, "type").is_none_or(|kind| kind == "string");
    let values = schema.get("enum").and_then(Value::as_array);
    is_text
        && values.is_some_and(|values| {
            values.iter().any(Value::is_string)
                && values
                    .iter()
                    .all(|value| value.is_string() || value.is_null())
        })
}

/// By path and method, since a pointer names an operation by these.
fn operation_ids(document: &mut Value) -> Vec<(String, String)> {
    let mut ids = Vec::new();
    walk::every(document, Node::Operation, &mut |operation, pointer| {
        let id = walk::text(operation, "operationId").unwrap_or_default();
        ids.push((String::from(pointer), String::from(id)));
    });
    ids
}

/// The name for an inline enum at this place.
fn wanted(segments: &[String], operation_ids: &[(String, String)]) -> String {
    const STRUCTURE: [&str; 7] = ["properties", "items", "allOf", "oneOf", "anyOf", "schema", "additionalProperties"];
    let (owner, rest) = match segments {
        [components, _, name, rest @ ..] if components == "components" => (name.clone(), rest),
        [_, path, method, rest @ ..] => {
            let pointer = format!("/paths/{}/{}", walk::escape(path), walk::escape(method));
            let id = operation_ids
                .iter()
                .find(|(known, _)| *known == pointer)
                .map(|(_, id)| id.clone());
            (id.unwrap_or_default(), rest)
        }
        _ => (String::new(), segments),
    };
    let inner: Vec<&str> = rest
        .iter()
        .map(String::as_str)
        .filter(|segment| !STRUCTURE.contains(segment))
        .collect();
    format!("{owner}-{}", inner.join("-"))
}
