//! Makes the fields of responses optional.
//!
//! Why: Java tools mark fields that must not be `null` as `required`, but services omit empty, zero or hidden fields in
//! responses. The model of such a response, and the list that contains it, would fail.
//! Finds: `required` of models in responses, except the contract's own requirements.
//! Holds afterwards: every other field of a response is optional.
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
