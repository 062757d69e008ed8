//! The table of the documents, as the program that makes them writes it.

use std::fs;
use std::path::Path;

use serde::Deserialize;

/// A document and its end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// Its file, and others that belong to it, beside the table.
    pub(super) file: String,
    pub(super) decisions: Option<String>,
    /// The same as YAML, for a document that is really written.
    pub(super) by_hand: Option<String>,
    variants: Vec<String>,
    pub(super) form: String,
    /// Whether something was done to its text.
    pub(super) is_text: bool,
    /// Options of `regen`.
    pub(super) arguments: Vec<String>,
    /// How much is tried with it; `None`: it has to be refused.
    pub(super) effort: Option<Effort>,
    /// What the report or the message must print.
    pub(super) says: Vec<String>,
}

/// How much is tried with an accepted document. Each holds the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Effort {
    Generated,
    Checked,
    Tested,
}

impl Case {
    /// For people.
    pub(super) fn line(&self) -> String {
        let end = match self.effort {
            None => "refused",
            Some(Effort::Generated) => "accepted",
            Some(Effort::Checked) => "accepted, compiled",
            Some(Effort::Tested) => "accepted, compiled, tested with --full",
        };
        let text = if self.is_text { ", its text changed" } else { "" };
        format!("{}: {end}\n    {}{text}: ours with [{}]", self.name, self.form, self.variants.join(", "))
    }
}

/// The table in a file.
pub(super) fn read(path: &Path) -> Result<Vec<Case>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
