//! Reads scalar fields from any exact spelling.
//!
//! Why: services write an integer as `3.0` or `"3"`, a boolean as `"true"`, a string as `7`; a generated model rejects the
//! whole response for such a value.
//! Finds: fields of numbers, booleans and strings, also within lists, maps and options, and models that wrap a single one.
//! Holds afterwards: `crate::scalars` reads such a field from every spelling with exactly one meaning. `null` and absence of a
//! list, a map, an option and a field with a default mean empty. Serialization does not change.
//! Delete when: the generator does the same.

use serde_json::Value;
use syn::{Field, Fields, File, Item, Type};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for item in syntax::types(file)? {
        let Item::Struct(model) = item else { continue };
        // The generator emits a struct with one unnamed field for a named schema that is not an object.
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
    // The readers of options, lists and maps accept `null` already.
    let reads_null = syntax::foreign_name(&field.ty).is_some_and(|name| name != "String");
    let reader = if has_default && !reads_null { "crate::scalars::or_default" } else { "crate::scalars::read" };
    syntax::read_with(field, reader, reads_null && field.ident.is_some());
    true
}

/// Returns `true` for numbers, booleans and strings, and for containers of only these.
fn holds_scalars(kind: &Type) -> bool {
    match syntax::foreign_name(kind).as_deref() {
        Some("String") => true,
        Some("IndexMap" | "Option" | "Vec") => syntax::arguments(kind).last().is_some_and(|inner| holds_scalars(inner)),
        Some(_) => false,
        None => syntax::model_name(kind).is_some_and(|name| ["bool", "f64", "i64"].contains(&name.as_str())),
    }
}
