//! Why: `#[non_exhaustive]` forbids struct literals outside this crate, so a request has to start from something.
//! Finds: models all of whose fields have a default: texts, numbers, lists, maps, optional fields, and other such models.
//! Holds afterwards: they derive `Default`. A model with an id that must be there has none.
//! Delete when: the generator makes models that can be filled field by field.

use std::collections::BTreeSet;

use serde_json::Value;
use syn::{File, Item, Type, parse_quote};

use super::syntax;

/// Types of others with a default; the generator writes their paths in full.
const HAVE_DEFAULT: [&str; 6] = ["IndexMap", "Map", "Option", "String", "Value", "Vec"];
const PRIMITIVES: [&str; 3] = ["bool", "f64", "i64"];

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut with_default: BTreeSet<String> = written(syntax::types(file)?);
    let written = with_default.clone();
    // A model may hold another one that only now turns out to have a default.
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
        if with_default.contains(&name) && !written.contains(&name) {
            model.attrs.push(parse_quote!(#[derive(Default)]));
            edits += 1;
        }
    }
    Ok(edits)
}

/// The types that the generator gave a default.
fn written(types: &[Item]) -> BTreeSet<String> {
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
        [.., name] => HAVE_DEFAULT.contains(&name.as_str()),
        [] => false,
    }
}
