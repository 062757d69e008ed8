//! Conversion of document names to Rust names, by the rules of the generator.
//!
//! The generator converts any text to an identifier without detecting collisions. The lint and the passes need the result
//! beforehand, so the rules are repeated here.

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::{Map, Value};

/// Methods that the generated client defines, or that generated code calls on it.
pub(crate) const RESERVED_METHODS: [&str; 10] =
    ["api_version", "baseurl", "client", "clone", "exec", "inner", "new", "new_with_client", "post", "pre"];
/// Types that the module of the builders imports.
pub(crate) const RESERVED_BUILDER_TYPES: [&str; 15] = [
    "ByteStream",
    "ClientHooks",
    "ClientInfo",
    "Err",
    "Error",
    "From",
    "None",
    "Ok",
    "OperationInfo",
    "Option",
    "RequestBuilderExt",
    "ResponseValue",
    "Result",
    "Some",
    "String",
];
/// Methods and variables of every builder.
pub(crate) const RESERVED_SETTERS: [&str; 6] = ["client", "encode_path", "header_map", "new", "prepare", "send"];
/// Types that the models use without a path.
pub(crate) const RESERVED_MODEL_TYPES: [&str; 1] = ["String"];

/// Returns the name of a type: `getFile` → `GetFile`.
pub fn pascal(name: &str) -> String {
    identifier(&plain(name).to_pascal_case(), "X")
}

/// Returns the name of a field, parameter or method: `getFile` → `get_file`.
pub fn snake(name: &str) -> String {
    identifier(&plain(name).to_snake_case(), "x")
}

fn plain(name: &str) -> String {
    match name {
        "+1" => String::from("plus1"),
        "-1" => String::from("minus1"),
        _ => name.replace('\'', "").replace(|c: char| !(c.is_alphanumeric() || c == '_'), "-"),
    }
}

/// Adds the prefix to a name that does not start with a letter, and an underscore to a keyword.
fn identifier(name: &str, prefix: &str) -> String {
    let name = match name.chars().next() {
        Some(first) if first.is_alphabetic() => String::from(name),
        _ => format!("{prefix}{name}"),
    };
    if KEYWORDS.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// The keywords, including reserved ones.
#[rustfmt::skip]
const KEYWORDS: [&str; 53] = [
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "_",
];

/// Returns a name for a new schema that is unique after casing.
pub fn free(schemas: &Map<String, Value>, wanted: &str) -> String {
    // Cased twice, because the generator cases the name again: `a-b-c` → `ABC` → `Abc`.
    let wanted = pascal(&pascal(wanted));
    let taken = |name: &str| schemas.keys().any(|key| pascal(key) == name);
    if !taken(&wanted) {
        return wanted;
    }
    numbered(&wanted, taken)
}

/// Appends the first number that makes the name unique.
pub fn numbered(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut number = 2_usize;
    while taken(&format!("{wanted}{number}")) {
        number += 1;
    }
    format!("{wanted}{number}")
}
