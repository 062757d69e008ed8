//! Why: the generator's hooks get the operation's name in the generator's spelling only (`get_file`), while users, spans and the
//! simulator know the document's (`getFile`).
//! Finds: every `operationId`.
//! Holds afterwards: it is spelled as the generated method; `x-operation-id` keeps the document's spelling. So the table of
//! operations that the build writes can lead from the one to the other.
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
