//! Passes over an OpenAPI document, the mapping to the facade's contract, the lint, and the generation of Rust source.
//!
//! The order of the passes matters: unused parts are removed and references to shared parameters and responses are inlined
//! first, so that every later pass works on plain operations. Each pass is one module with a fixed head: why, finds, holds
//! afterwards, delete when. Passes leave notes for later steps in the document, as `x-…` members.

#![cfg_attr(test, allow(clippy::expect_used, clippy::panic))]
// A library prints nothing.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod build;
pub mod canonical;
pub mod code;
pub mod contract;
pub mod decisions;
pub mod mapping;
pub mod names;
pub mod normalize;
pub mod read;
pub mod read_limits;
pub mod tree;
#[cfg(feature = "yaml")]
pub mod yaml;

mod accept;
mod alternative_formats;
mod bean_schemas;
mod bodies;
mod canonical_names;
mod compose;
mod constraints;
mod deprecated;
mod descriptions;
mod downgrade;
mod error_responses;
mod ids;
mod inline_references;
mod invalid_members;
mod lint;
mod media_types;
mod multipart;
mod nullable;
mod open_enums;
mod operation_names;
mod optional_response_fields;
mod parameters;
mod request_lists;
mod safe_names;
mod schema_defaults;
mod schema_forms;
mod schema_references;
mod success_responses;
mod timestamps;
mod transport_headers;
mod unknown_fields;
mod unused_parts;

pub use lint::Finding;

use serde_json::Value;

use contract::Contract;
use decisions::Decisions;
use mapping::Mapping;

/// A pass over the document.
pub struct Pass {
    /// The name of the module.
    pub name: &'static str,
    /// Changes the document and returns the number of edits.
    pub apply: fn(&mut Value) -> usize,
}

macro_rules! passes {
    ($($name:ident),* $(,)?) => {
        &[$(Pass { name: stringify!($name), apply: $name::apply }),*]
    };
}

/// The passes that bring every document to one form.
pub const NORMALIZING_PASSES: &[Pass] = passes![
    invalid_members,
    unused_parts,
    schema_references,
    bean_schemas,
    inline_references,
    transport_headers,
    error_responses,
    bodies,
    compose,
    schema_forms,
    parameters,
    accept,
    media_types,
];

/// The passes that adapt the document to the generator. They run after `canonical_names`, which applies the contract's names.
pub const ADAPTING_PASSES: &[Pass] = passes![
    safe_names,
    alternative_formats,
    success_responses,
    optional_response_fields,
    multipart,
    descriptions,
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

/// A document after all passes, without lint findings.
pub struct PreparedDocument {
    /// The document for the generator.
    pub document: Value,
    /// The number of edits of each pass, in order.
    pub counts: Vec<(&'static str, usize)>,
    /// The mapping as JSON for the simulator; `null` without a contract.
    pub data: Value,
    /// The mapping from the contract to the document; empty without a contract.
    pub mapping: Mapping,
}

/// Runs all passes and the lint over a JSON document; returns every finding on failure, one per line.
///
/// Without a contract, the document is only adapted to the generator, for tests of single passes.
pub fn prepare(text: &str, contract: Option<(&Contract, &Decisions)>) -> Result<PreparedDocument, Vec<String>> {
    let long = lint::check_size(text);
    if !long.is_empty() {
        return Err(long);
    }
    let mut document: Value = serde_json::from_str(text).map_err(|error| vec![format!("not JSON: {error}")])?;
    normalize::apply(&mut document);
    let before = lint::check_before_passes(&document);
    if !before.is_empty() {
        return Err(before);
    }
    let dangling = lint::references::check(&document);
    canonical::sort(&mut document);
    // The passes remove the servers, whose path is part of every operation's path.
    let server = mapping::server_path(&document);
    let mut counts = apply(NORMALIZING_PASSES, &mut document);
    let (mut mapping, mut data) = (Mapping::default(), Value::Null);
    let mut findings: Vec<String> = Vec::new();
    if let Some((contract, decisions)) = contract {
        let (found, against) = mapping::map_contract(&document, server, contract, decisions);
        findings.extend(against.iter().map(ToString::to_string));
        data = found.to_json(contract, &document);
        counts.push(("canonical_names", canonical_names::apply(&mut document, contract, &found)));
        canonical::sort(&mut document);
        mapping = found;
    }
    counts.extend(apply(ADAPTING_PASSES, &mut document));
    findings.extend(lint::check_after_passes(&document, dangling.is_empty()));
    let consequences = findings.iter().map(|finding| in_document(finding, &document));
    let findings = dangling.iter().map(ToString::to_string).chain(consequences);
    let findings: Vec<String> = findings.map(|finding| one_line(&finding)).collect();
    if findings.is_empty() { Ok(PreparedDocument { document, counts, data, mapping }) } else { Err(findings) }
}

/// Replaces the pointer to a generated component with the pointer to the inline schema in the document.
fn in_document(finding: &str, document: &Value) -> String {
    const COMPONENT: &str = "(/components/schemas/";
    let moved = finding.rfind(COMPONENT).and_then(|start| {
        let rest = &finding[start + COMPONENT.len()..];
        let name = &rest[..rest.find(['/', ')'])?];
        let place = document.get("x-places")?.get(tree::unescape(name))?.as_str()?;
        Some(format!("{}({place}{}", &finding[..start], &rest[name.len()..]))
    });
    moved.unwrap_or_else(|| finding.to_owned())
}

/// Escapes control and invisible characters, because names in the document are untrusted and a finding is one line on a
/// terminal.
fn one_line(finding: &str) -> String {
    let escape = |c: char| {
        if c.is_control() || descriptions::is_hidden(c) { c.escape_unicode().to_string() } else { c.to_string() }
    };
    finding.chars().map(escape).collect()
}

/// Runs passes and sorts the document after each, so that sorted and insertion-ordered maps give the same result.
fn apply(passes: &[Pass], document: &mut Value) -> Vec<(&'static str, usize)> {
    passes
        .iter()
        .map(|pass| {
            let edits = (pass.apply)(document);
            canonical::sort(document);
            (pass.name, edits)
        })
        .collect()
}

/// Returns the fingerprint of a document in canonical form (FNV-1a, 64 bits).
/// The hash only identifies the reconstruction, so collisions are harmless.
pub fn fingerprint(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}
