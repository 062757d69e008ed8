//! Reads `null` as an empty list, map or id.
//!
//! Why: services send `null` for an empty list or map and an empty string for an absent user; either would fail the whole
//! response.
//! Finds: list and map fields of models, and optional ids. Runs after `derive_default`, which determines the models with a
//! default, and after `lenient_scalars`, whose fields read `null` already.
//! Holds afterwards: such a field reads `null` and absence as empty, also inside a list or map; an optional id reads a blank
//! string as `None`. Serialization does not change.
//! Delete when: the generator does the same.

use std::collections::BTreeSet;

use serde_json::Value;
use syn::{Field, File};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let with_default: BTreeSet<String> = syntax::models(file)?
        .filter(|model| model.attrs.iter().any(syntax::derives_default))
        .map(|model| model.ident.to_string())
        .collect();
    let mut edits = 0;
    for model in syntax::models(file)? {
        for field in &mut model.fields {
            edits += usize::from(tolerate(field, &with_default));
        }
    }
    Ok(edits)
}

fn tolerate(field: &mut Field, with_default: &BTreeSet<String>) -> bool {
    let taken = ["flatten", "deserialize_with"].iter().any(|option| syntax::has_serde_option(&field.attrs, option));
    if taken {
        return false;
    }
    let Some(reader) = reader(field, with_default) else {
        return false;
    };
    syntax::read_with(field, reader, true);
    true
}

/// Returns the function of `crate::null` that reads the field.
fn reader(field: &Field, with_default: &BTreeSet<String>) -> Option<&'static str> {
    let name = syntax::foreign_name(&field.ty);
    let inner = syntax::arguments(&field.ty).last().copied();
    let inner_name = inner.and_then(syntax::foreign_name).unwrap_or_default();
    let holds_default = inner.and_then(syntax::model_name).is_some_and(|model| with_default.contains(&model));
    match (name.as_deref(), inner_name.as_str()) {
        // An element of this list may be `null`.
        (Some("Vec"), "Option" | "Value") => Some("crate::null::as_default"),
        (Some("Vec"), _) => Some("crate::null::list"),
        (Some("IndexMap"), "Vec") => Some("crate::null::map_of_lists"),
        (Some("IndexMap"), "IndexMap" | "Map") => Some("crate::null::map"),
        (Some("IndexMap"), _) if holds_default => Some("crate::null::map"),
        (Some("IndexMap" | "Map"), _) => Some("crate::null::as_default"),
        (Some("Option"), _) => {
            let id = syntax::path_names(inner?);
            let is_id = matches!(id.as_slice(), [krate, ids, _] if krate == "crate" && ids == "ids");
            is_id.then_some("crate::null::blank_as_none")
        }
        _ => None,
    }
}
