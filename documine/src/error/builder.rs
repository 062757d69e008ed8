//! Builds errors for the unit tests of code that uses this crate.

use std::error::Error as StdError;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::{Error, ErrorKind, Sent, TextCause, TimeoutPhase};
use crate::text::one_line;

/// Builds an [`Error`], for unit tests of your own code.
///
/// Everything that code can branch on can be set. What is not set has the value that a real error of this kind and status has.
///
/// ```
/// use documine::{Error, ErrorKind, http::StatusCode};
///
/// /// The function under test.
/// fn is_worth_a_retry(error: &Error) -> bool {
///     error.is_transient() && error.is_safe_to_repeat()
/// }
///
/// let unavailable = Error::builder(ErrorKind::Api).status(StatusCode::SERVICE_UNAVAILABLE).safe_to_repeat(true).build();
/// assert!(is_worth_a_retry(&unavailable));
/// let missing = Error::builder(ErrorKind::Api).status(StatusCode::NOT_FOUND).api_message("no such dossier").build();
/// assert!(!is_worth_a_retry(&missing) && missing.is_not_found());
/// assert_eq!(missing.to_string(), "404 Not Found: no such dossier");
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build()`"]
pub struct ErrorBuilder {
    error: Error,
    message: Option<String>,
    was_sent: Option<bool>,
    safe_to_repeat: Option<bool>,
}

impl Error {
    /// Starts building an error, for unit tests of your own code: see [`ErrorBuilder`].
    pub fn builder(kind: ErrorKind) -> ErrorBuilder {
        ErrorBuilder { error: Self::new(kind, ""), message: None, was_sent: None, safe_to_repeat: None }
    }
}

impl ErrorBuilder {
    /// Sets the text that says what failed. Default: status and `api_message`, or the name of the kind.
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.message = Some(text.into());
        self
    }

    /// Sets [`Error::operation`], for example `getDossier`.
    pub fn operation(mut self, id: &'static str) -> Self {
        self.error = self.error.with_operation(id);
        self
    }

    /// Sets [`Error::status`].
    pub fn status(mut self, status: StatusCode) -> Self {
        self.error = self.error.with_status(status);
        self
    }

    /// Sets [`Error::api_message`].
    pub fn api_message(mut self, text: impl Into<String>) -> Self {
        self.error.0.api_message = Some(text.into());
        self
    }

    /// Sets [`Error::api_timestamp`].
    pub fn api_timestamp(mut self, text: impl Into<String>) -> Self {
        let message = self.error.0.api_message.take();
        self.error = self.error.with_api_message(message, Some(text.into()));
        self
    }

    /// Sets [`Error::request_id`].
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.error = self.error.with_request_id(Some(id.into()));
        self
    }

    /// Sets [`Error::retry_after`].
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.error = self.error.with_retry_after(Some(pause));
        self
    }

    /// Adds a header to [`Error::headers`].
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.error.0.headers.append(name, value);
        self
    }

    /// Sets [`Error::timeout_phase`].
    pub fn timeout_phase(mut self, phase: TimeoutPhase) -> Self {
        self.error = self.error.with_phase(phase);
        self
    }

    /// Sets [`Error::body_snippet`].
    pub fn body_snippet(mut self, text: impl Into<String>) -> Self {
        self.error = self.error.with_snippet(Some(text.into()));
        self
    }

    /// Sets [`Error::attempts`] and [`Error::elapsed`]. Default: 0 and zero.
    pub fn attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.error = self.error.with_attempts(attempts, elapsed);
        self
    }

    /// Sets [`Error::was_sent`]. Default: as for real errors of the kind and status.
    pub fn was_sent(mut self, sent: bool) -> Self {
        self.was_sent = Some(sent);
        self
    }

    /// Sets [`Error::is_safe_to_repeat`]. Default: true if the request was not sent, or was rejected with a client error (4xx) or with 503 and
    /// [`retry_after`](Self::retry_after).
    ///
    /// An error that was not sent is always safe to repeat.
    pub fn safe_to_repeat(mut self, safe: bool) -> Self {
        self.safe_to_repeat = Some(safe);
        self
    }

    /// Sets [`Error::needs_login`]. Default: `false`.
    pub fn needs_login(mut self, needed: bool) -> Self {
        self.error.0.needs_login = needed;
        self
    }

    /// Sets [`Error::is_transient`] for a kind and status that do not make an error transient on their own, for example a `Retry-After` of the
    /// identity provider. Default: `false`.
    pub fn transient(mut self, transient: bool) -> Self {
        self.error.0.transient = transient;
        self
    }

    /// Sets the [`source`](StdError::source).
    pub fn source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.error = self.error.with_source(source);
        self
    }

    /// Sets a text as the [`source`](StdError::source).
    pub fn source_text(mut self, text: impl Into<String>) -> Self {
        self.error = self.error.with_source(TextCause::new(text));
        self
    }

    /// Builds the error.
    pub fn build(self) -> Error {
        let Self { mut error, message, was_sent, safe_to_repeat } = self;
        let details = &mut error.0;
        let default_message = || match (details.status, &details.api_message) {
            (Some(status), Some(message)) => format!("{status}: {}", one_line(message)),
            (Some(status), None) => format!("{status} without a message"),
            (None, Some(message)) => one_line(message),
            (None, None) => details.kind.name().replace('_', " "),
        };
        details.message = crate::text::printable(&message.unwrap_or_else(default_message));
        if let (ErrorKind::Api, Some(status)) = (details.kind, details.status) {
            details.sent = Sent::by_status(status, details.retry_after);
        }
        // Only a connection that was not established in time certainly sent nothing.
        if details.kind == ErrorKind::Timeout && details.phase != Some(TimeoutPhase::Connect) {
            details.sent = Sent::Maybe;
        }
        match (was_sent, details.sent) {
            (Some(false), _) => details.sent = Sent::No,
            (Some(true), Sent::No) => details.sent = Sent::Maybe,
            _ => {}
        }
        match safe_to_repeat {
            Some(true) => details.repeatable = true,
            Some(false) if details.sent == Sent::Refused => details.sent = Sent::Maybe,
            _ => {}
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(builder: ErrorBuilder) -> [bool; 2] {
        let error = builder.build();
        [error.was_sent(), error.is_safe_to_repeat()]
    }

    #[test]
    fn defaults_are_those_of_real_errors() {
        let api = |status| Error::builder(ErrorKind::Api).status(status);
        assert_eq!(flags(Error::builder(ErrorKind::Connect)), [false, true]);
        assert_eq!(flags(Error::builder(ErrorKind::Interrupted)), [true, false]);
        assert_eq!(flags(api(StatusCode::CONFLICT)), [true, true]);
        assert_eq!(flags(api(StatusCode::SERVICE_UNAVAILABLE)), [true, false]);
        assert_eq!(flags(api(StatusCode::SERVICE_UNAVAILABLE).retry_after(Duration::ZERO)), [true, true]);
    }

    #[test]
    fn explicit_values_take_precedence() {
        let conflict = || Error::builder(ErrorKind::Api).status(StatusCode::CONFLICT);
        assert_eq!(flags(conflict().was_sent(false)), [false, true]);
        assert_eq!(flags(conflict().safe_to_repeat(false)), [true, false]);
        assert_eq!(flags(Error::builder(ErrorKind::Timeout).was_sent(true)), [true, false]);
        assert_eq!(flags(Error::builder(ErrorKind::Interrupted).safe_to_repeat(true)), [true, true]);
    }

    #[test]
    fn sets_every_getter() {
        let second = Duration::from_secs(1);
        let error = Error::builder(ErrorKind::Timeout)
            .message("no\nresponse")
            .operation("getDossier")
            .status(StatusCode::GATEWAY_TIMEOUT)
            .api_message("late")
            .api_timestamp("2026")
            .request_id("r-1")
            .retry_after(second)
            .header(http::header::SERVER, HeaderValue::from_static("nginx"))
            .timeout_phase(TimeoutPhase::Attempt)
            .body_snippet("<html>")
            .attempts(3, 2 * second)
            .needs_login(true)
            .source_text("cause")
            .build();
        assert_eq!(error.to_string(), "getDossier: no response (request r-1)");
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, Some("getDossier")));
        assert_eq!((error.status(), error.api_message()), (Some(StatusCode::GATEWAY_TIMEOUT), Some("late")));
        assert_eq!((error.api_timestamp(), error.request_id()), (Some("2026"), Some("r-1")));
        assert_eq!((error.retry_after(), error.headers()["server"].as_bytes()), (Some(second), &b"nginx"[..]));
        assert_eq!((error.timeout_phase(), error.body_snippet()), (Some(TimeoutPhase::Attempt), Some("<html>")));
        assert_eq!((error.attempts(), error.elapsed()), (3, 2 * second));
        assert!(error.needs_login() && error.is_transient());
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("cause"));
        assert!(Error::builder(ErrorKind::Auth).transient(true).build().is_transient());
    }
}
