//! Why: a `default` in a model would put a value where the answer had none, so a saved answer would not come back as it was, and a
//! request would send what the caller never said.
//! Finds: `default` in schemas, those of parameters included.
//! Holds afterwards: what is absent stays absent (`None`, an empty list). The description still names the service's default.
//! Delete when: never.

use serde_json::Value;

use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        // A property may itself be called `default`; the walk never hands out the map of properties.
        edits += usize::from(schema.remove("default").is_some());
    });
    edits
}
