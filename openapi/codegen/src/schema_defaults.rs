//! Removes defaults from schemas.
//!
//! Why: a `default` in a model would add values to a response, so that a stored response would change, and to a request that
//! does not set them.
//! Finds: `default` in schemas, including those of parameters.
//! Holds afterwards: absent values stay absent (`None`, an empty list). The description still mentions the default of the
//! service.
//! Delete when: never.

use serde_json::Value;

use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        // `visit_kind` never visits the map of properties, in which `default` is a name.
        edits += usize::from(schema.remove("default").is_some());
    });
    edits
}
