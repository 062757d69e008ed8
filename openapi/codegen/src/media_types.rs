//! Gives JSON the media type `application/json`.
//!
//! Why: the generator recognizes JSON only as `application/json`; `*/*`, `application/hal+json` or a charset parameter result
//! in raw bytes.
//! Finds: media types of request and response bodies that mean JSON.
//! Holds afterwards: JSON has the media type `application/json`, at most once per body.
//! Delete when: the generator supports structured suffixes (RFC 6839) and parameters.

use serde_json::Value;

use crate::tree::{self, NodeKind, Object};

/// The kinds of media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Json,
    Xml,
    Multipart,
    Other,
}

/// Returns the kind of a media type, without its parameters.
pub(crate) fn family(media_type: &str) -> Family {
    let essence = essence(media_type);
    if essence == "application/json" || essence.ends_with("+json") {
        Family::Json
    } else if essence == "application/xml" || essence == "text/xml" || essence.ends_with("+xml") {
        Family::Xml
    } else if essence.starts_with("multipart/") {
        Family::Multipart
    } else {
        Family::Other
    }
}

/// Returns a media type in lower case, without its parameters.
pub(crate) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns the media types of an operation's success responses, ordered by status.
pub(crate) fn of_success(operation: &Object) -> Vec<&str> {
    let Some(responses) = tree::object(operation, "responses") else {
        return Vec::new();
    };
    let mut statuses: Vec<&String> = responses.keys().filter(|status| status.starts_with('2')).collect();
    statuses.sort();
    statuses
        .into_iter()
        .filter_map(|status| responses.get(status)?.get("content")?.as_object())
        .flat_map(|content| content.keys().map(String::as_str))
        .collect()
}

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_all(document, &mut |node, object, _| {
        if !matches!(node, NodeKind::RequestBody | NodeKind::Response) {
            return;
        }
        let Some(Value::Object(content)) = object.get_mut("content") else {
            return;
        };
        for name in tree::sorted_keys(content) {
            if name == "application/json" || !means_json(&name, content.get(&name)) {
                continue;
            }
            if let Some(entry) = content.remove(&name) {
                content.entry("application/json").or_insert(entry);
                edits += 1;
            }
        }
    });
    edits
}

/// Returns `true` for JSON, and for `*/*` with a schema that is not a file.
pub(super) fn means_json(name: &str, media_type: Option<&Value>) -> bool {
    if essence(name) != "*/*" {
        return family(name) == Family::Json;
    }
    let schema = media_type.and_then(|media_type| media_type.get("schema")).and_then(Value::as_object);
    schema.is_some_and(|schema| !is_bytes(schema))
}

/// Returns `true` for bytes, also as an array of bytes, as Java tools write them.
pub(crate) fn is_bytes(schema: &Object) -> bool {
    let is_file = |schema: &Object| matches!(tree::text(schema, "format"), Some("binary" | "byte"));
    is_file(schema) || tree::object(schema, "items").is_some_and(is_file)
}
