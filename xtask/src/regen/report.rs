//! The report of `cargo xtask regen`: the document in use, the changes and the code that they break, and the files written.
//!
//! Three formats: a short text for the terminal, Markdown for a pull request or a file, JSON for programs (keys: [`Report::json`]). Texts from a document
//! or a path are untrusted input and are sanitised where they are shown.

mod json;
mod markdown;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;

use serde_json::Value;

use super::diff::{Change, Effect};
use crate::passes::contract::{Contract, Rank};
use crate::passes::mapping::Mapping;
use crate::passes::tree::METHODS;

/// Origin of the document in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The reconstruction of this repository, from documine.yaml.
    Reconstruction,
    /// A document that replaces the reconstruction in the repository.
    Replaced,
    /// A document that this workspace uses and that stays out of the repository.
    Private,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Reconstruction => "reconstruction",
            Self::Replaced => "replaced",
            Self::Private => "private",
        }
    }
}

/// An operation of the contract that the document has.
#[derive(Clone, Debug)]
pub(crate) struct MappedOperation {
    /// Name in the contract.
    pub(crate) id: String,
    pub(crate) method: String,
    /// Path on the wire.
    pub(crate) path: String,
    /// The operationId in the document.
    pub(crate) operation_id: Option<String>,
    /// The mapping comes from the user's decision.
    pub(crate) decided: bool,
}

/// An operation of the contract that the document lacks.
#[derive(Clone, Debug)]
pub(crate) struct MissingOperation {
    pub(crate) id: String,
    /// Method and path in the contract: `GET /api/users`.
    pub(crate) line: String,
    /// The build accepts the document without it: the contract marks the path as inferred, or the user decided so.
    pub(crate) accepted: bool,
}

/// Size of the generated code, and the time taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generated {
    pub(crate) lines: usize,
    pub(crate) bytes: usize,
    pub(crate) seconds: f64,
}

/// The report.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// File name of the document.
    pub(crate) source: String,
    pub(crate) sha256: String,
    pub(crate) mode: Mode,
    /// Number of operations in the document.
    pub(crate) operations: usize,
    pub(crate) mapped: Vec<MappedOperation>,
    pub(crate) missing: Vec<MissingOperation>,
    /// In the order of `diff::compare`.
    pub(crate) changes: Vec<Change>,
    /// Deviations that the mapping tolerates.
    pub(crate) notes: Vec<String>,
    /// Reasons why the document is refused; empty when it is accepted.
    pub(crate) refused: Vec<String>,
    pub(crate) generated: Option<Generated>,
    pub(crate) build_seconds: Option<f64>,
    /// Last line: the files written, or that nothing was written.
    pub(crate) outcome: String,
}

/// Lists the operations of the contract that a document has, and those that it lacks. `accepted`: `Decisions::accept_missing`.
pub(crate) fn mapped_and_missing(
    contract: &Contract,
    mapping: &Mapping,
    accepted: &BTreeSet<String>,
) -> (Vec<MappedOperation>, Vec<MissingOperation>) {
    let (mut operations, mut missing) = (Vec::new(), Vec::new());
    for (id, spec) in &contract.operations {
        let mapped = mapping.operations.get(id);
        match mapped.and_then(|mapped| Some((mapped.decided, mapped.location.as_ref()?))) {
            Some((decided, place)) => operations.push(MappedOperation {
                id: id.clone(),
                method: place.method.clone(),
                path: place.wire.clone(),
                operation_id: place.id.clone(),
                decided,
            }),
            None => missing.push(MissingOperation {
                id: id.clone(),
                line: spec.line().to_owned(),
                accepted: spec.rank == Rank::Inferred || accepted.contains(id),
            }),
        }
    }
    (operations, missing)
}

/// Counts the operations of a document.
pub(crate) fn operation_count(document: &Value) -> usize {
    let items = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    items
        .map(|(_, item)| METHODS.iter().filter(|method| item.get(**method).is_some_and(Value::is_object)).count())
        .sum()
}

impl Report {
    /// Counts the operations that only the raw client has.
    fn raw_only_count(&self) -> usize {
        self.operations.saturating_sub(self.mapped.len())
    }

    fn with_effect(&self, effect: Effect) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.effect == effect)
    }

    /// Summarises the changes in one line by the code that they break.
    fn breaking(&self) -> String {
        let counts: Vec<String> = [Effect::Caller, Effect::Raw]
            .into_iter()
            .map(|effect| (effect, self.with_effect(effect).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(effect, count)| format!("{} ({})", broken_code(effect), changes(count)))
            .collect();
        match (counts.is_empty(), self.changes.len()) {
            (true, 0) => String::from("nothing changed"),
            (true, count) => format!("breaking no code ({})", changes(count)),
            (false, _) => format!("breaking {}", counts.join(", ")),
        }
    }

    /// Summarises in one line how many operations of the contract the document has.
    fn coverage(&self) -> String {
        let (mapped, missing) = (self.mapped.len(), self.missing.len());
        let all = mapped + missing;
        format!(
            "{} in the document: {mapped} of the {all} that the facade calls, {missing} missing, {} for the raw client only",
            operations(self.operations),
            self.raw_only_count()
        )
    }
}

/// Names the code that a change breaks.
fn broken_code(effect: Effect) -> &'static str {
    match effect {
        Effect::Caller => "code that uses the facade",
        Effect::Raw => "code that uses the raw client",
        Effect::None => "no code",
    }
}

fn changes(count: usize) -> String {
    if count == 1 { String::from("1 change") } else { format!("{count} changes") }
}

fn operations(count: usize) -> String {
    if count == 1 { String::from("1 operation") } else { format!("{count} operations") }
}
