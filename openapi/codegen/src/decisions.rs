//! The user's decisions about a document: `openapi/mapping.toml`, written by `cargo xtask regen`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

use crate::contract::Contract;
use crate::tree::METHODS;

/// The user's decisions about a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// The document's method and path for an operation of the contract.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// Operations of the contract that the document may lack.
    #[serde(default)]
    pub accept_missing: BTreeSet<String>,
}

impl Decisions {
    /// Parses decisions; `origin` is their name in errors.
    pub fn read(text: &str, origin: &str) -> Result<Self, Vec<String>> {
        toml::from_str(text).map_err(|error| vec![format!("{origin}: {}", error.message().replace('\n', " "))])
    }

    /// Returns the decisions as TOML.
    pub fn text(&self) -> String {
        let quoted = |text: &String| serde_json::to_string(text).unwrap_or_default();
        let missing: Vec<String> = self.accept_missing.iter().map(quoted).collect();
        let mut text = String::from(
            "# Decisions about the document in use, written by `cargo xtask regen --map` and `--accept-missing`. Remove a line to undo a decision.\n",
        );
        let _ = write!(text, "accept_missing = [{}]\n\n[map]\n", missing.join(", "));
        for (operation, target) in &self.map {
            let _ = writeln!(text, "{} = {}", quoted(operation), quoted(target));
        }
        text
    }

    /// Returns decisions that name unknown operations or invalid targets.
    pub fn find_errors(&self, contract: &Contract) -> Vec<String> {
        let mut errors: Vec<String> = Vec::new();
        for id in self.map.keys().chain(&self.accept_missing) {
            if !contract.operations.contains_key(id) {
                let hint = suggest_operation(id, contract.operations.keys().map(String::as_str));
                errors.push(format!("{id}: unknown operation of the contract{hint}"));
            }
        }
        for (id, target) in &self.map {
            let method = target.split(' ').next().unwrap_or_default().to_lowercase();
            if !METHODS.contains(&method.as_str()) || !target.contains(" /") {
                errors.push(format!(
                    "{id}: {target:?} is not an operation; write method and path, for example 'GET /api/downloads/{{id}}'"
                ));
            }
        }
        errors
    }
}

/// Returns a hint at a similar operation name.
fn suggest_operation<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    let same = |name: &&str| name.eq_ignore_ascii_case(wanted) || name.to_lowercase().contains(&wanted.to_lowercase());
    known.into_iter().find(same).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
