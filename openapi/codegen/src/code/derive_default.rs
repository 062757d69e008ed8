//! Derives `Default` for models.
//!
//! Why: `#[non_exhaustive]` forbids struct literals outside this crate, so building a request needs a starting value.
//! Finds: models whose fields all have a default: strings, numbers, lists, maps, optional fields, and other such models.
//! Holds afterwards: these models derive `Default`. A model with a required id does not.
//! Delete when: the generator emits models that can be filled field by field.

use std::collections::BTreeSet;

use serde_json::Value;
use syn::{File, Item, Type, parse_quote};

use super::syntax;

/// Foreign types with a default; the generator writes their paths in full.
const TYPES_WITH_DEFAULT: [&str; 6] = ["IndexMap", "Map", "Option", "String", "Value", "Vec"];
const PRIMITIVES: [&str; 3] = ["bool", "f64", "i64"];

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut with_default: BTreeSet<String> = generated_defaults(syntax::types(file)?);
    let generated_defaults = with_default.clone();
    // Repeats, because a model may contain another model that gets a default in this loop.
    loop {
        let before = with_default.len();
        for model in syntax::models(file)? {
            if model.fields.iter().all(|field| has_default(&field.ty, &with_default)) {
                with_default.insert(model.ident.to_string());
            }
        }
        if with_default.len() == before {
            break;
        }
    }
    let mut edits = 0;
    for model in syntax::models(file)? {
        let name = model.ident.to_string();
        if with_default.contains(&name) && !generated_defaults.contains(&name) {
            model.attrs.push(parse_quote!(#[derive(Default)]));
            edits += 1;
        }
    }
    Ok(edits)
}

/// Returns the types for which the generator emits a default.
fn generated_defaults(types: &[Item]) -> BTreeSet<String> {
    types
        .iter()
        .filter_map(|item| match item {
            Item::Impl(implementation) => {
                let (path, _) = implementation.trait_.as_ref()?;
                let is_default = path.segments.last().is_some_and(|segment| segment.ident == "Default");
                syntax::self_name(implementation).filter(|_| is_default)
            }
            Item::Struct(model) if model.attrs.iter().any(syntax::derives_default) => Some(&model.ident),
            _ => None,
        })
        .map(ToString::to_string)
        .collect()
}

fn has_default(kind: &Type, models: &BTreeSet<String>) -> bool {
    match syntax::path_names(kind).as_slice() {
        [own] => models.contains(own) || PRIMITIVES.contains(&own.as_str()),
        [krate, ..] if krate == "crate" => false,
        [.., boxed] if boxed == "Box" => syntax::arguments(kind).iter().all(|inner| has_default(inner, models)),
        [.., name] => TYPES_WITH_DEFAULT.contains(&name.as_str()),
        [] => false,
    }
}
