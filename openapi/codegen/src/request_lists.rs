//! Makes lists of requests optional.
//!
//! Why: the generator omits empty lists in requests, so a caller could not send "none": no members, no attributes.
//! Finds: optional lists and maps in the schemas of request bodies.
//! Holds afterwards: they are nullable, hence `Option<Vec<_>>`: `None` is omitted, an empty list is sent.
//! Delete when: the generator distinguishes empty and absent lists.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::tree::{self, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let bodies = tree::request_bodies(document);
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    for body in &bodies {
        tree::collect_references(body, &schemas, &mut reached);
    }
    let mut edits = 0;
    if let Some(schemas) = tree::schemas_mut(document) {
        for name in reached {
            if let Some(schema) = schemas.get_mut(&name) {
                tree::visit_schemas(schema, &mut |schema, _| edits += open(schema));
            }
        }
    }
    edits
}

fn open(schema: &mut Object) -> usize {
    let required: Vec<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).map(String::from).collect())
        .unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return 0;
    };
    let mut edits = 0;
    for name in tree::sorted_keys(properties) {
        if let Some(Value::Object(property)) = properties.get_mut(&name)
            && !required.contains(&name)
            && is_collection(property)
        {
            property.insert(String::from("nullable"), Value::Bool(true));
            edits += 1;
        }
    }
    edits
}

fn is_collection(property: &Object) -> bool {
    match tree::text(property, "type") {
        Some("array") => true,
        Some("object") => !property.contains_key("properties"),
        _ => false,
    }
}
