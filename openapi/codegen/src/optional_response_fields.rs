//! Why: `required` is what a service demands of requests; of its answers it is a hope. Java tools mark a field that must not be `null`, and the
//! service leaves it out where it is empty, zero or hidden from the caller. Then a model fails, and with it the list it stands in.
//! Finds: `required` of models that answers hold, the contract's own left aside: that says what the facade can't do without.
//! Holds afterwards: every other field of an answer is optional.
//! Delete when: never.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    tree::visit_kind(document, NodeKind::Response, &mut |response, _| {
        for media_type in tree::object(response, "content").into_iter().flatten().map(|(_, media_type)| media_type) {
            if let Some(schema) = media_type.get("schema") {
                tree::collect_references(schema, &schemas, &mut reached);
            }
        }
    });
    let mut edits = 0;
    for (_, schema) in tree::schemas_mut(document).into_iter().flatten().filter(|(name, _)| reached.contains(*name)) {
        tree::visit_schemas(schema, &mut |schema, _| {
            edits += usize::from(!tree::is_true(schema, "x-canonical") && schema.remove("required").is_some());
        });
    }
    edits
}
