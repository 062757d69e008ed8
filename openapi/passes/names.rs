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
    match name {
        "+1" => String::from("plus1"),
        "-1" => String::from("minus1"),
        _ => name.replace('\'', "").replace(|c: char| !(c.is_alphanumeric() || c == '_'), "-"),
    }
}

/// The prefix goes before what does not begin with a letter; a keyword gets an underscore.
fn identifier(name: &str, prefix: &str) -> String {
    let name = match name.chars().next() {
        Some(first) if first.is_alphabetic() => String::from(name),
        _ => format!("{prefix}{name}"),
    };
    if KEYWORDS.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// Words that are no identifiers, reserved ones included.
#[rustfmt::skip]
const KEYWORDS: [&str; 53] = [
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "_",
];

/// A name for a new schema that no other has, also not after casing.
pub(crate) fn free(schemas: &Map<String, Value>, wanted: &str) -> String {
    // Twice, since the generator cases the name again: `a-b-c` → `ABC` → `Abc`.
    let wanted = pascal(&pascal(wanted));
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
