//! The difference of two runs: added, changed and lost values, from two journals and without any request.
//!
//! This is the regression test for extraction rules: run the same documents before and after a change of the rules, then compare the journals.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (service, folder) = (documine_sim::connect().await?, tempfile::tempdir()?);
//! # std::env::set_current_dir(&folder)?;
//! # let samples = documine_ingest::source::Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/samples"));
//! # documine_ingest::Ingest::new(&service.client, service.template()).source(samples).journal("run.sqlite").run().await?;
//! use documine_ingest::Difference;
//! use documine_ingest::journal::JournalReader;
//!
//! # std::fs::copy("run.sqlite", "before.sqlite")?;
//! # std::fs::rename("run.sqlite", "after.sqlite")?;
//! let before = JournalReader::open("before.sqlite")?;
//! let after = JournalReader::open("after.sqlite")?;
//! let difference = Difference::between(&before, &after)?;
//! difference.to_text(&mut std::io::stdout())?;
//! assert!(!difference.has_differences()); // the exit code of a check
//! # Ok(()) }
//! ```
//!
//! # What is compared
//! - Documents are matched by their source. A document whose source is in one journal only is matched by its content (SHA-256): it was **moved**.
//! - A changed **outcome** is another state: succeeded, failed, not finished. Two failures with different causes are equal.
//! - **Values** are compared if the document succeeded in both runs: the list of texts of each component, in order. Pages, rules, service ids and
//!   times do not count, but the page and rule of each value are part of the result.

mod compare;
#[cfg(feature = "report")]
mod html;
mod plain_text;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::document::{DocumentState, Failure};
use crate::error::Result;
use crate::journal::{Counts, JournalReader};

/// The version of the JSON form.
const VERSION: u32 = 1;
/// Default limit of the documents in [`Difference::documents`].
const MOST_DOCUMENTS: usize = 10_000;

/// The difference of two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// The version of this form: 1. Increases when fields change their meaning.
    pub version: u32,
    /// The journal of the first run.
    pub before: JournalSummary,
    /// The journal of the second run.
    pub after: JournalSummary,
    /// The numbers of documents.
    pub counts: DifferenceCounts,
    /// The components of documents that were compared, in the order of the template.
    pub components: Vec<ComponentCounts>,
    /// The documents that differ, ordered by source. A document that was only moved is not listed.
    pub documents: Vec<DocumentDifference>,
    /// The number of different documents that are left out of `documents` because of the limit. They are counted everywhere else.
    pub documents_left_out: u64,
}

/// One of the compared journals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JournalSummary {
    /// The path as given.
    pub path: String,
    /// The dossier template.
    pub template: Option<String>,
    /// The documents by outcome.
    pub counts: Counts,
}

/// The numbers of documents of a [`Difference`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DifferenceCounts {
    /// Documents in both journals.
    pub compared: u64,
    /// Compared documents with another outcome, content or value.
    pub different: u64,
    /// Documents of the first journal only.
    pub only_before: u64,
    /// Documents of the second journal only.
    pub only_after: u64,
    /// Compared documents with the same content under another source.
    pub moved: u64,
    /// Compared documents with another outcome.
    pub outcome_changed: u64,
    /// Compared documents with another content.
    pub content_changed: u64,
    /// Compared documents with added, lost or changed values.
    pub values_changed: u64,
}

/// The numbers of documents in which a component differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ComponentCounts {
    /// The name of the component.
    pub component: String,
    /// Documents with values after, but not before.
    pub added: u64,
    /// Documents with values before, but not after.
    pub lost: u64,
    /// Documents with other values.
    pub changed: u64,
    /// Documents with the same values, or without values in both.
    pub equal: u64,
}

/// A document that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DocumentDifference {
    /// The name of the document: the path or URL as given.
    pub source: String,
    /// The journals that have the document.
    pub presence: Presence,
    /// The source in the first journal, if the document was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// The outcomes, if they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeChange>,
    /// The contents, if they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentChange>,
    /// The components with other values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentChange>,
    /// The place from which the document is read, for links.
    #[serde(skip)]
    location: Option<String>,
}

/// The journals that have a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Presence {
    /// Both journals.
    Both,
    /// The first journal only.
    OnlyBefore,
    /// The second journal only.
    OnlyAfter,
}

/// Another outcome of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutcomeChange {
    /// The first outcome.
    pub before: DocumentState,
    /// The second outcome.
    pub after: DocumentState,
    /// The failure, if the document failed in one of the runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Another content of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContentChange {
    /// The first SHA-256, in hexadecimal.
    pub before: String,
    /// The second SHA-256, in hexadecimal.
    pub after: String,
}

/// Other values of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ComponentChange {
    /// The name of the component.
    pub component: String,
    /// The kind of the change.
    pub kind: ChangeKind,
    /// The values of the first run.
    pub before: Vec<ValueWithOrigin>,
    /// The values of the second run.
    pub after: Vec<ValueWithOrigin>,
}

/// The kind of a [`ComponentChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// The component has values only after.
    Added,
    /// The component has values only before.
    Lost,
    /// The component has other values.
    Changed,
}

/// A value with its page and rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValueWithOrigin {
    /// The text.
    pub value: String,
    /// The first page, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The id of the rule that created the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl Difference {
    /// Compares two journals. [`documents`](Self::documents) has at most 10,000 entries.
    ///
    /// Reads both journals in the order of their sources. Memory grows with the entries of `documents`, and by about 200 bytes for each document
    /// that is in one journal only.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`](crate::ErrorKind::Journal) if a journal cannot be read.
    pub fn between(before: &JournalReader, after: &JournalReader) -> Result<Self> {
        Self::between_with_limit(before, after, MOST_DOCUMENTS)
    }

    /// Compares two journals like [`between`](Self::between) with another limit of the entries in [`documents`](Self::documents).
    pub fn between_with_limit(before: &JournalReader, after: &JournalReader, most_documents: usize) -> Result<Self> {
        compare::compare(before, after, most_documents)
    }

    /// Returns whether a document is in one journal only, or has another outcome, content or value. A document that was only moved does not count.
    pub fn has_differences(&self) -> bool {
        self.counts.different + self.counts.only_before + self.counts.only_after > 0
    }

    /// Writes the difference as text for people, with values shortened to 300 characters and without control characters.
    pub fn to_text(&self, writer: &mut impl Write) -> io::Result<()> {
        plain_text::write(self, writer)
    }

    /// Writes the difference as one JSON object, which deserializes to the same value.
    pub fn to_json(&self, writer: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *writer, self)?;
        writer.write_all(b"\n")
    }

    /// Writes the difference as one self-contained HTML page in the style of the run report. Values are shortened to 300 characters.
    #[cfg(feature = "report")]
    pub fn to_html(&self, writer: &mut impl Write) -> io::Result<()> {
        html::write(self, writer)
    }
}

impl ChangeKind {
    /// Returns the word of reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Lost => "lost",
            Self::Changed => "changed",
        }
    }
}
