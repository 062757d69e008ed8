//! Why: a service may write another JSON value where its document promises a text (a date as a list of numbers, an amount as a number,
//! an attribute of any type); one such value would fail the whole list it stands in.
//! Looks for: texts among the fields of models, optional, in lists and in maps. Runs before `null_as_default`, which leaves them alone.
//! Holds afterwards: such a field reads any JSON, by the functions of `crate::text`. What is sent does not change.
//! Delete when: never.

use serde_json::Value;
use syn::{File, Meta, Type, parse_quote};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for model in syntax::models(file)? {
        for field in &mut model.fields {
            let taken = ["flatten", "deserialize_with"].iter().any(|name| syntax::has_serde_option(&field.attrs, name));
            let Some((reader, needs_default)) = reader(&field.ty).filter(|_| !taken) else {
                continue;
            };
            let mut options = syntax::serde_options(&field.attrs);
            if needs_default && !options.iter().any(|option| option.path().is_ident("default")) {
                options.push(parse_quote!(default));
            }
            let read: Meta = parse_quote!(deserialize_with = #reader);
            options.push(read);
            syntax::set_serde_options(&mut field.attrs, &options);
            edits += 1;
        }
    }
    Ok(edits)
}

/// The function of `crate::text` that reads such a field, and whether the field may be missing.
fn reader(kind: &Type) -> Option<(&'static str, bool)> {
    let name = |kind: &Type| syntax::foreign_name(kind).unwrap_or_default();
    let inner = |kind: &Type| syntax::arguments(kind).last().map(|inner| (*inner).clone());
    let held = inner(kind);
    let held_name = held.as_ref().map(name).unwrap_or_default();
    let innermost = held.as_ref().and_then(inner).as_ref().map(name).unwrap_or_default();
    match (name(kind).as_str(), held_name.as_str(), innermost.as_str()) {
        ("String", ..) => Some(("crate::text::read", false)),
        ("Option", "String", _) => Some(("crate::text::optional", true)),
        ("Vec", "String", _) => Some(("crate::text::list", true)),
        ("IndexMap", "String", _) => Some(("crate::text::map", true)),
        ("IndexMap", "Vec", "String") => Some(("crate::text::map_of_lists", true)),
        _ => None,
    }
}
