//! Why: users want JSON schemas of the models, but the crate that makes them must stay optional; the generator can derive it only
//! always.
//! Finds: structs and enums among the models.
//! Holds afterwards: each implements `schemars::JsonSchema` under the feature `schemars`.
//! Delete when: the generator takes conditional derives.

use serde_json::Value;
use syn::{File, parse_quote};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    syntax::add_model_attribute(file, &parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]))
}
