//! Skips boxed options that are `None` when serializing.
//!
//! Why: for an optional property that refers to its own schema, the generator boxes the option instead of the content and does
//! not skip `None` when serializing: a response without the property would be written with a `null`.
//! Finds: fields of the type `Box<Option<_>>`.
//! Holds afterwards: `None` is skipped when serializing.
//! Delete when: the generator does the same.

use serde_json::Value;
use syn::{File, parse_quote};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for model in syntax::models(file)? {
        for field in &mut model.fields {
            let is_boxed = syntax::foreign_name(&field.ty).is_some_and(|name| name == "Box");
            let inner = syntax::arguments(&field.ty).first().copied().and_then(syntax::foreign_name);
            let may_be_absent = syntax::has_serde_option(&field.attrs, "default")
                && !syntax::has_serde_option(&field.attrs, "skip_serializing_if");
            if is_boxed && may_be_absent && inner.is_some_and(|name| name == "Option") {
                let mut options = syntax::serde_options(&field.attrs);
                options.push(parse_quote!(skip_serializing_if = "::std::option::Option::is_none"));
                syntax::set_serde_options(&mut field.attrs, &options);
                edits += 1;
            }
        }
    }
    Ok(edits)
}
