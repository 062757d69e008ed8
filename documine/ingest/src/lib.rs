//! Batch processing for DocuMine, on the crate `documine`.
//!
#![doc = include_str!("../docs/thousands_of_documents.md")]

// Layers, from top to bottom. A module imports modules of lower layers only.
//
//   stream              typed values of a run
//   ingest              builder of a run
//   engine              drives all documents on this machine
//   event  report_of_run
//   outputs             what is written from a journal
//   report  table  diff
//   step                execution of one step
//   source  journal  budget
//   flow                the steps of a document, without I/O
//   document  error  text                                                ground
mod budget;
pub mod diff;
mod document;
mod engine;
mod error;
mod event;
mod flow;
mod ingest;
pub mod journal;
mod outputs;
mod progress;
#[cfg(feature = "report")]
mod report;
mod report_of_run;
pub mod source;
mod staged;
pub mod step;
mod stream;
pub mod table;
mod text;

pub use diff::Difference;
pub use document::{DocumentRecord, DocumentState, Failure, ListedDocument, Step, Times};
pub use engine::Limits;
pub use error::{Error, ErrorKind, Result};
pub use event::{EVENT_VERSION, Event};
pub use flow::{FlowOptions, FlowState, Job, JobId, Next, StepInput, StepOutput};
pub use ingest::{Ingest, Plan, Target};
pub use outputs::{Outputs, WrittenOutput, export};
pub use progress::Progress;
#[cfg(feature = "report")]
pub use report::{Report, WrittenReport};
pub use report_of_run::{FailedDocument, RunCounts, RunReport, Verdict};
pub use step::{BoxError, DocumentSink, RecordStore, StopReason};
pub use stream::{TypedDocument, TypedDocuments};
