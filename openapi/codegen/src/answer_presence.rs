//! Why: `required` is what a service demands of requests; of its answers it is a hope. Java tools mark a field that must not be `null`, and the
//! service leaves it out where it is empty, zero or hidden from the caller. Then a model fails, and with it the list it stands in.
//! Looks for: `required` of models that answers hold, the contract's own left aside: that says what the facade can't do without.
//! Holds afterwards: every other field of an answer is optional.
//! Delete when: never.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::walk::{self, Node};

pub(super) fn apply(document: &mut Value) -> usize {
    let schemas = walk::schemas_mut(document).cloned().unwrap_or_default();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    walk::every(document, Node::Response, &mut |response, _| {
        for media_type in walk::object(response, "content").into_iter().flatten().map(|(_, media_type)| media_type) {
            if let Some(schema) = media_type.get("schema") {
                walk::reach(schema, &schemas, &mut reached);
            }
        }
    });
    let mut edits = 0;
    for (_, schema) in walk::schemas_mut(document).into_iter().flatten().filter(|(name, _)| reached.contains(*name)) {
        walk::schemas_in(schema, &mut |schema, _| {
            edits += usize::from(!walk::is_true(schema, "x-canonical") && schema.remove("required").is_some());
        });
    }
    edits
}
