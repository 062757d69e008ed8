//! The error of a wait that ended early.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::open_files::OpenFiles;
use crate::error::{Error, ErrorKind, Sent, TimeoutPhase};
use crate::models::FileStatus;
use crate::text::{one_line, printable};

/// The reason why a wait ended before its condition held.
///
/// Reports the last state, the elapsed time and the number of polls.
///
/// `?` converts it into an [`Error`] with the same data: [`elapsed`](Error::elapsed) is the duration of the wait, [`attempts`](Error::attempts) is
/// the number of polls, and operation, request id and `Retry-After` are those of the failed poll, if there is one. The `WaitError` remains
/// available from [`Error::detail`].
#[derive(Debug, Clone)]
pub struct WaitError(Box<WaitErrorDetails>);

#[derive(Debug, Clone)]
struct WaitErrorDetails {
    kind: WaitErrorKind,
    report: WaitReport,
    failure: Option<WorkFailure>,
}

/// The progress of a wait at its end.
#[derive(Debug, Clone)]
pub(super) struct WaitReport {
    pub(super) target: String,
    pub(super) id: String,
    pub(super) last_state: Option<String>,
    /// The files that were not processed at the last successful poll, if the wait ended at its deadline or stalled.
    pub(super) open_files: OpenFiles,
    pub(super) unchanged_for: Duration,
    pub(super) elapsed: Duration,
    pub(super) polls: u32,
    /// The error of the last poll, if it failed.
    pub(super) poll_error: Option<Error>,
}

/// The end of failed work.
#[derive(Clone)]
pub(crate) struct WorkFailure {
    /// The service's name of the state.
    pub(crate) state: String,
    /// The service's reason.
    pub(crate) message: String,
    /// The failed files; empty for a package.
    pub(crate) files: Vec<FileStatus>,
}

impl fmt::Debug for WorkFailure {
    /// Counts the files, because a dossier may have thousands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("WorkFailure");
        fields.field("state", &self.state).field("message", &self.message).field("files", &self.files.len()).finish()
    }
}

/// The kind of a [`WaitError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitErrorKind {
    /// The work failed; see [`WaitError::message`] and [`WaitError::failed_files`].
    Failed,
    /// The deadline passed. Processing continues on the server: wait again, or poll later. See [`WaitError::unfinished_files`].
    DeadlineExceeded,
    /// The state did not change for the time of [`Wait::with_stall_timeout`](crate::wait::Wait::with_stall_timeout). See
    /// [`WaitError::unfinished_files`].
    Stalled,
    /// The service does not know the id (any more): deleted, expired or never created.
    Gone,
    /// A poll failed; [`WaitError::poll_error`] is the error. Only [`Wait::poll_once`](crate::wait::Wait::poll_once) reports temporary errors.
    Poll,
}

impl WaitError {
    pub(super) fn new(kind: WaitErrorKind, report: WaitReport) -> Self {
        Self(Box::new(WaitErrorDetails { kind, report, failure: None }))
    }

    pub(super) fn failed(report: WaitReport, failure: WorkFailure) -> Self {
        Self(Box::new(WaitErrorDetails { kind: WaitErrorKind::Failed, report, failure: Some(failure) }))
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
    ///
    /// `settling` if the condition held, but not for the time of [`Wait::stable_for`](crate::wait::Wait::stable_for).
    pub fn last_state(&self) -> Option<&str> {
        self.0.report.last_state.as_deref()
    }

    /// Returns the service's reason for failed work; `None` for every other kind. For a dossier, the reasons of the first failed files.
    pub fn message(&self) -> Option<&str> {
        self.0.failure.as_ref().map(|failure| failure.message.as_str())
    }

    /// Returns the statuses of the failed files: all of a dossier, or the one of a wait for a file. Empty for a package.
    ///
    /// Of a wait that ended at its deadline or stalled, these are the files that had failed by the last successful poll. Empty for
    /// [`Gone`](WaitErrorKind::Gone) and [`Poll`](WaitErrorKind::Poll).
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// if let Err(error) = dossier.wait_until_processed().await {
    ///     for file in error.failed_files() {
    ///         println!("{:?}: {:?}", file.file_name, file.error_message);
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn failed_files(&self) -> &[FileStatus] {
        self.0.failure.as_ref().map_or(&self.0.report.open_files.failed, |failure| &failure.files)
    }

    /// Returns the statuses of the files that were neither processed nor failed at the last successful poll, if the wait ended at its deadline or
    /// stalled. Empty for a package, for every other kind, and if no poll succeeded.
    ///
    /// The text of the error names three of them. Deleted files and files excluded from the analysis are omitted.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// if let Err(error) = dossier.wait_until_processed().await {
    ///     for file in error.unfinished_files() {
    ///         println!("{:?}: still {:?}", file.file_name, file.processing_status);
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn unfinished_files(&self) -> &[FileStatus] {
        &self.0.report.open_files.unfinished
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

    /// Returns the error of the last poll, if it failed. A wait that ends at its deadline during an outage contains the temporary error.
    pub fn poll_error(&self) -> Option<&Error> {
        self.0.report.poll_error.as_ref()
    }

    /// Returns true if another wait or poll may succeed: the deadline passed, or a poll failed with a temporary error.
    pub fn is_transient(&self) -> bool {
        match self.kind() {
            WaitErrorKind::DeadlineExceeded => true,
            WaitErrorKind::Poll => self.poll_error().is_some_and(Error::is_transient),
            WaitErrorKind::Failed | WaitErrorKind::Stalled | WaitErrorKind::Gone => false,
        }
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WaitReport { target, unchanged_for, elapsed, polls, open_files, .. } = &self.0.report;
        let state = self.last_state().unwrap_or("unknown");
        let polls = format!("{polls} poll{}", if *polls == 1 { "" } else { "s" });
        let unfinished = open_files.names().map(|names| format!("; unfinished: {names}")).unwrap_or_default();
        let line = match self.kind() {
            WaitErrorKind::Failed => {
                format!("{target} ended in state {state}: {}", one_line(self.message().unwrap_or_default()))
            }
            WaitErrorKind::DeadlineExceeded => format!(
                "timed out after {elapsed:.0?} ({polls}) waiting for {target}; last state: {state}{unfinished}; \
                 processing continues on the server, wait again with a later deadline"
            ),
            WaitErrorKind::Stalled => format!(
                "{target} stalled: no change for {unchanged_for:.0?} ({polls}); last state: {state}{unfinished}; \
                 raise the stall timeout if the work is only slow, or contact the operators of the service"
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
        // A poll changes nothing, so a wait can always be repeated.
        let new = |kind| Self::new(kind, error.to_string()).with_sent(Sent::Maybe).repeatable(true);
        let poll_error = error.poll_error();
        let converted = match (error.kind(), poll_error) {
            (WaitErrorKind::Poll, Some(poll_error)) => poll_error.clone().with_message(error.to_string()),
            (WaitErrorKind::DeadlineExceeded, _) => new(ErrorKind::Timeout).with_phase(TimeoutPhase::Wait),
            (WaitErrorKind::Gone, _) => new(ErrorKind::Operation).with_status(StatusCode::NOT_FOUND),
            (WaitErrorKind::Failed | WaitErrorKind::Stalled | WaitErrorKind::Poll, _) => new(ErrorKind::Operation),
        };
        converted
            .with_operation(poll_error.and_then(Self::operation).unwrap_or_default())
            .with_request_id(poll_error.and_then(Self::request_id).map(str::to_owned))
            .with_retry_after(poll_error.and_then(Self::retry_after))
            .with_attempts(error.polls(), error.elapsed())
            .with_detail(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn report(poll_error: Option<Error>) -> WaitReport {
        WaitReport {
            target: "file f-1".into(),
            id: "f-1".into(),
            last_state: Some("ANALYSE".into()),
            open_files: OpenFiles::default(),
            unchanged_for: SECOND,
            elapsed: SECOND * 90,
            polls: 7,
            poll_error,
        }
    }

    fn throttled() -> Error {
        Error::new(ErrorKind::Api, "429 Too Many Requests")
            .with_status(StatusCode::TOO_MANY_REQUESTS)
            .with_operation("getFile")
            .with_request_id(Some("r-1".into()))
            .with_retry_after(Some(SECOND * 30))
            .with_attempts(4, SECOND)
            .repeatable(true)
    }

    fn failure() -> WorkFailure {
        WorkFailure { state: "ERROR".into(), message: "the scanner was dirty".into(), files: Vec::new() }
    }

    #[test]
    fn conversion_keeps_duration_polls_and_the_wait_error_of_every_kind() {
        let cases = [
            (WaitError::failed(report(None), failure()), ErrorKind::Operation, None),
            (WaitError::new(WaitErrorKind::Stalled, report(None)), ErrorKind::Operation, None),
            (WaitError::new(WaitErrorKind::Gone, report(None)), ErrorKind::Operation, None),
            (
                WaitError::new(WaitErrorKind::DeadlineExceeded, report(None)),
                ErrorKind::Timeout,
                Some(TimeoutPhase::Wait),
            ),
            (WaitError::new(WaitErrorKind::Poll, report(Some(throttled()))), ErrorKind::Api, None),
            (WaitError::new(WaitErrorKind::Poll, report(None)), ErrorKind::Operation, None),
        ];
        for (wait_error, kind, phase) in cases {
            let error = Error::from(wait_error.clone());
            assert_eq!((error.kind(), error.timeout_phase()), (kind, phase), "{wait_error}");
            assert_eq!((error.elapsed(), error.attempts()), (SECOND * 90, 7), "{wait_error}");
            assert_eq!(error.is_not_found(), wait_error.kind() == WaitErrorKind::Gone, "{wait_error}");
            assert_eq!(error.is_transient(), wait_error.is_transient(), "{wait_error}");
            assert!(error.was_sent() && error.is_safe_to_repeat(), "{wait_error}");
            let detail = error.detail::<WaitError>();
            assert_eq!(detail.map(WaitError::kind), Some(wait_error.kind()), "{wait_error}");
        }
    }

    #[test]
    fn conversion_keeps_operation_request_id_and_retry_after_of_the_failed_poll() {
        for kind in [WaitErrorKind::Poll, WaitErrorKind::DeadlineExceeded, WaitErrorKind::Gone, WaitErrorKind::Stalled]
        {
            let error = Error::from(WaitError::new(kind, report(Some(throttled()))));
            let data = (error.operation(), error.request_id(), error.retry_after());
            assert_eq!(data, (Some("getFile"), Some("r-1"), Some(SECOND * 30)), "{kind:?}");
            let poll_error = error.detail::<WaitError>().and_then(WaitError::poll_error);
            assert_eq!(poll_error.map(Error::attempts), Some(4), "{kind:?}");
        }
        let error = Error::from(WaitError::new(WaitErrorKind::Poll, report(Some(throttled()))));
        assert!(error.is_rate_limited() && error.is_transient());
        assert_eq!(error.to_string(), "getFile: failed to read the state of file f-1 (request r-1)");
    }

    #[test]
    fn a_poll_that_timed_out_keeps_its_phase() {
        let timeout = Error::new(ErrorKind::Timeout, "no data").with_phase(TimeoutPhase::Idle);
        let error = Error::from(WaitError::new(WaitErrorKind::Poll, report(Some(timeout))));
        assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Idle)));
    }
}
