//! `openapi/mapped.toml`: where the document in use has what the contract names, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::diff::words::short;
use crate::passes::contract::Contract;
use crate::passes::mapping::Mapping;

/// The file's text.
pub(super) fn table(mapping: &Mapping, contract: &Contract) -> String {
    let mut text = String::from(
        "# Where the document in use has what openapi/contract.toml names. Written by `cargo xtask regen`; the build finds it anew each time.\n",
    );
    let _ = write!(text, "\nprefix = {:?}\n\n[operations]\n", mapping.prefix);
    for (id, mapped) in &mapping.operations {
        let line = match &mapped.location {
            Some(place) => format!("{} {}", place.method.to_uppercase(), place.path),
            None => String::from("missing"),
        };
        let id_there = mapped.location.as_ref().and_then(|place| place.id.as_ref());
        let comment = match (mapped.decided, id_there) {
            (true, _) => String::from("  # as decided in openapi/mapping.toml"),
            (false, Some(there)) if there != id => format!("  # there called {}", short(there, 80)),
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
                let part = || mapped.parts.get(name).map(|(part, _)| format!("the part {part} of the form"));
                let there = wire.clone().or_else(part).unwrap_or_else(|| String::from("missing"));
                let _ = writeln!(text, "{name} = {}", quoted(&there));
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
                    let follows = if found.uses_document_type { "  # with the document's type" } else { "" };
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
