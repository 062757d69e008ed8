//! Why: the generator turns every text into an identifier and does not notice that two became one, or that one hides a name that
//! its own code uses. Most such documents give code that does not compile.
//! Finds: names of operations, schemas, properties and parameters that are missing, meet after casing, are taken, or hold
//! characters that no identifier has.
//! Holds afterwards: they are distinct and plain. What the service reads and writes stays: a schema says in `x-wire-names` which
//! property is which (new name → name on the wire), a parameter in `x-wire-name`; the code pass `wire_names` puts them in. What the
//! service does not get to see is simply renamed. Names marked `x-canonical` are kept, then those that come first.
//! Delete when: the generator does it.

mod operations;
mod parameters;
mod properties;
mod schemas;

use serde_json::Value;

pub(super) fn apply(document: &mut Value) -> usize {
    operations::apply(document) + schemas::apply(document) + properties::apply(document) + parameters::apply(document)
}

/// The name without what the rules of casing know nothing of, or what looks different from what it is.
pub(crate) fn plain(name: &str) -> String {
    name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

/// ASCII, and letters that can be written in one way only.
fn is_plain(c: char) -> bool {
    const LATIN_EXTENDED_A_END: char = '\u{180}';
    c.is_ascii() || (c.is_alphabetic() && c < LATIN_EXTENDED_A_END)
}

/// Whether something is left of the name that can be cased.
fn has_letters(name: &str) -> bool {
    name.chars().any(char::is_alphanumeric)
}
