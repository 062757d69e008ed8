//! The error type of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::text::{self, one_line, printable};

/// The limit on request ids and timestamps of the service, in characters.
const ID_LIMIT: usize = 128;

/// A result with the [`Error`] of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting of the client is missing or invalid. Nothing was sent.
    Config,
    /// An argument of the call is invalid, for example a missing file or a directory in place of a file. Nothing was sent.
    Input,
    /// No access token could be obtained, or the identity provider refused the request.
    Auth,
    /// The service could not be reached. Nothing was sent.
    Connect,
    /// A timeout or deadline expired.
    Timeout,
    /// The connection failed while the request was sent or the response was read.
    Interrupted,
    /// The service responded with an error status.
    Api,
    /// The service responded with content that its document does not describe.
    Decode,
    /// The received bytes do not match the announced length or checksum.
    Integrity,
    /// The operation was accepted but ended without success: see [`crate::wait::WaitError`].
    Operation,
    /// A local file or directory could not be read or written.
    File,
    /// Values could not be converted to the requested type: see [`crate::extract::ExtractError`].
    Extract,
    /// The OpenAPI document of this build lacks the operation, the form or the parameter (`unsupported_by_document`). Nothing was sent.
    UnsupportedByDocument,
}

impl ErrorKind {
    /// Returns the name in lower case, as in spans and metrics (`error.type`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Input => "input",
            Self::Auth => "auth",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Api => "api",
            Self::Decode => "decode",
            Self::Integrity => "integrity",
            Self::Operation => "operation",
            Self::File => "file",
            Self::Extract => "extract",
            Self::UnsupportedByDocument => "unsupported_by_document",
        }
    }
}

/// The timeout that expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutPhase {
    /// Establishing the connection ([`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout)). Nothing was sent.
    Connect,
    /// From the request to the response headers ([`ClientBuilder::attempt_timeout`](crate::ClientBuilder::attempt_timeout)).
    Attempt,
    /// Between two chunks of a body ([`ClientBuilder::idle_timeout`](crate::ClientBuilder::idle_timeout)).
    Idle,
    /// The whole call with all attempts ([`ClientBuilder::operation_timeout`](crate::ClientBuilder::operation_timeout), `with_deadline`).
    Operation,
    /// The response of the identity provider.
    Login,
    /// The deadline of a wait ([`WaitErrorKind::DeadlineExceeded`](crate::wait::WaitErrorKind)).
    Wait,
}

/// The progress of a request before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// No byte of the request reached the service.
    No,
    /// The service stated that it did not process the request: a client error (4xx), or 503 with `Retry-After`.
    Refused,
    /// The service may have received the request, in whole or in part.
    Maybe,
}

/// The error of a call.
///
/// An opaque type with accessors, so that new data never breaks a `match`. [`Display`](fmt::Display) is one line without the source,
/// [`Debug`](fmt::Debug) lists all data line by line; neither ever shows a secret.
///
/// ```
/// # async fn f(client: documine::Client, id: documine::DossierTemplateId) {
/// match client.dossier_template(id).get().await {
///     Ok(template) => println!("{}", template.id),
///     Err(error) if error.is_not_found() => println!("no such template"),
///     Err(error) if error.needs_login() => println!("log in again"),
///     Err(error) => println!("{error}"),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<ErrorDetails>);

#[derive(Clone)]
struct ErrorDetails {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    status: Option<StatusCode>,
    api_message: Option<String>,
    api_timestamp: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    headers: HeaderMap,
    phase: Option<TimeoutPhase>,
    /// Additions of the transport to the message, for example why it did not retry.
    note: Option<String>,
    repeatable: bool,
    body_snippet: Option<String>,
    attempts: u32,
    elapsed: Duration,
    sent: Sent,
    needs_login: bool,
    transient: bool,
    /// The origin that responded after a redirect of the service.
    redirect_origin: Option<String>,
    detail: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorDetails {
            kind,
            message: printable(&message.into()),
            operation: None,
            status: None,
            api_message: None,
            api_timestamp: None,
            request_id: None,
            retry_after: None,
            headers: HeaderMap::new(),
            phase: None,
            note: None,
            repeatable: false,
            body_snippet: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            // Errors of these kinds follow a request; others state explicitly if a request was sent.
            sent: match kind {
                ErrorKind::Api
                | ErrorKind::Decode
                | ErrorKind::Integrity
                | ErrorKind::Interrupted
                | ErrorKind::Operation => Sent::Maybe,
                _ => Sent::No,
            },
            needs_login: false,
            transient: false,
            redirect_origin: None,
            detail: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    pub(crate) fn auth(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Auth, message)
    }

    /// Creates the error of a local file; `what` names the file and the operation. The `std::io::Error` becomes the detail.
    pub(crate) fn file(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::new(ErrorKind::File, format!("{}: {source}", what.into())).with_detail(source)
    }

    /// Sets the more specific error, whose text is part of this error's text.
    pub(crate) fn with_detail(mut self, detail: impl StdError + Send + Sync + 'static) -> Self {
        self.0.detail = Some(Arc::new(detail));
        self
    }

    /// Replaces the message, for an error that becomes the source of this one.
    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = printable(&message.into());
        self
    }

    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        if !operation.is_empty() {
            self.0.operation.get_or_insert(operation);
        }
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_api_message(mut self, message: Option<String>, timestamp: Option<String>) -> Self {
        self.0.api_message = message;
        self.0.api_timestamp = timestamp.map(|text| one_line(&text).chars().take(ID_LIMIT).collect());
        self
    }

    /// Masks secrets in all texts of the response.
    pub(crate) fn mask_secrets(mut self, secrets: &[&str]) -> Self {
        let inner = &mut self.0;
        let optional =
            [&mut inner.api_message, &mut inner.api_timestamp, &mut inner.request_id, &mut inner.body_snippet];
        for text in optional.into_iter().flatten().chain([&mut inner.message]) {
            *text = text::mask_secrets(text, secrets.iter().copied());
        }
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id.map(|text| one_line(&text).chars().take(ID_LIMIT).collect());
        self
    }

    pub(crate) fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.0.retry_after = after;
        self
    }

    pub(crate) fn with_headers(mut self, headers: &HeaderMap) -> Self {
        self.0.headers.clone_from(headers);
        self
    }

    pub(crate) fn with_phase(mut self, phase: TimeoutPhase) -> Self {
        self.0.phase = Some(phase);
        self
    }

    /// Appends a note to the message.
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        let note = printable(&note.into());
        self.0.note = Some(self.0.note.take().map_or_else(|| note.clone(), |before| format!("{before}; {note}")));
        self
    }

    /// Marks the response as that of another origin, to which the service redirected a download.
    pub(crate) fn with_redirect_to(mut self, origin: &str) -> Self {
        self.0.redirect_origin = Some(origin.to_owned());
        self.with_note(format!("the service redirected the download to {origin}"))
    }

    /// Returns whether the service stated that it did not process the request.
    pub(crate) fn was_refused(&self) -> bool {
        self.0.sent == Sent::Refused
    }

    /// Sets whether the method is idempotent (RFC 9110 section 9.2.2).
    pub(crate) fn repeatable(mut self, repeatable: bool) -> Self {
        self.0.repeatable = repeatable;
        self
    }

    pub(crate) fn with_snippet(mut self, snippet: Option<String>) -> Self {
        self.0.body_snippet = snippet;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
    }

    pub(crate) fn with_sent(mut self, sent: Sent) -> Self {
        self.0.sent = sent;
        self
    }

    pub(crate) fn login_needed(mut self) -> Self {
        self.0.needs_login = true;
        self
    }

    pub(crate) fn transient(mut self) -> Self {
        self.0.transient = true;
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the HTTP status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the `message` of the service's error body (published form: `{timestamp, message}`), or its counterpart in the error body of a
    /// framework or gateway.
    ///
    /// The text is unchanged and may contain control characters; [`Display`](fmt::Display) shows none.
    pub fn api_message(&self) -> Option<&str> {
        self.0.api_message.as_deref()
    }

    /// Returns the `timestamp` of the service's error body, a text or a number: one line of at most 128 characters.
    pub fn api_timestamp(&self) -> Option<&str> {
        self.0.api_timestamp.as_deref()
    }

    /// Returns the request id (`X-Request-Id` or `X-Correlation-Id`), if the service sent one. Quote it to support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the pause that the service requested (`Retry-After`, RFC 9110 section 10.2.3).
    ///
    /// While no token can be obtained: the time until the next token request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the headers of the failed response, or an empty map. No text of this error contains them.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Returns the timeout that expired, if one did.
    pub fn timeout_phase(&self) -> Option<TimeoutPhase> {
        self.0.phase
    }

    /// Returns the number of attempts. 0: the call failed before the first attempt.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the time from the start of the call to this error.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Returns the id of the operation in the OpenAPI document, for example `getDossier`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Returns the beginning of a body without a recognised message, at most 512 bytes.
    pub fn body_snippet(&self) -> Option<&str> {
        self.0.body_snippet.as_deref()
    }

    /// Returns whether the service itself responded with `status`, and not the identity provider or an object store.
    fn is_service_status(&self, status: StatusCode) -> bool {
        self.0.kind != ErrorKind::Auth && self.0.redirect_origin.is_none() && self.0.status == Some(status)
    }

    /// Returns true if a timeout or deadline expired.
    ///
    /// # Troubleshooting
    /// [`timeout_phase`](Self::timeout_phase) names the timeout. Raise it for the call (`with_timeout`, `with_deadline`) or for the client (for
    /// example [`ClientBuilder::attempt_timeout`](crate::ClientBuilder::attempt_timeout)), or check for a proxy that delays responses. Check
    /// [`was_sent`](Self::was_sent) before repeating a call that changes something.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Returns true if the service responded with 404: the resource does not exist, or not for this account.
    ///
    /// # Troubleshooting
    /// Check the id and the workspace. A resource in the trash needs `include_soft_deleted`; a package may have expired.
    pub fn is_not_found(&self) -> bool {
        self.is_service_status(StatusCode::NOT_FOUND)
    }

    /// Returns true if the service responded with 401, even to a new token.
    ///
    /// # Troubleshooting
    /// The token may belong to the identity provider of another workspace, or the account may be disabled.
    pub fn is_unauthorized(&self) -> bool {
        self.0.redirect_origin.is_none() && self.0.status == Some(StatusCode::UNAUTHORIZED)
    }

    /// Returns true if the service responded with 409: the state of the resource does not allow the call.
    ///
    /// Examples: an archived dossier, a file that is still analysed, a package that is not ready.
    ///
    /// # Troubleshooting
    /// Wait for the state (`processed()`, `wait()`), or choose another dossier: an archived dossier stays read-only.
    pub fn is_conflict(&self) -> bool {
        self.is_service_status(StatusCode::CONFLICT)
    }

    /// Returns true if the service responded with 429.
    ///
    /// Also true for a rate-limited call that was not sent ([`was_sent`](Self::was_sent) is `false`), because the pause after an earlier 429 exceeds
    /// the time left for the call.
    ///
    /// # Troubleshooting
    /// Wait for [`retry_after`](Self::retry_after) if given, and send fewer requests.
    pub fn is_rate_limited(&self) -> bool {
        self.is_service_status(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns true if the same call may succeed later: connection errors, timeouts, 408, 429, 502, 503, 504.
    ///
    /// # Troubleshooting
    /// Idempotent calls have been retried already. Check [`was_sent`](Self::was_sent) before repeating another call.
    pub fn is_transient(&self) -> bool {
        self.0.transient
            || matches!(self.0.kind, ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted)
            || matches!(self.0.status.map(|s| s.as_u16()), Some(408 | 429 | 502 | 503 | 504))
    }

    /// Returns true if a new login is required: the refresh token is used, revoked or expired, or the credentials are wrong.
    ///
    /// # Troubleshooting
    /// The message contains the reason of the identity provider. Log in again, or use other [`Credentials`](crate::Credentials).
    pub fn needs_login(&self) -> bool {
        self.0.needs_login
    }

    /// Returns true if the OpenAPI document of this build lacks something that the call needs. Nothing was sent.
    ///
    /// Only possible with a document of your own that lacks an operation, never with the document of this crate.
    ///
    /// # Troubleshooting
    /// [`api::document`](documine_api::document) lists the contents of the document. If it has the operation under another path, map the operation
    /// with `cargo xtask regen --map` (in the repository) or `DOCUMINE_OPENAPI_MAPPING` (in your own build).
    pub fn is_unsupported_by_document(&self) -> bool {
        self.0.kind == ErrorKind::UnsupportedByDocument
    }

    /// Returns true if the service may have received the request. `false`: even a creation can be repeated safely.
    ///
    /// # Troubleshooting
    /// If `true` after a timeout, check whether the resource exists before creating it again.
    pub fn was_sent(&self) -> bool {
        self.0.sent != Sent::No
    }

    /// Returns true if repeating the call cannot have an effect twice.
    ///
    /// That is so for idempotent methods (RFC 9110 section 9.2.2), if the service did not receive the request, or if it did not process it: a client
    /// error (4xx), or 503 with `Retry-After`.
    ///
    /// # Troubleshooting
    /// If `false` after the lost response to a creation or an upload, check whether the resource exists. [`is_transient`](Self::is_transient) shows
    /// whether a retry can help.
    pub fn is_safe_to_repeat(&self) -> bool {
        self.0.repeatable || self.0.sent != Sent::Maybe
    }

    /// Returns the more specific error behind this one: a [`WaitError`](crate::wait::WaitError), an [`ExtractError`](crate::extract::ExtractError), or the
    /// `std::io::Error` of a file or connection.
    ///
    /// It is no [`source`](StdError::source), because the message of this error contains its text.
    ///
    /// ```
    /// # fn f(error: &documine::Error) {
    /// if let Some(extract) = error.detail::<documine::extract::ExtractError>() {
    ///     println!("{:?}", extract.component());
    /// }
    /// # }
    /// ```
    pub fn detail<T: StdError + 'static>(&self) -> Option<&T> {
        let detail: &(dyn StdError + 'static) = self.0.detail.as_deref()?;
        detail.downcast_ref()
    }

    /// Finds an error of this crate in another error's chain of sources, for example in that of [`Client::raw`](crate::Client::raw).
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(current) = next {
            // `io::Error` does not return the error it was made from as its source.
            let inner = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            let inner = inner.and_then(|error| error.downcast_ref::<Self>());
            if let Some(found) = inner.or_else(|| current.downcast_ref::<Self>()) {
                return Some(found);
            }
            next = current.source();
        }
        None
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        match &self.0.note {
            Some(note) => write!(f, "{}; {note}", self.0.message.trim_end_matches('.'))?,
            None => f.write_str(&self.0.message)?,
        }
        if let Some(id) = &self.0.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{self}")?;
        writeln!(f, "  kind: {:?}", self.0.kind)?;
        if let Some(status) = self.0.status {
            writeln!(f, "  status: {status}")?;
        }
        if let Some(timestamp) = &self.0.api_timestamp {
            writeln!(f, "  service timestamp: {timestamp}")?;
        }
        if let Some(after) = self.0.retry_after {
            writeln!(f, "  retry after: {after:?}")?;
        }
        if let Some(snippet) = &self.0.body_snippet {
            writeln!(f, "  body snippet: {snippet:?}")?;
        }
        if let Some(phase) = self.0.phase {
            writeln!(f, "  timeout: {phase:?}")?;
        }
        writeln!(f, "  attempts: {}, elapsed: {:?}", self.0.attempts, self.0.elapsed)?;
        writeln!(f, "  was sent: {}, safe to repeat: {}", self.was_sent(), self.is_safe_to_repeat())?;
        Ok(())
    }
}

/// Has no source: the message contains the text of the cause, and [`detail`](Error::detail) returns typed causes.
impl StdError for Error {}

/// Asserts that an error has a message of one line without control characters.
#[cfg(any(test, fuzzing))]
pub(crate) fn assert_one_line(error: &Error) {
    let line = error.to_string();
    assert!(!line.is_empty() && !line.contains(char::is_control), "{line:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_and_debug_lists_all_data() {
        let error = Error::new(ErrorKind::Timeout, "no data received for 1s")
            .with_operation("getDossier")
            .with_request_id(Some("r-1".into()))
            .with_phase(TimeoutPhase::Idle)
            .with_note("not retried")
            .with_attempts(2, Duration::from_secs(3))
            .with_sent(Sent::Maybe);
        assert_eq!(error.to_string(), "getDossier: no data received for 1s; not retried (request r-1)");
        let lines = [
            "getDossier: no data received for 1s; not retried (request r-1)",
            "  kind: Timeout",
            "  timeout: Idle",
            "  attempts: 2, elapsed: 3s",
            "  was sent: true, safe to repeat: false",
            "",
        ];
        assert_eq!(format!("{error:?}"), lines.join("\n"));
    }

    #[test]
    fn finds_an_error_in_a_chain() {
        let inner = Error::input("no such file");
        let outer = std::io::Error::other(inner);
        assert_eq!(Error::find(&outer).map(Error::kind), Some(ErrorKind::Input));
    }
}
