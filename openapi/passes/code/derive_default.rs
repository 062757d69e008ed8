//! Why: `#[non_exhaustive]` forbids struct literals outside this crate, so a request has to start from something.
//! Looks for: models all of whose fields have a default: texts, numbers, lists, maps, optional fields, and other such models.
//! Holds afterwards: they derive `Default`. A model with an id that must be there has none.
//! Delete when: the generator makes models that can be filled field by field.

use std::collections::BTreeSet;

use serde_json::Value;
use syn::{File, Item, Type, parse_quote};

use super::syntax;

const HAVE_DEFAULT: [&str; 12] =
    ["Option", "Vec", "IndexMap", "Map", "String", "Value", "bool", "i32", "i64", "u64", "f32", "f64"];

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let types = syntax::types(file)?;
    let mut with_default: BTreeSet<String> = BTreeSet::new();
    for item in types.iter() {
        if let Item::Impl(implementation) = item
            && let Some((path, _)) = &implementation.trait_
            && path.segments.last().is_some_and(|segment| segment.ident == "Default")
        {
            with_default.extend(syntax::self_name(implementation).map(ToString::to_string));
        }
    }
    let written = with_default.clone();
    // A model may hold another one that only now turns out to have a default.
    loop {
        let before = with_default.len();
        for item in types.iter() {
            if let Item::Struct(model) = item
                && model.fields.iter().all(|field| has_default(&field.ty, &with_default))
            {
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

fn has_default(kind: &Type, models: &BTreeSet<String>) -> bool {
    match syntax::path_names(kind).as_slice() {
        [.., boxed] if boxed == "Box" => syntax::arguments(kind).iter().all(|inner| has_default(inner, models)),
        [krate, ..] if krate == "crate" => false,
        [own] if models.contains(own) => true,
        [.., name] => HAVE_DEFAULT.contains(&name.as_str()),
        [] => false,
    }
}
