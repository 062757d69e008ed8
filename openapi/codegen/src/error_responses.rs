//! Removes documented error responses.
//!
//! Why: the generator panics for two different error bodies, and a typed error body that does not parse loses status and
//! headers. A single classifier in the facade reads every error response.
//! Finds: documented responses other than success, including `default`.
//! Holds afterwards: operations document success only, so that the generated client returns any other response unchanged. A
//! `default` without other responses stays, because it then describes success as well.
//! Delete when: never.

use serde_json::Value;

use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, _| {
        let Some(Value::Object(responses)) = operation.get_mut("responses") else {
            return;
        };
        let has_success = responses.keys().any(|status| status.starts_with('2'));
        for status in tree::sorted_keys(responses) {
            let keep = status.starts_with('2') || (status == "default" && !has_success);
            if !keep {
                responses.remove(&status);
                edits += 1;
            }
        }
    });
    edits
}
