//! Removes headers that the transport sets.
//!
//! Why: headers that the transport sets on every request (tenant, token, media types) and cookies must not be parameters of
//! every call; the generator rejects cookies.
//! Finds: header parameters with such a name, in any case, and all cookie parameters.
//! Holds afterwards: no operation declares one.
//! Delete when: never, as long as the transport sets these headers.

use serde_json::Value;

use crate::tree::{self, NodeKind};

const SET_BY_US: [&str; 5] = ["accept", "authorization", "content-type", "cookie", "x-tenant-id"];

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, _| {
        let Some(Value::Array(parameters)) = operation.get_mut("parameters") else {
            return;
        };
        let before = parameters.len();
        parameters.retain(|parameter| !is_ours(parameter));
        edits += before - parameters.len();
    });
    edits
}

fn is_ours(parameter: &Value) -> bool {
    let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
    match parameter.get("in").and_then(Value::as_str) {
        Some("cookie") => true,
        Some("header") => SET_BY_US.contains(&name.to_ascii_lowercase().as_str()),
        _ => false,
    }
}
