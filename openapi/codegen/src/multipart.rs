//! Marks multipart bodies for the code pass `multipart_form`.
//!
//! Why: the generator rejects `multipart/form-data`.
//! Finds: request bodies with a multipart media type.
//! Holds afterwards: such a body is `application/octet-stream`, and its operation is marked `x-multipart`, by which the code
//! pass `multipart_form` finds the generated builder.
//! Delete when: the generator supports multipart forms.

use serde_json::{Value, json};

use crate::media_types::{self, Family};
use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, _| {
        let Some(Value::Object(body)) = operation.get_mut("requestBody") else {
            return;
        };
        let is_multipart = tree::object(body, "content")
            .is_some_and(|content| content.keys().any(|name| media_types::family(name) == Family::Multipart));
        if is_multipart {
            body.insert(
                String::from("content"),
                json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}),
            );
            operation.insert(String::from("x-multipart"), Value::Bool(true));
            edits += 1;
        }
    });
    edits
}
