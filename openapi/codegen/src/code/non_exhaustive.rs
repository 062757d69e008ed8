//! Marks models as non-exhaustive.
//!
//! Why: a newer document adds fields, which would break code that lists all fields of a model.
//! Finds: structs and enums among the models.
//! Holds afterwards: each is `#[non_exhaustive]`.
//! Delete when: never.

use serde_json::Value;
use syn::{File, parse_quote};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    syntax::add_model_attribute(file, &parse_quote!(#[non_exhaustive]))
}
