//! Generation of the open enums: one use of the macro `open_enum!` (`documine-api/src/enums.rs`) per schema marked
//! `x-open-enum`.
//!
//! The values come from the document, so that a newer document adds its values.

use std::fmt::Write as _;

use serde_json::Value;

use crate::names;
use crate::safe_names;
use crate::tree;

pub(super) fn source(document: &Value) -> String {
    let mut source = String::new();
    let Some(schemas) = document.pointer("/components/schemas").and_then(Value::as_object) else {
        return source;
    };
    for name in tree::sorted_keys(schemas) {
        let Some(schema) = schemas.get(&name).and_then(Value::as_object) else {
            continue;
        };
        if !tree::is_true(schema, "x-open-enum") {
            continue;
        }
        let text = tree::text(schema, "description").filter(|text| !text.is_empty());
        let _ = writeln!(source, "open_enum! {{");
        for line in text.unwrap_or("A value of an open enum.").lines() {
            let _ = writeln!(source, "    #[doc = {:?}]", format!(" {line}"));
        }
        let _ = writeln!(source, "    {} {{", names::pascal(&name));
        let values = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        let values: Vec<&str> = values.filter_map(Value::as_str).collect();
        for (variant, value) in variants(&values) {
            let _ = writeln!(source, "        {variant} = {value:?},");
        }
        let _ = writeln!(source, "    }}\n}}\n");
    }
    source
}

/// Returns a variant for each value; variants that would collide with another one or with `Unknown` get a number.
fn variants<'a>(values: &[&'a str]) -> Vec<(String, &'a str)> {
    let mut variants: Vec<(String, &str)> = Vec::new();
    for value in values {
        if variants.iter().any(|(_, known)| known == value) {
            continue;
        }
        // Other characters are invalid in identifiers, or are another spelling of the same identifier.
        let wanted = names::pascal(&safe_names::plain(value));
        let taken = |name: &str| name == "Unknown" || variants.iter().any(|(known, _)| known == name);
        let variant = if taken(&wanted) { names::numbered(&wanted, taken) } else { wanted };
        variants.push((variant, value));
    }
    variants
}
