//! Gives every response format besides JSON an operation of its own.
//!
//! Why: for several media types in one response the generator takes JSON and makes the others unreachable.
//! Finds: success responses that offer JSON and another format (XML, CSV, …).
//! Holds afterwards: the operation has a JSON response only. Every other format has an operation of its own (`getComponents` →
//! `getComponentsXml`) with its `Accept` and a response of bytes. The path of that operation has a fragment (`…#xml`), which is
//! never sent; `x-variant-of` names the main operation.
//! Delete when: the generator emits an enum of the formats.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::media_types::{self, Family};
use crate::names;
use crate::tree::{self, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut ids: BTreeSet<String> = BTreeSet::new();
    tree::visit_kind(document, tree::NodeKind::Operation, &mut |operation, _| {
        ids.extend(tree::text(operation, "operationId").map(distinct));
    });
    let mut added: Vec<(String, String, Object)> = Vec::new();
    tree::visit_kind(document, tree::NodeKind::Operation, &mut |operation, pointer| {
        let segments = tree::segments(pointer);
        let [_, path, method] = segments.as_slice() else {
            return;
        };
        for (suffix, accept) in forms(operation) {
            let id = tree::text(operation, "operationId").unwrap_or_default();
            let wanted = format!("{id}{}", names::pascal(&suffix));
            let taken = |name: &str| ids.contains(&distinct(name));
            let name = if taken(&wanted) { names::numbered(&wanted, taken) } else { wanted };
            ids.insert(distinct(&name));
            let variant = variant(operation, name, &suffix, &accept);
            added.push((format!("{path}#{suffix}"), method.clone(), variant));
        }
        keep_json(operation);
    });
    let edits = added.len();
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        for (path, method, operation) in added {
            let item = paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(item) = item {
                item.insert(method, Value::Object(operation));
            }
        }
    }
    edits
}

/// Returns the formats besides JSON: a short name and the media types.
fn forms(operation: &Object) -> Vec<(String, String)> {
    let types = media_types::of_success(operation);
    if !types.contains(&"application/json") {
        return Vec::new();
    }
    let mut forms: Vec<(String, String)> = Vec::new();
    for media_type in types {
        if media_types::family(media_type) == Family::Json {
            continue;
        }
        let suffix = match media_types::family(media_type) {
            Family::Xml => String::from("xml"),
            _ => names::snake(media_type.rsplit('/').next().unwrap_or_default()),
        };
        match forms.iter_mut().find(|(known, _)| *known == suffix) {
            Some((_, accept)) if accept.split(", ").any(|known| known == media_type) => {}
            Some((_, accept)) => {
                accept.push_str(", ");
                accept.push_str(media_type);
            }
            None => forms.push((suffix, String::from(media_type))),
        }
    }
    forms.sort();
    forms
}

/// Returns the id without case and underscores, which methods and builders do not distinguish.
fn distinct(id: &str) -> String {
    names::snake(id).replace('_', "")
}

fn variant(operation: &Object, name: String, suffix: &str, accept: &str) -> Object {
    let mut variant = operation.clone();
    let id = tree::text(operation, "operationId").unwrap_or_default();
    let description = format!(
        "{}\n\nThe same operation with `Accept: {accept}`: answers the bytes as they come.",
        tree::text(operation, "description").unwrap_or_default()
    );
    let answer = json!({"2XX": {
        "description": "The bytes of the answer.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }});
    let missing = operation.get("x-missing-forms").and_then(Value::as_array);
    if missing.is_some_and(|forms| forms.iter().any(|form| form == suffix)) {
        variant.insert(String::from("x-missing"), Value::Bool(true));
    }
    for (key, value) in [
        ("operationId", Value::String(name)),
        ("x-variant-of", Value::String(String::from(id))),
        ("x-accept", Value::String(String::from(accept))),
        ("description", Value::String(description)),
        ("responses", answer),
    ] {
        variant.insert(String::from(key), value);
    }
    variant
}

fn keep_json(operation: &mut Object) {
    let Some(Value::Object(responses)) = operation.get_mut("responses") else {
        return;
    };
    for response in responses.values_mut() {
        if let Some(Value::Object(content)) = response.get_mut("content")
            && content.contains_key("application/json")
        {
            content.retain(|name, _| name == "application/json");
        }
    }
}
