//! How names of the document become names of Rust, by the rules of the generator.
//!
//! The generator turns any text into an identifier and notices neither that two became one nor that one means something else.
//! The lint and the passes need to know the outcome beforehand, so the rule is repeated here.

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::{Map, Value};

/// As a type: `getFile` → `GetFile`.
pub(crate) fn pascal(name: &str) -> String {
    identifier(&plain(name).to_pascal_case(), "X")
}

/// As a field, parameter or method: `getFile` → `get_file`.
pub(crate) fn snake(name: &str) -> String {
    identifier(&plain(name).to_snake_case(), "x")
}

fn plain(name: &str) -> String {
    name.replace('\'', "").replace(|c: char| !(c.is_alphanumeric() || c == '_'), "-")
}

/// `nothing` stands for a name that holds no letter or digit.
fn identifier(name: &str, nothing: &str) -> String {
    match name.chars().next() {
        None => String::from(nothing),
        Some(first) if first.is_alphabetic() || first == '_' => String::from(name),
        Some(_) => format!("_{name}"),
    }
}

/// A name for a new schema that no other has, also not after casing.
pub(crate) fn free(schemas: &Map<String, Value>, wanted: &str) -> String {
    let wanted = pascal(wanted);
    let taken = |name: &str| schemas.keys().any(|key| pascal(key) == name);
    if !taken(&wanted) {
        return wanted;
    }
    numbered(&wanted, taken)
}

/// The name with the first number that makes it one that is not taken.
pub(crate) fn numbered(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut number = 2_usize;
    while taken(&format!("{wanted}{number}")) {
        number += 1;
    }
    format!("{wanted}{number}")
}
