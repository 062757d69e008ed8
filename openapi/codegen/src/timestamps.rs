//! Why: the generator's own choice for `date-time` refuses texts without an offset, and any parsed form gives a saved answer back
//! in another spelling.
//! Looks for: texts with the format `date-time`.
//! Holds afterwards: they refer to one component schema that the code side replaces by `crate::Timestamp`, as it does with those
//! that have a name already.
//! Delete when: never.

use serde_json::{Value, json};

use crate::names;
use crate::open_enums::reference;
use crate::walk::{self, Node};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    let mut named = 0;
    let name = walk::schemas_mut(document).map(|schemas| names::free(schemas, "Timestamp")).unwrap_or_default();
    walk::every(document, Node::Schema, &mut |schema, pointer| {
        let is_instant =
            walk::text(schema, "type") == Some("string") && walk::text(schema, "format") == Some("date-time");
        if is_instant && walk::segments(pointer).len() == 3 {
            schema.remove("format");
            schema.insert(String::from("x-replace"), json!("crate::Timestamp"));
            named += 1;
        } else if is_instant {
            *schema = reference(&name, schema.get("description").cloned());
            edits += 1;
        }
    });
    if edits > 0
        && let Some(schemas) = walk::schemas_mut(document)
    {
        schemas.insert(name, json!({"type": "string", "x-replace": "crate::Timestamp"}));
    }
    edits + named
}
