//! Why: services write a whole number as `3.0` or `"3"`, a truth value as `"true"`, a text as `7`; the generator's models refuse the whole
//! answer for it.
//! Finds: fields of numbers, truth values and texts, also within lists, maps and options, and models that are nothing but one.
//! Holds afterwards: such a field is read by `crate::scalars` from every spelling that means exactly one value. `null` and absence of a list,
//! a map, an option and a field with a default stay empty. What is sent does not change.
//! Delete when: the generator does it.

use serde_json::Value;
use syn::{Field, Fields, File, Item, Type};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for item in syntax::types(file)? {
        let Item::Struct(model) = item else { continue };
        // The generator makes a struct of one unnamed field of a named schema that is no object.
        if matches!(&model.fields, Fields::Unnamed(fields) if fields.unnamed.len() != 1) {
            continue;
        }
        for field in &mut model.fields {
            edits += usize::from(read_exactly(field));
        }
    }
    Ok(edits)
}

fn read_exactly(field: &mut Field) -> bool {
    let taken = ["flatten", "deserialize_with"].iter().any(|option| syntax::has_serde_option(&field.attrs, option));
    if taken || !holds_scalars(&field.ty) {
        return false;
    }
    let has_default = syntax::has_serde_option(&field.attrs, "default");
    // Options, lists and maps read `null` as empty by themselves.
    let reads_null = syntax::foreign_name(&field.ty).is_some_and(|name| name != "String");
    let reader = if has_default && !reads_null { "crate::scalars::or_default" } else { "crate::scalars::read" };
    syntax::read_with(field, reader, reads_null && field.ident.is_some());
    true
}

/// Returns whether the type is a number, a truth value or a text, or holds nothing else.
fn holds_scalars(kind: &Type) -> bool {
    match syntax::foreign_name(kind).as_deref() {
        Some("String") => true,
        Some("IndexMap" | "Option" | "Vec") => syntax::arguments(kind).last().is_some_and(|inner| holds_scalars(inner)),
        Some(_) => false,
        None => syntax::model_name(kind).is_some_and(|name| ["bool", "f64", "i64"].contains(&name.as_str())),
    }
}
