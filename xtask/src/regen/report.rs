//! The report of `cargo xtask regen`: what was put in place, whom it concerns, and what became of it.
//!
//! Three forms: a short text for the terminal, Markdown for a pull request or a file, JSON for programs (its keys stand at
//! [`Report::json`]). All that comes from a document or a path is outside input: it is made harmless where it is shown.

mod json;
mod markdown;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;

use serde_json::Value;

use super::diff::{Change, Effect, MOST_ALSO, What};
use crate::passes::contract::{Contract, Rank};
use crate::passes::mapping::Mapping;
use crate::passes::tree::METHODS;

/// What document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The reconstruction of this repository, from documine.yaml.
    Reconstruction,
    /// Another one in its place, in the repository.
    Replaced,
    /// Another one that is used by this workspace and stays out of the repository.
    Private,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::Reconstruction => "reconstruction",
            Self::Replaced => "replaced",
            Self::Private => "private",
        }
    }
}

/// An operation of the contract that the document has.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The contract's name.
    pub(crate) id: String,
    pub(crate) method: String,
    /// As it goes over the wire.
    pub(crate) path: String,
    /// The document's operationId.
    pub(crate) there: Option<String>,
    /// Whether the user said where it is.
    pub(crate) decided: bool,
}

/// An operation of the contract that the document lacks.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    pub(crate) id: String,
    /// As the contract has it: `GET /api/users`.
    pub(crate) line: String,
    /// Whether the build goes on without it: its path is our guess, or the user said so.
    pub(crate) accepted: bool,
}

/// What the generator made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generated {
    pub(crate) lines: usize,
    pub(crate) bytes: usize,
    pub(crate) seconds: f64,
}

/// The report.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Where the document came from.
    pub(crate) source: String,
    pub(crate) sha256: String,
    pub(crate) mode: Mode,
    /// How many operations the document has.
    pub(crate) operations: usize,
    pub(crate) mapped: Vec<Row>,
    pub(crate) missing: Vec<Missing>,
    /// In the order of `diff::compare`.
    pub(crate) changes: Vec<Change>,
    /// What the mapping lives with.
    pub(crate) notes: Vec<String>,
    /// Why the document can't be used; empty: it can.
    pub(crate) refused: Vec<String>,
    pub(crate) generated: Option<Generated>,
    pub(crate) build_seconds: Option<f64>,
    /// The last line: what was written, or that nothing was.
    pub(crate) outcome: String,
}

/// The operations of the contract that a document has, and those that it lacks. `accepted`: what the user decided
/// (`Decisions::accept_missing`).
pub(crate) fn found(contract: &Contract, mapping: &Mapping, accepted: &BTreeSet<String>) -> (Vec<Row>, Vec<Missing>) {
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for (id, spec) in &contract.operations {
        let mapped = mapping.operations.get(id);
        match mapped.and_then(|mapped| Some((mapped.decided, mapped.location.as_ref()?))) {
            Some((decided, place)) => rows.push(Row {
                id: id.clone(),
                method: place.method.clone(),
                path: place.wire.clone(),
                there: place.id.clone(),
                decided,
            }),
            None => missing.push(Missing {
                id: id.clone(),
                line: spec.line().to_owned(),
                accepted: spec.rank == Rank::Inferred || accepted.contains(id),
            }),
        }
    }
    (rows, missing)
}

/// How many operations a document has.
pub(crate) fn count(document: &Value) -> usize {
    let items = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    items
        .map(|(_, item)| METHODS.iter().filter(|method| item.get(**method).is_some_and(Value::is_object)).count())
        .sum()
}

/// The aspects that have a line of their own, since people ask for them.
const ASPECTS: [(&str, &[What]); 4] = [
    (
        "security",
        &[What::Unmet, What::Scopes, What::Requirement, What::SchemeGained, What::SchemeLost, What::SchemeOther],
    ),
    ("servers", &[What::Servers]),
    ("values gained", &[What::RequestValuesGained, What::AnswerValuesGained]),
    ("values lost", &[What::RequestValuesLost, What::AnswerValuesLost]),
];

impl Report {
    /// How many operations the raw client has beside the contract's.
    fn further(&self) -> usize {
        self.operations.saturating_sub(self.mapped.len())
    }

    fn of(&self, effect: Effect) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.effect == effect)
    }

    /// Whom the document breaks, in one line.
    fn breaking(&self) -> String {
        let counts: Vec<String> = [Effect::Facade, Effect::Caller, Effect::Raw]
            .into_iter()
            .map(|effect| (effect, self.of(effect).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(effect, count)| format!("{} ({})", whom(effect), changes(count)))
            .collect();
        let unnoticed = self.of(Effect::None).count();
        match (counts.is_empty(), unnoticed) {
            (true, 0) => String::from("nothing changed"),
            (true, count) => format!("breaking for nobody ({} that nobody has to follow)", changes(count)),
            (false, _) => format!("breaking for {}", counts.join(", ")),
        }
    }

    /// How the document stands to the contract, in one line.
    fn standing(&self) -> String {
        let (mapped, missing) = (self.mapped.len(), self.missing.len());
        let all = mapped + missing;
        let further = match self.further() {
            0 => String::from("none"),
            count => count.to_string(),
        };
        format!(
            "{} in the document: {mapped} of the {all} that the facade calls, {missing} missing, {further} beside them for the raw client",
            operations(self.operations)
        )
    }
}

/// Who has to change something.
fn whom(effect: Effect) -> &'static str {
    match effect {
        Effect::Facade => "the facade itself",
        Effect::Caller => "code that uses the facade",
        Effect::Raw => "code that uses the raw client",
        Effect::None => "nobody",
    }
}

fn changes(count: usize) -> String {
    if count == 1 { String::from("1 change") } else { format!("{count} changes") }
}

fn operations(count: usize) -> String {
    if count == 1 { String::from("1 operation") } else { format!("{count} operations") }
}

/// `getFile and 3 others`, or nothing for the document as a whole.
fn concerned(change: &Change) -> String {
    let Some(operation) = &change.operation else {
        return String::new();
    };
    match change.also.len() {
        0 => operation.clone(),
        1 => format!("{operation} and 1 other"),
        MOST_ALSO => format!("{operation} and {MOST_ALSO} others or more"),
        count => format!("{operation} and {count} others"),
    }
}
