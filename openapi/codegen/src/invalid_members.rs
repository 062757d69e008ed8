//! Removes members of a wrong JSON type.
//!
//! Why: a single member of a wrong type (`"tags": null`, `"required": true` in a schema) makes the whole document unreadable,
//! and the reader does not name the place. Such members have no meaning.
//! Finds: members with another JSON type than OpenAPI 3.0 defines, mostly `null`.
//! Holds afterwards: these members are removed; a non-object in place of a schema is `{}`, any JSON value.
//! Delete when: never; a document is untrusted input.

use serde_json::{Value, json};

use crate::tree::{self, METHODS, NodeKind, Object};

/// A type of JSON value.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    List,
    Map,
}

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_all(document, &mut |node, object, _| {
        for key in tree::sorted_keys(object) {
            let fits = match (kind(node, &key), object.get(&key)) {
                (Some(Kind::Text), Some(value)) => value.is_string(),
                (Some(Kind::Flag), Some(value)) => value.is_boolean(),
                (Some(Kind::List), Some(value)) => value.is_array(),
                (Some(Kind::Map), Some(value)) => value.is_object(),
                _ => true,
            };
            if !fits {
                object.remove(&key);
                edits += 1;
            }
        }
        edits += entries(node, object);
    });
    edits
}

/// Returns `true` if this member of an object is a string.
pub(crate) fn is_text(node: NodeKind, key: &str) -> bool {
    matches!(kind(node, key), Some(Kind::Text))
}

fn kind(node: NodeKind, key: &str) -> Option<Kind> {
    use Kind::{Flag, List, Map, Text};
    Some(match (node, key) {
        (NodeKind::Parameter | NodeKind::Header | NodeKind::Schema | NodeKind::PathItem, "$ref")
        | (NodeKind::Document, "openapi")
        | (NodeKind::Info, "title" | "version")
        | (_, "description" | "summary")
        | (NodeKind::Tag | NodeKind::Parameter, "name")
        | (NodeKind::Operation, "operationId")
        | (NodeKind::Parameter, "in")
        | (NodeKind::Parameter | NodeKind::Header, "style")
        | (NodeKind::Schema, "format" | "title") => Text,
        (_, "deprecated")
        | (NodeKind::Parameter | NodeKind::Header | NodeKind::RequestBody, "required")
        | (NodeKind::Parameter | NodeKind::Header, "allowEmptyValue" | "allowReserved" | "explode")
        | (NodeKind::Schema, "nullable" | "readOnly" | "writeOnly") => Flag,
        (NodeKind::Document | NodeKind::Operation, "tags")
        | (NodeKind::PathItem | NodeKind::Operation, "parameters")
        | (NodeKind::Schema, "allOf" | "anyOf" | "enum" | "oneOf" | "required") => List,
        (NodeKind::Document, "components")
        | (NodeKind::Operation, "requestBody" | "responses")
        | (NodeKind::RequestBody | NodeKind::Response | NodeKind::Parameter | NodeKind::Header, "content")
        | (NodeKind::Response, "headers")
        | (NodeKind::MediaType | NodeKind::Parameter | NodeKind::Header, "schema")
        | (NodeKind::MediaType, "encoding")
        | (NodeKind::Schema, "discriminator" | "properties")
        | (NodeKind::Components, "headers" | "parameters" | "requestBodies" | "responses" | "schemas") => Map,
        (NodeKind::PathItem, method) if METHODS.contains(&method) => Map,
        _ => return None,
    })
}

/// Removes invalid entries of lists and maps; returns the number of edits.
fn entries(node: NodeKind, object: &mut Object) -> usize {
    let mut edits = 0;
    let mut keep = |object: &mut Object, key: &str, fits: fn(&Value) -> bool| match object.get_mut(key) {
        Some(Value::Array(list)) => {
            let before = list.len();
            list.retain(fits);
            edits += before - list.len();
        }
        Some(Value::Object(map)) => {
            let before = map.len();
            map.retain(|key, value| key.starts_with("x-") || fits(value));
            edits += before - map.len();
        }
        _ => {}
    };
    match node {
        NodeKind::Document => {
            keep(object, "tags", |tag| tag.get("name").is_some_and(Value::is_string));
            keep(object, "paths", Value::is_object);
        }
        NodeKind::PathItem => keep(object, "parameters", Value::is_object),
        NodeKind::Operation => {
            keep(object, "tags", Value::is_string);
            keep(object, "parameters", Value::is_object);
        }
        NodeKind::Schema => keep(object, "required", Value::is_string),
        _ => {}
    }
    edits + schemas(node, object)
}

/// Replaces schemas that are not objects (`true`, `null`); returns the number of edits.
fn schemas(node: NodeKind, object: &mut Object) -> usize {
    let mut edits = 0;
    let mut open = |value: &mut Value| {
        if !value.is_object() {
            *value = json!({});
            edits += 1;
        }
    };
    let (maps, lists): (&[&str], &[&str]) = match node {
        NodeKind::Components => (&["schemas"], &[]),
        NodeKind::Schema => (&["properties"], &["allOf", "anyOf", "oneOf"]),
        _ => return 0,
    };
    for key in maps {
        if let Some(Value::Object(map)) = object.get_mut(*key) {
            map.values_mut().for_each(&mut open);
        }
    }
    for key in lists {
        if let Some(Value::Array(list)) = object.get_mut(*key) {
            list.iter_mut().for_each(&mut open);
        }
    }
    if node == NodeKind::Schema {
        if let Some(items) = object.get_mut("items") {
            open(items);
        }
        if object.get("additionalProperties").is_some_and(|any| !any.is_object() && !any.is_boolean()) {
            object.remove("additionalProperties");
            edits += 1;
        }
    }
    edits
}
