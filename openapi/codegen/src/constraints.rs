//! Removes limits and formats of values.
//!
//! Why: the generator emits a type for each constrained string and number and checks it in responses: a name one character
//! longer than documented would fail a call that succeeded. 32-bit and single-precision numbers only lose values; formats such
//! as `uuid` and `date` reject values that a server may send.
//! Finds: limits on length, size, pattern and count; `enum` on other types than strings; formats.
//! Holds afterwards: strings, integers, numbers and lists are `String`, `i64`, `f64` and `Vec`. Only the formats `date-time`
//! and `binary` remain. The service validates requests.
//! Delete when: the generator has an option for no checks.

use serde_json::Value;

use crate::tree::{self, NodeKind, Object};

/// Members that limit values.
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
