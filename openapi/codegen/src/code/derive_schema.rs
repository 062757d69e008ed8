//! Derives `JsonSchema` for models.
//!
//! Why: JSON schemas of the models need the crate `schemars`, which must stay optional; the generator can only derive
//! unconditionally.
//! Finds: structs and enums among the models.
//! Holds afterwards: each implements `schemars::JsonSchema` with the feature `schemars`.
//! Delete when: the generator supports conditional derives.

use serde_json::Value;
use syn::{File, parse_quote};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    syntax::add_model_attribute(file, &parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]))
}
