//! Reduces the success responses of an operation to one.
//!
//! Why: the generator panics for two different success responses, treats an undocumented success as an error (200 where 204 is
//! documented), and requires a schema for JSON.
//! Finds: the success responses of an operation.
//! Holds afterwards: each operation has one, `2XX`: no content, JSON with a schema, or bytes. Differing responses and media
//! types other than JSON become bytes, and so does an operation without a documented success or with `default` only, which may
//! describe errors as well. A response to `HEAD` has no content.
//! Delete when: the generator supports several success responses.

use serde_json::{Value, json};

use crate::tree::{self, NodeKind, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, pointer| {
        let responses = tree::object(operation, "responses").cloned().unwrap_or_default();
        let is_open = responses.keys().all(|status| status == "default");
        let mut merged = merge(&responses, is_open);
        if pointer.ends_with("/head")
            && let Value::Object(merged) = &mut merged
        {
            merged.remove("content");
        }
        if responses.len() != 1 || responses.get("2XX") != Some(&merged) {
            let merged = Object::from_iter([(String::from("2XX"), merged)]);
            operation.insert(String::from("responses"), Value::Object(merged));
            edits += 1;
        }
    });
    edits
}

fn merge(responses: &Object, is_open: bool) -> Value {
    let keys = tree::sorted_keys(responses);
    let all: Vec<&Value> = keys.iter().filter_map(|key| responses.get(key)).collect();
    let description = all
        .iter()
        .find_map(|response| response.get("description").filter(|text| text.is_string()))
        .cloned()
        .unwrap_or_else(|| Value::String(String::new()));
    let contents: Vec<Option<Value>> = all.iter().map(|response| form(response)).collect();
    let content = match contents.first() {
        _ if is_open => Some(bytes()),
        Some(first) if contents.iter().all(|content| content == first) => first.clone(),
        _ => Some(bytes()),
    };
    match content {
        None => json!({"description": description}),
        Some(content) => json!({"description": description, "content": content}),
    }
}

/// Returns the content of a response in the form that the generator accepts.
fn form(response: &Value) -> Option<Value> {
    let content = response.get("content")?.as_object()?;
    if content.is_empty() {
        return None;
    }
    let json = content.get("application/json").and_then(|media_type| media_type.get("schema"));
    // A string in JSON is a string; a declared file is sent as bytes under any media type.
    let is_file = json.is_some_and(|schema| schema.get("format").and_then(Value::as_str) == Some("binary"));
    Some(match json.filter(|_| !is_file) {
        Some(schema) => json!({"application/json": {"schema": schema}}),
        None => bytes(),
    })
}

fn bytes() -> Value {
    json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}})
}
