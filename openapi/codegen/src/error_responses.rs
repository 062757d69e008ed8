//! Why: the generator panics on two different error bodies, and a typed error body that does not parse loses status and headers.
//! One classifier in the facade reads every error answer, whatever it holds.
//! Finds: documented answers that are no success, `default` among them.
//! Holds afterwards: operations document success only, so that the generated client hands out any other answer as it came.
//! `default` stays when it is all there is, since it then stands for success too.
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
