//! `openapi/mapped.toml`: the names that the document in use has for the elements of the contract, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::sanitize::truncated;
use crate::passes::contract::Contract;
use crate::passes::mapping::Mapping;

/// Returns the text of the file.
pub(super) fn table(mapping: &Mapping, contract: &Contract) -> String {
    let mut text = String::from(
        "# Names in the document in use for the elements of openapi/contract.toml. Written by `cargo xtask regen`; the build does not read this file.\n",
    );
    let _ = write!(text, "\nprefix = {:?}\n\n[operations]\n", mapping.prefix);
    for (id, mapped) in &mapping.operations {
        let line = match &mapped.location {
            Some(place) => format!("{} {}", place.method.to_uppercase(), place.path),
            None => String::from("missing"),
        };
        let operation_id = mapped.location.as_ref().and_then(|place| place.id.as_ref());
        let comment = match (mapped.decided, operation_id) {
            (true, _) => String::from("  # as decided in openapi/mapping.toml"),
            (false, Some(name)) if name != id => format!("  # operationId {}", truncated(name, 80)),
            _ => String::new(),
        };
        let _ = writeln!(text, "{id} = {}{comment}", quoted(&line));
    }
    for (id, mapped) in &mapping.operations {
        let other: BTreeMap<&String, &Option<String>> =
            mapped.query.iter().filter(|(name, wire)| wire.as_ref() != Some(*name)).collect();
        if mapped.location.is_some() && !other.is_empty() {
            let _ = write!(text, "\n[query.{id}]\n");
            for (name, wire) in other {
                let part = || mapped.parts.get(name).map(|(part, _)| format!("part {part} of the form"));
                let found = wire.clone().or_else(part).unwrap_or_else(|| String::from("missing"));
                let _ = writeln!(text, "{name} = {}", quoted(&found));
            }
        }
    }
    text.push_str("\n[schemas]\n");
    for name in contract.schemas.keys() {
        let sources = mapping.schemas.get(name).map(Vec::as_slice).unwrap_or_default();
        let all: Vec<String> =
            sources.iter().map(|bound| quoted(bound.name.as_deref().unwrap_or(&bound.pointer))).collect();
        let _ = writeln!(text, "{name} = [{}]", all.join(", "));
    }
    for sources in mapping.schemas.values() {
        for bound in sources {
            let other: Vec<String> = bound
                .fields
                .iter()
                .filter(|(field, found)| found.wire.as_ref() != Some(*field) || found.uses_document_type)
                .map(|(field, found)| {
                    let follows = if found.uses_document_type { "  # with the type of the document" } else { "" };
                    format!("{field} = {}{follows}", quoted(found.wire.as_deref().unwrap_or("missing")))
                })
                .collect();
            if !other.is_empty() {
                let _ = write!(text, "\n[fields.{}]\n{}\n", quoted(&bound.key), other.join("\n"));
            }
        }
    }
    text
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
