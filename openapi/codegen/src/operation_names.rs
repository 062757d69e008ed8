//! Keeps the document's spelling of operation ids.
//!
//! Why: the hooks of the generated client know only the generator's spelling of an operation (`get_file`); users, spans and the
//! simulator use the document's (`getFile`).
//! Finds: every `operationId`.
//! Holds afterwards: `operationId` is the name of the generated method; `x-operation-id` has the document's spelling. The table
//! of operations maps one to the other.
//! Delete when: the hooks get the document's spelling.

use serde_json::Value;

use crate::names;
use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, _| {
        let Some(id) = tree::text(operation, "operationId").map(String::from) else {
            return;
        };
        let method = names::snake(&id);
        edits += usize::from(method != id);
        operation.insert(String::from("x-operation-id"), Value::String(id));
        operation.insert(String::from("operationId"), Value::String(method));
    });
    edits
}
