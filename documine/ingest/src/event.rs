//! The events of a run.

use serde::{Deserialize, Serialize};

use crate::document::{DocumentState, Failure, Step};
use crate::report_of_run::RunReport;
use crate::step::StopReason;

/// The version of [`Event`]. Increases if a variant or field changes its meaning; additions do not count.
pub const EVENT_VERSION: u32 = 1;

/// An event of a run, for progress displays and logs. Serializes to an object whose `event` is the name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// The version of the events: [`EVENT_VERSION`].
        version: u32,
        /// The number of the run in its journal.
        run: i64,
    },
    /// All sources are listed.
    Listed {
        /// The documents of the sources.
        documents: u64,
        /// The documents that are to be processed in this run, with those of interrupted runs.
        open: u64,
        /// The documents that are done since an earlier run.
        skipped: u64,
        /// The size of the documents to be processed in bytes, as far as it is known.
        bytes: u64,
        /// The estimated pages of the documents to be processed.
        estimated_pages: u64,
        /// The licensed pages that are left, if the service states them.
        licensed_pages_left: Option<u64>,
    },
    /// A step of a document begins.
    StepStarted {
        /// The document.
        source: String,
        /// The step.
        step: Step,
    },
    /// A step of a document has ended.
    StepFinished {
        /// The document.
        source: String,
        /// The step.
        step: Step,
        /// The duration in milliseconds, with repetitions.
        elapsed_ms: u64,
        /// The size of the document in bytes, of the step `upload`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// The pages of the document, of the step `wait`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pages: Option<u32>,
    },
    /// A step failed temporarily and will be repeated.
    StepRetried {
        /// The document.
        source: String,
        /// The step.
        step: Step,
        /// The number of the failed attempt, from 1.
        attempt: u32,
        /// The cause in one line.
        cause: String,
        /// The pause in milliseconds.
        pause_ms: u64,
    },
    /// A document has reached its end in this run.
    DocumentFinished {
        /// The document.
        source: String,
        /// The outcome.
        state: DocumentState,
        /// The failure, if the document failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// No further documents are started.
    Stopping {
        /// The reason.
        reason: StopReason,
        /// The cause in one line, if an error is the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
    },
    /// An output is written.
    OutputWritten {
        /// The path.
        path: String,
        /// The rows, for a table.
        rows: Option<u64>,
    },
    /// The run has ended.
    RunFinished {
        /// The report.
        report: RunReport,
    },
}
