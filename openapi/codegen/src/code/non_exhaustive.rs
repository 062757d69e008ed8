//! Why: a newer document adds fields; code that lists a model's fields would stop compiling.
//! Looks for: structs and enums among the models.
//! Holds afterwards: each is `#[non_exhaustive]`.
//! Delete when: never.

use serde_json::Value;
use syn::{File, Item, parse_quote};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for item in syntax::types(file)? {
        let attributes = match item {
            Item::Struct(model) => &mut model.attrs,
            Item::Enum(model) => &mut model.attrs,
            _ => continue,
        };
        attributes.push(parse_quote!(#[non_exhaustive]));
        edits += 1;
    }
    Ok(edits)
}
