//! Record and replay: the exchanges with any service in a file without secrets, served again without the service.
//!
//! [`Recorder`] forwards requests to a service and appends each exchange to a file (`redact` removes secrets first). [`Replay`] serves the file.
//! [`Recording`] reads it, for another player.

mod format;
mod local_server;
mod recorder;
mod redact;
mod replay;

pub use format::{RecordError, RecordedBodies, RecordedBody, RecordedExchange, RecordedJson, Recording};
pub use recorder::{Recorder, RecorderBuilder};
pub use replay::Replay;
