//! The result of a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::outputs::WrittenOutput;
use crate::step::StopReason;

/// The result of a run. The run report for people is an HTML file: see `Report`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// All, some or none of the documents are done.
    pub verdict: Verdict,
    /// The documents of the run by outcome.
    pub documents: RunCounts,
    /// The reason why the run stopped early.
    pub stopped: Option<StopReason>,
    /// The cause of the stop in one line, if an error is the reason.
    pub stop_cause: Option<String>,
    /// The first failures of documents, at most 20. The journal and `failed.jsonl` have all.
    pub failures: Vec<FailedDocument>,
    /// The uploads that were sent.
    pub uploads: u64,
    /// The requests to the service.
    pub requests: u64,
    /// The pages that the service analysed.
    pub pages: u64,
    /// The written outputs.
    pub outputs: Vec<WrittenOutput>,
    /// The duration.
    pub elapsed: Duration,
}

/// A failed document in a [`RunReport`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailedDocument {
    /// The document.
    pub source: String,
    /// The failure.
    pub failure: crate::document::Failure,
}

/// The outcome of a run as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Every document is done.
    All,
    /// Some documents are done.
    Some,
    /// No document is done.
    None,
}

impl Verdict {
    /// Returns the word of the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Some => "some",
            Self::None => "none",
        }
    }
}

/// The documents of a run by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunCounts {
    /// All documents of the run.
    pub total: u64,
    /// Documents that succeeded in this run.
    pub succeeded: u64,
    /// Documents that failed, in this run or for good in an earlier one.
    pub failed: u64,
    /// Documents that an earlier run had done.
    pub skipped: u64,
    /// Documents that are not finished, because the run stopped.
    pub open: u64,
}

impl RunCounts {
    /// Returns the outcome of the run.
    pub fn verdict(&self) -> Verdict {
        let done = self.succeeded + self.skipped;
        match self.failed + self.open {
            0 => Verdict::All,
            _ if done > 0 => Verdict::Some,
            _ => Verdict::None,
        }
    }
}
