//! Passes over the OpenAPI document: they bring it to a form that the code generator takes and that makes a good client.
//!
//! Shared by the build script, `cargo xtask regen` and the tests (by `#[path]`). The order matters: parts that nobody reads go
//! first and references to shared parameters and answers are resolved, so that every later pass finds plain operations. Each
//! pass is one module whose head says why it is there, what it looks for, what holds afterwards and when it can be deleted.
//! What a pass has to tell the generator's side it writes into the document as an `x-…` member of its own.

pub(crate) mod canonical;
pub(crate) mod compose;
pub(crate) mod lint;
pub(crate) mod names;
pub(crate) mod safe_names;
pub(crate) mod texts;
pub(crate) mod walk;

mod accept;
mod answers_beside_json;
mod bodies;
mod constraints;
mod deprecated;
mod error_answers;
mod ids;
mod inline_references;
mod media_types;
mod multipart;
mod nullable;
mod open_enums;
mod operation_names;
mod own_headers;
mod parameters;
mod request_lists;
mod schema_defaults;
mod schema_forms;
mod schema_references;
mod shapes;
mod success_answers;
mod timestamps;
mod unknown_fields;
mod unread_parts;

use serde_json::Value;

/// One pass: changes the document and says how many places it changed.
pub(crate) struct Pass {
    pub(crate) name: &'static str,
    pub(crate) apply: fn(&mut Value) -> usize,
}

macro_rules! passes {
    ($($name:ident),* $(,)?) => {
        &[$(Pass { name: stringify!($name), apply: $name::apply }),*]
    };
}

/// All passes, in the order they run.
pub(crate) const PASSES: &[Pass] = passes![
    shapes,
    unread_parts,
    schema_references,
    inline_references,
    own_headers,
    error_answers,
    bodies,
    compose,
    schema_forms,
    parameters,
    accept,
    media_types,
    safe_names,
    answers_beside_json,
    success_answers,
    multipart,
    texts,
    deprecated,
    constraints,
    schema_defaults,
    nullable,
    ids,
    open_enums,
    timestamps,
    request_lists,
    unknown_fields,
    operation_names,
];

/// A document after all passes, free of findings.
pub(crate) struct Passed {
    #[allow(dead_code, reason = "`regen` looks at the findings only")]
    pub(crate) document: Value,
    /// Edits each pass made, in order.
    #[allow(dead_code, reason = "the build does not look at them")]
    pub(crate) counts: Vec<(&'static str, usize)>,
}

/// Runs all passes and the lint over the text of a JSON document; on refusal every finding, one a line.
pub(crate) fn run(text: &str) -> Result<Passed, Vec<String>> {
    let long = lint::size(text);
    if !long.is_empty() {
        return Err(long);
    }
    let mut document: Value = serde_json::from_str(text).map_err(|error| vec![format!("not JSON: {error}")])?;
    let before = lint::before(&document);
    if !before.is_empty() {
        return Err(before);
    }
    let counts = apply(&mut document);
    let after = lint::after(&document);
    if after.is_empty() { Ok(Passed { document, counts }) } else { Err(after) }
}

/// Runs all passes. Sorting before and after each makes the result the same with maps that sort and maps that remember.
pub(crate) fn apply(document: &mut Value) -> Vec<(&'static str, usize)> {
    canonical::sort(document);
    PASSES
        .iter()
        .map(|pass| {
            let edits = (pass.apply)(document);
            canonical::sort(document);
            (pass.name, edits)
        })
        .collect()
}
