//! Why: users want JSON schemas of the models, but the crate that makes them must stay optional; the generator can derive it only
//! always.
//! Looks for: structs and enums among the models.
//! Holds afterwards: each implements `schemars::JsonSchema` under the feature `schemars`.
//! Delete when: the generator takes conditional derives.

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
        attributes.push(parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]));
        edits += 1;
    }
    Ok(edits)
}
