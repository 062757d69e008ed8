//! Mentions deprecation in descriptions.
//!
//! Why: the generator ignores `deprecated`, so the documentation would not mention it.
//! Finds: `deprecated: true` on operations, parameters and schemas.
//! Holds afterwards: the description mentions it.
//! Delete when: the generator emits `#[deprecated]` or mentions it.

use serde_json::Value;

use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_all(document, &mut |node, object, _| {
        if matches!(node, NodeKind::Operation | NodeKind::Parameter | NodeKind::Schema)
            && tree::is_true(object, "deprecated")
        {
            let text = tree::text(object, "description").unwrap_or_default();
            let text = format!("{text}\n\nDeprecated: the service may remove it.");
            object.insert(String::from("description"), Value::String(text.trim().to_owned()));
            edits += 1;
        }
    });
    edits
}
