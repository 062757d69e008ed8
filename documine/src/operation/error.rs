//! The error of a wait that ended early.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::error::{Error, ErrorKind, TimeoutPhase};
use crate::text::{one_line, printable};

/// The reason why a wait ended before its condition held.
///
/// Reports the last state, the elapsed time and the number of polls.
#[derive(Debug, Clone)]
pub struct WaitError(Box<WaitErrorDetails>);

#[derive(Debug, Clone)]
struct WaitErrorDetails {
    kind: WaitErrorKind,
    report: WaitReport,
    /// The service's reason for failed work.
    message: Option<String>,
    /// The error of a failed poll.
    source: Option<Error>,
}

/// The progress of a wait at its end.
#[derive(Debug, Clone)]
pub(super) struct WaitReport {
    pub(super) target: String,
    pub(super) id: String,
    pub(super) last_state: Option<String>,
    pub(super) unchanged_for: Duration,
    pub(super) elapsed: Duration,
    pub(super) polls: u32,
}

/// The kind of a [`WaitError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitErrorKind {
    /// The work failed; see [`WaitError::message`].
    Failed,
    /// The deadline passed. Processing continues on the server: wait again, or poll later.
    DeadlineExceeded,
    /// The state did not change for the limit of [`Wait::with_stall_timeout`](crate::wait::Wait::with_stall_timeout).
    Stalled,
    /// The service does not know the id (any more): deleted, expired or never created.
    Gone,
    /// A poll failed with a permanent error, which is the [`source`](std::error::Error::source).
    Poll,
}

impl WaitError {
    pub(super) fn new(kind: WaitErrorKind, report: WaitReport) -> Self {
        Self(Box::new(WaitErrorDetails { kind, report, message: None, source: None }))
    }

    pub(super) fn failed(report: WaitReport, message: String) -> Self {
        Self(Box::new(WaitErrorDetails { kind: WaitErrorKind::Failed, report, message: Some(message), source: None }))
    }

    pub(super) fn poll(report: WaitReport, error: Error) -> Self {
        Self(Box::new(WaitErrorDetails { kind: WaitErrorKind::Poll, report, message: None, source: Some(error) }))
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> WaitErrorKind {
        self.0.kind
    }

    /// Returns the name of the work, for example `package 1b2c…`.
    pub fn target(&self) -> &str {
        &self.0.report.target
    }

    /// Returns the id of the file, dossier or package.
    pub fn id(&self) -> &str {
        &self.0.report.id
    }

    /// Returns the last state in the service's own word, as one line; `None` if no poll succeeded.
    pub fn last_state(&self) -> Option<&str> {
        self.0.report.last_state.as_deref()
    }

    /// Returns the service's reason for failed work; `None` for every other kind.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the time since the last change of the state. A time much longer than usual indicates stalled work rather than slow work.
    pub fn unchanged_for(&self) -> Duration {
        self.0.report.unchanged_for
    }

    /// Returns the duration of the wait.
    pub fn elapsed(&self) -> Duration {
        self.0.report.elapsed
    }

    /// Returns the number of polls, including those shared with other waits.
    pub fn polls(&self) -> u32 {
        self.0.report.polls
    }

    /// Returns the error of the failed poll; `None` for every other kind.
    pub fn poll_error(&self) -> Option<&Error> {
        self.0.source.as_ref()
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WaitReport { target, unchanged_for, elapsed, polls, .. } = &self.0.report;
        let state = self.last_state().unwrap_or("unknown");
        let polls = format!("{polls} poll{}", if *polls == 1 { "" } else { "s" });
        let line = match self.kind() {
            WaitErrorKind::Failed => {
                format!("{target} ended in state {state}: {}", one_line(self.message().unwrap_or_default()))
            }
            WaitErrorKind::DeadlineExceeded => format!(
                "timed out after {elapsed:.0?} ({polls}) waiting for {target}; last state: {state}; \
                 processing continues on the server, wait again with a later deadline"
            ),
            WaitErrorKind::Stalled => format!(
                "{target} stalled: no change for {unchanged_for:.0?} ({polls}); last state: {state}; \
                 contact the operators of the service, or raise the stall limit"
            ),
            WaitErrorKind::Gone => format!("{target} no longer exists; last state: {state}"),
            WaitErrorKind::Poll => format!("failed to read the state of {target}"),
        };
        // Ids and states are the service's texts.
        f.write_str(&printable(&line))
    }
}

impl std::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.poll_error().map(|error| error as _)
    }
}

impl From<WaitError> for Error {
    fn from(error: WaitError) -> Self {
        if let Some(poll_error) = error.poll_error() {
            return poll_error.clone();
        }
        let text = error.to_string();
        let outer = match error.kind() {
            WaitErrorKind::DeadlineExceeded => Self::new(ErrorKind::Timeout, text).with_phase(TimeoutPhase::Wait),
            WaitErrorKind::Gone => Self::new(ErrorKind::Operation, text).with_status(StatusCode::NOT_FOUND),
            WaitErrorKind::Failed | WaitErrorKind::Stalled | WaitErrorKind::Poll => {
                Self::new(ErrorKind::Operation, text)
            }
        };
        outer.with_detail(error)
    }
}
