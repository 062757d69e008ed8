//! Replaces timestamps by `Timestamp`.
//!
//! Why: the generator's type for `date-time` rejects times without an offset, and a parsed time changes the spelling of a
//! stored response.
//! Finds: strings with the format `date-time`.
//! Holds afterwards: they refer to one component schema, which the generator replaces by `crate::Timestamp`, like named schemas
//! of this format.
//! Delete when: never.

use serde_json::{Value, json};

use crate::names;
use crate::open_enums::reference;
use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    let mut named = 0;
    let name = tree::schemas_mut(document).map(|schemas| names::free(schemas, "Timestamp")).unwrap_or_default();
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, pointer| {
        let is_instant =
            tree::text(schema, "type") == Some("string") && tree::text(schema, "format") == Some("date-time");
        if is_instant && tree::segments(pointer).len() == 3 {
            schema.remove("format");
            schema.insert(String::from("x-replace"), json!("crate::Timestamp"));
            named += 1;
        } else if is_instant {
            *schema = reference(&name, schema.get("description").cloned());
            edits += 1;
        }
    });
    if edits > 0
        && let Some(schemas) = tree::schemas_mut(document)
    {
        schemas.insert(name, json!({"type": "string", "x-replace": "crate::Timestamp"}));
    }
    edits + named
}
