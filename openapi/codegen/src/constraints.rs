//! Why: the generator makes a type of its own of each constrained text and number and checks it in answers too: a name one
//! character longer than documented would fail a call that succeeded. A width of 32 bits or single precision can only lose
//! values, formats such as `uuid` and `date` refuse what a server may well send.
//! Finds: limits on length, size, pattern and count; `enum` on anything but text; formats.
//! Holds afterwards: texts, whole numbers, numbers and lists are `String`, `i64`, `f64` and `Vec`. Only the formats `date-time`
//! and `binary` are left. The service is the judge of what it accepts.
//! Delete when: the generator can leave checks out.

use serde_json::Value;

use crate::tree::{self, NodeKind, Object};

/// Limits on values.
pub(super) const LIMITS: [&str; 13] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| edits += loosen(schema));
    edits
}

fn loosen(schema: &mut Object) -> usize {
    let mut edits = LIMITS.iter().filter(|limit| schema.remove(**limit).is_some()).count();
    let is_text = tree::text(schema, "type") == Some("string");
    let keeps_format = is_text && matches!(tree::text(schema, "format"), Some("date-time" | "binary"));
    if !keeps_format && schema.get("format").is_some_and(Value::is_string) {
        schema.remove("format");
        edits += 1;
    }
    let has_type = schema.contains_key("type");
    if has_type && !is_text && schema.get("enum").is_some_and(Value::is_array) {
        schema.remove("enum");
        edits += 1;
    }
    edits
}
