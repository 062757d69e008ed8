//! Why: services send `null` for a list or map without content, and an empty text for somebody who is not there; either would
//! fail the whole answer.
//! Looks for: lists, maps and defaulted truth values among the fields of models, and optional ids. Runs after `derive_default`,
//! which tells the models that have a default.
//! Holds afterwards: such a field reads `null` and absence as empty, inside a list or map too; an optional id reads a blank text
//! as `None`. What is sent does not change.
//! Delete when: the generator does it.

use std::collections::BTreeSet;

use serde_json::Value;
use syn::{Field, File, Meta, Type, parse_quote};

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
    let mut options = syntax::serde_options(&field.attrs);
    if !options.iter().any(|option| option.path().is_ident("default")) {
        options.push(parse_quote!(default));
    }
    let read: Meta = parse_quote!(deserialize_with = #reader);
    options.push(read);
    syntax::set_serde_options(&mut field.attrs, &options);
    true
}

/// The function of `crate::null` that reads such a field.
fn reader(field: &Field, with_default: &BTreeSet<String>) -> Option<&'static str> {
    let name = syntax::last_segment(&field.ty)?.ident.to_string();
    let inner = syntax::arguments(&field.ty).last().copied();
    let inner_name = |kind: &Type| syntax::last_segment(kind).map(|segment| segment.ident.to_string());
    match (name.as_str(), inner.and_then(inner_name).unwrap_or_default().as_str()) {
        // Here `null` is an element like any other.
        ("Vec", "Option" | "Value") => Some("crate::null::as_default"),
        ("Vec", _) => Some("crate::null::list"),
        ("IndexMap", "Vec") => Some("crate::null::map_of_lists"),
        ("IndexMap", "String" | "IndexMap" | "Map") => Some("crate::null::map"),
        ("IndexMap", model) if with_default.contains(model) => Some("crate::null::map"),
        ("IndexMap" | "Map", _) => Some("crate::null::as_default"),
        ("bool", _) if syntax::has_serde_option(&field.attrs, "default") => Some("crate::null::as_default"),
        ("Option", _) => {
            let id = syntax::path_names(inner?);
            let is_id = matches!(id.as_slice(), [krate, ids, _] if krate == "crate" && ids == "ids");
            is_id.then_some("crate::null::blank_as_none")
        }
        _ => None,
    }
}
