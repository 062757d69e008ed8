//! Why: the generator ignores `deprecated`, so users would not learn of it.
//! Looks for: `deprecated: true` on operations, parameters and schemas.
//! Holds afterwards: the description says it.
//! Delete when: the generator writes `#[deprecated]` or mentions it.

use serde_json::Value;

use crate::walk::{self, Node};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    walk::everything(document, &mut |node, object, _| {
        if matches!(node, Node::Operation | Node::Parameter | Node::Schema) && walk::is_true(object, "deprecated") {
            let text = walk::text(object, "description").unwrap_or_default();
            let text = format!("{text}\n\nDeprecated: the service may drop it.");
            object.insert(String::from("description"), Value::String(text.trim().to_owned()));
            edits += 1;
        }
    });
    edits
}
