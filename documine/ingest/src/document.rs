//! The data of one document: what a source lists, what the journal holds, and what tables and reports read.

use documine::Components;
use serde::{Deserialize, Serialize};

/// A document that a [source](crate::source) lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListedDocument {
    /// The name of the document in tables and reports, and its key in the journal: the path or URL as given.
    pub source: String,
    /// The place from which the content is read: an absolute path, a URL, or a key of a source in memory.
    pub location: String,
    /// The name of the file at the service, before equal names of a dossier are numbered.
    pub file_name: String,
    /// The size in bytes, if the source knows it.
    pub size: Option<u64>,
    /// A value that changes with the content: the time of the last change, or the `ETag` of an object. Documents of the same version are not read
    /// again. Empty if the source has none.
    pub version: String,
}

impl ListedDocument {
    /// Creates a document; `location` is where its content is read.
    pub fn new(source: impl Into<String>, location: impl Into<String>, file_name: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            location: location.into(),
            file_name: file_name.into(),
            size: None,
            version: String::new(),
        }
    }

    /// Sets the size in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Sets the version.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }
}

/// The state of a document in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentState {
    /// Listed, or interrupted between two steps: the next run continues.
    Open,
    /// The components are recorded, and everything that was requested is done.
    Succeeded,
    /// A step failed for good.
    Failed,
}

impl DocumentState {
    /// Returns the word of the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Returns the state of a word of the journal.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Succeeded, Self::Failed].into_iter().find(|state| state.as_str() == word)
    }
}

/// A step of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Reading the content and computing its hash.
    Hash,
    /// Creating the dossier, or finding it.
    Dossier,
    /// Uploading the document, after a search if an earlier attempt may have uploaded it.
    Upload,
    /// Waiting for the analysis.
    Wait,
    /// Reading the components and recording them.
    Fetch,
    /// Creating and saving the package.
    Package,
    /// Handing the record to the sinks of the program.
    Deliver,
    /// Moving or deleting the source.
    Source,
    /// Deleting the file at the service.
    Delete,
}

impl Step {
    /// Returns the word of the journal and of reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Dossier => "dossier",
            Self::Upload => "upload",
            Self::Wait => "wait",
            Self::Fetch => "fetch",
            Self::Package => "package",
            Self::Deliver => "deliver",
            Self::Source => "source",
            Self::Delete => "delete",
        }
    }
}

/// The failure of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The step that failed.
    pub step: Step,
    /// The cause in one line, without secrets.
    pub cause: String,
    /// A word that groups equal causes: `analysis_failed`, `stalled`, `deadline`, `gone`, `rejected`, `unreadable`, `changed`, `login`, `license`, `temporary`, `other`.
    pub reason: String,
    /// The number of attempts of the step.
    pub attempts: u32,
    /// Set if a repetition makes sense: the cause was temporary. The next run repeats the step by itself.
    pub retryable: bool,
}

impl Failure {
    /// Creates a failure of one attempt.
    pub fn new(step: Step, reason: &str, cause: impl Into<String>) -> Self {
        Self { step, cause: cause.into(), reason: reason.to_owned(), attempts: 1, retryable: false }
    }

    /// Sets whether a repetition makes sense.
    #[must_use]
    pub fn retryable(mut self, yes: bool) -> Self {
        self.retryable = yes;
        self
    }
}

/// One document of the journal, as tables, the run report and the difference of two runs read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DocumentRecord {
    /// The name of the document: the path or URL as given.
    pub source: String,
    /// The SHA-256 of the content, in hexadecimal; `None` before the content was read.
    pub sha256: Option<String>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The state.
    pub state: DocumentState,
    /// The dossier at the service.
    pub dossier_id: Option<String>,
    /// The file at the service.
    pub file_id: Option<String>,
    /// The name of the file at the service.
    pub file_name: String,
    /// The number of pages.
    pub pages: Option<u32>,
    /// The failure, if the state is [`DocumentState::Failed`].
    pub failure: Option<Failure>,
    /// The components with their details, if the state is [`DocumentState::Succeeded`].
    pub components: Option<Components>,
    /// The time of the last analysis according to the service, in its own notation.
    pub analysed_at: Option<String>,
    /// The path of the package, if one was saved.
    pub package: Option<String>,
    /// The times of the steps.
    pub times: Times,
}

/// The times of a document's steps by the clock of this machine, in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Times {
    /// First listed.
    pub listed: Option<i64>,
    /// Start of the last upload.
    pub upload_started: Option<i64>,
    /// End of the last upload.
    pub uploaded: Option<i64>,
    /// The wait saw the end of the analysis.
    pub processed: Option<i64>,
    /// The last step ended.
    pub ended: Option<i64>,
}
