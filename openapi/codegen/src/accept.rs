//! Determines the `Accept` header of every operation.
//!
//! Why: the generator sends `Accept` for JSON only. Requests for a binary download or without a response body would have no
//! `Accept`, and the server could choose any media type. Errors are always JSON.
//! Finds: the media types of an operation's success responses.
//! Holds afterwards: every operation has its `Accept` header in `x-accept`: the documented media types, including JSON.
//! Delete when: the generator sends all documented media types.

use serde_json::Value;

use crate::media_types::{self, Family};
use crate::tree::{self, NodeKind, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, _| {
        let accept = accept(operation);
        operation.insert(String::from("x-accept"), Value::String(accept));
        edits += 1;
    });
    edits
}

/// Returns `true` if a success response is JSON under any media type.
fn offers_any_json(operation: &Object) -> bool {
    let responses = tree::object(operation, "responses").into_iter().flatten();
    let contents = responses
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, response)| response.get("content")?.as_object());
    contents.flatten().any(|(name, media_type)| {
        media_types::essence(name) == "*/*" && media_types::means_json(name, Some(media_type))
    })
}

/// Returns the sorted media types. With a JSON response only JSON, because each other format becomes an operation of its own.
fn accept(operation: &Object) -> String {
    let mut types: Vec<&str> =
        media_types::of_success(operation).into_iter().filter(|media_type| *media_type != "*/*").collect();
    if offers_any_json(operation) {
        types.push("application/json");
    }
    types.sort_unstable();
    types.dedup();
    let json: Vec<&str> =
        types.iter().copied().filter(|media_type| media_types::family(media_type) == Family::Json).collect();
    match (json.is_empty(), types.is_empty()) {
        (false, _) => json.join(", "),
        (true, true) => String::from("application/json"),
        (true, false) => format!("{}, application/json", types.join(", ")),
    }
}
