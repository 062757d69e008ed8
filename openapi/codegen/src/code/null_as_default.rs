//! Why: services send `null` for a list or map without content, and an empty text for somebody who is not there; either would
//! fail the whole answer.
//! Finds: lists and maps among the fields of models, and optional ids. Runs after `derive_default`, which tells the models that
//! have a default, and after `lenient_scalars`, which reads `null` itself in the fields that are its own.
//! Holds afterwards: such a field reads `null` and absence as empty, inside a list or map too; an optional id reads a blank text
//! as `None`. What is sent does not change.
//! Delete when: the generator does it.

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

/// The function of `crate::null` that reads such a field.
fn reader(field: &Field, with_default: &BTreeSet<String>) -> Option<&'static str> {
    let name = syntax::foreign_name(&field.ty);
    let inner = syntax::arguments(&field.ty).last().copied();
    let inner_name = inner.and_then(syntax::foreign_name).unwrap_or_default();
    let holds_default = inner.and_then(syntax::model_name).is_some_and(|model| with_default.contains(&model));
    match (name.as_deref(), inner_name.as_str()) {
        // Here `null` is an element like any other.
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
