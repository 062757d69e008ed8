//! Makes names unique and valid as identifiers.
//!
//! Why: the generator converts any text to an identifier without detecting collisions with another one or with a name in its
//! own code. The result usually does not compile.
//! Finds: names of operations, schemas, properties and parameters that are missing, collide after casing, are reserved, or
//! contain characters that are invalid in identifiers.
//! Holds afterwards: names are unique and plain. The wire names stay: a schema has them in `x-wire-names` (new name → wire
//! name), a parameter in `x-wire-name`, and the code pass `wire_names` applies them. Names that are never sent are renamed
//! only. Names marked `x-canonical` take precedence, then earlier ones.
//! Delete when: the generator detects collisions.

mod operations;
mod parameters;
mod properties;
mod schemas;

use serde_json::Value;

pub(super) fn apply(document: &mut Value) -> usize {
    operations::apply(document) + schemas::apply(document) + properties::apply(document) + parameters::apply(document)
}

/// Returns the name without characters that casing does not support or that resemble others.
pub(crate) fn plain(name: &str) -> String {
    name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

/// Returns `true` for ASCII and for letters with a single spelling.
fn is_plain(c: char) -> bool {
    const LATIN_EXTENDED_A_END: char = '\u{180}';
    c.is_ascii() || (c.is_alphabetic() && c < LATIN_EXTENDED_A_END)
}

/// Returns `true` if the name contains a character that can be cased.
fn has_letters(name: &str) -> bool {
    name.chars().any(char::is_alphanumeric)
}
