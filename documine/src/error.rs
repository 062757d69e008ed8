//! The error type of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::text::{self, one_line, printable};

mod builder;
mod web_status;

pub use builder::ErrorBuilder;

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

impl Sent {
    /// Returns the progress of a request to which the service responded with an error status.
    pub(crate) fn by_status(status: StatusCode, retry_after: Option<Duration>) -> Self {
        // RFC 9110 section 15.6.4: unavailable, with the time of recovery. Other server errors may occur in the middle of the work.
        let unavailable = status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some();
        if status.is_client_error() || unavailable { Self::Refused } else { Self::Maybe }
    }
}

/// The error of a call.
///
/// An opaque type with accessors, so that new data never breaks a `match`. No form ever shows a secret:
///
/// | form | text |
/// |---|---|
/// | `{error}` | one line: the operation, what failed, and advice. The text of the [`source`](StdError::source) is not repeated. |
/// | `{error:#}` | the same line with the texts of all sources, for logs without a chain of causes |
/// | `{error:?}` | all data line by line, as `fn main() -> documine::Result<()>` prints it |
///
/// ```
/// # async fn f(client: documine::Client, id: documine::DossierTemplateId) {
/// match client.dossier_template(id).get().await {
///     Ok(template) => println!("{}", template.id),
///     Err(error) if error.is_not_found() => println!("no such template"),
///     Err(error) if error.needs_login() => println!("log in again"),
///     Err(error) => println!("{error:#}"),
/// }
/// # }
/// ```
///
/// # Sources
///
/// [`source`](StdError::source) returns the cause, and [`detail`](Self::detail) finds a cause by its type:
///
/// | kind | source |
/// |---|---|
/// | [`Connect`](ErrorKind::Connect), [`Interrupted`](ErrorKind::Interrupted), [`Timeout`](ErrorKind::Timeout) of a connection | `std::io::Error`, for example of the socket or of the TLS handshake; otherwise the text of the HTTP library |
/// | [`File`](ErrorKind::File) | `std::io::Error` |
/// | [`Decode`](ErrorKind::Decode) | the text of the JSON decoder |
/// | [`Operation`](ErrorKind::Operation), `Timeout` of a wait | [`WaitError`](crate::wait::WaitError) |
/// | [`Extract`](ErrorKind::Extract) | [`ExtractError`](crate::extract::ExtractError) |
/// | others | none: the message is complete |
///
/// # HTTP statuses for a web service
///
/// A web service that calls this crate for its own clients can respond with these statuses; the first row that applies counts.
/// [`suggested_status`](Self::suggested_status) implements the table.
///
/// | error | status of the web service | remark |
/// |---|---|---|
/// | `is_rate_limited()` | 429 | pass on [`retry_after`](Self::retry_after) as `Retry-After` |
/// | `is_not_found()` | 404 | |
/// | `is_conflict()` | 409 | |
/// | `is_forbidden()` | 403 | |
/// | `needs_login()` | 401 | if the login belongs to the client of the web service; 502 for a service account |
/// | `is_unauthorized()` | 401 | as above |
/// | `is_timeout()` | 504 | |
/// | `is_transient()` | 503 | pass on [`retry_after`](Self::retry_after), if given |
/// | `ErrorKind::Input` | 400 | |
/// | `ErrorKind::Extract` | 422 | the document lacks the values that the type needs |
/// | `ErrorKind::Config` | 500 | |
/// | `ErrorKind::File` | 500 | |
/// | `ErrorKind::UnsupportedByDocument` | 500 | |
/// | any other | 502 | |
///
/// ```
/// # use documine::http::{Response, header};
/// fn respond(error: &documine::Error) -> Response<String> {
///     let mut response = Response::builder().status(error.suggested_status());
///     if let Some(pause) = error.retry_after() {
///         // Rounded up: a client that comes back early is refused again.
///         response = response.header(header::RETRY_AFTER, pause.as_secs_f64().ceil() as u64);
///     }
///     // The text may name ids and files of the service, so it stays in the log.
///     eprintln!("{error:#}");
///     response.body("the documents are not available".to_owned()).unwrap_or_default()
/// }
/// # use documine::{Error, ErrorKind};
/// # let throttled = Error::builder(ErrorKind::Api).status(documine::http::StatusCode::TOO_MANY_REQUESTS);
/// # let response = respond(&throttled.retry_after(std::time::Duration::from_millis(1500)).build());
/// # assert_eq!((response.status().as_u16(), &response.headers()[header::RETRY_AFTER]), (429, &"2".parse().unwrap()));
/// ```
#[derive(Clone)]
pub struct Error(Box<ErrorDetails>);

#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent facts about one failure")]
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
    /// True if the download exceeded the limit of the caller; the received bytes are valid.
    exceeds_limit: bool,
    /// The more specific error that this error was made from.
    detail: Option<Arc<dyn StdError + Send + Sync>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// A cause that is kept as text, for example because its own type would show a URL.
#[derive(Debug)]
pub(crate) struct TextCause(String);

impl TextCause {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(printable(&text.into()))
    }
}

impl fmt::Display for TextCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for TextCause {}

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
            exceeds_limit: false,
            detail: None,
            source: None,
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

    /// Creates the error of a local file; `what` names the file and the operation. The `std::io::Error` becomes the source.
    pub(crate) fn file(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::new(ErrorKind::File, with_reason(&what.into(), io_reason(&source))).with_io_source(source)
    }

    /// Sets the cause, whose text the message does not repeat.
    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Sets an I/O error as the source, unless the message already contains all of it.
    pub(crate) fn with_io_source(self, source: std::io::Error) -> Self {
        let text = source.to_string();
        match text.split_once(TEMPORARY_PATH) {
            _ if is_text_only(&source) => self,
            Some((text, _)) => self.with_source(std::io::Error::new(source.kind(), TextCause::new(text))),
            None => self.with_source(source),
        }
    }

    /// Sets the more specific error that this error was made from and whose text the message is. Its source becomes the source.
    pub(crate) fn with_detail(mut self, detail: impl StdError + Send + Sync + 'static) -> Self {
        self.0.detail = Some(Arc::new(detail));
        self.0.source = None;
        self
    }

    /// Replaces the first part of the message, for a caller that knows better which request failed.
    pub(crate) fn with_subject(mut self, what: &str) -> Self {
        let io_error = self.0.source.as_deref().and_then(|source| source.downcast_ref::<std::io::Error>());
        self.0.message = match (&self.0.source, io_error) {
            (Some(_), error) => with_reason(what, error.and_then(io_reason)),
            (None, _) => format!("{what}: {}", self.0.message),
        };
        self
    }

    /// Marks a download that exceeds the limit of the caller. The received bytes are valid.
    pub(crate) fn with_limit_exceeded(mut self) -> Self {
        self.0.exceeds_limit = true;
        self
    }

    /// Returns whether a download exceeded the limit of the caller.
    pub(crate) fn exceeds_limit(&self) -> bool {
        self.0.exceeds_limit
    }

    /// Returns the progress of the request.
    pub(crate) fn sent(&self) -> Sent {
        self.0.sent
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

    /// Replaces the operation, for an error of a request that was part of it.
    pub(crate) fn for_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
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

    /// Returns true if the service responded with 403: the account lacks the permission for the call.
    ///
    /// # Troubleshooting
    /// An administrator of the workspace can grant the role that the call needs. A new login does not help.
    pub fn is_forbidden(&self) -> bool {
        self.is_service_status(StatusCode::FORBIDDEN)
    }

    /// Returns true if the service responded with 409: the state of the resource does not allow the call.
    ///
    /// Examples: an archived dossier, a file that is still analysed, a package that is not ready.
    ///
    /// # Troubleshooting
    /// Wait for the state (`wait_until_processed()`, `wait()`), or choose another dossier: an archived dossier stays read-only.
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

    /// Finds the more specific error of this type that this error was made from, or a cause among the [sources](StdError::source): a [`WaitError`](crate::wait::WaitError), an
    /// [`ExtractError`](crate::extract::ExtractError), or the `std::io::Error` of a file or connection.
    ///
    /// ```
    /// # fn f(error: &documine::Error) {
    /// if let Some(extract) = error.detail::<documine::extract::ExtractError>() {
    ///     println!("{:?}", extract.component());
    /// }
    /// # }
    /// ```
    pub fn detail<T: StdError + 'static>(&self) -> Option<&T> {
        let own = self.0.detail.as_deref().and_then(|detail| (detail as &(dyn StdError + 'static)).downcast_ref());
        own.or_else(|| self.sources().find_map(|source| source.downcast_ref()))
    }

    /// Returns the chain of sources, outermost first.
    fn sources(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        std::iter::successors(self.source(), |error: &&(dyn StdError + 'static)| (*error).source())
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
        let message = self.0.message.as_str();
        if f.alternate() {
            let sources: Vec<_> = self.sources().map(|source| printable(&source.to_string())).collect();
            let head = without_repetition(message, sources.first().map_or("", String::as_str));
            let parts: Vec<_> = [head].into_iter().chain(sources.iter().map(String::as_str)).collect();
            f.write_str(parts.join(": ").trim_start_matches(": "))?;
        } else if self.0.note.is_some() {
            f.write_str(message.trim_end_matches('.'))?;
        } else {
            f.write_str(message)?;
        }
        if let Some(note) = &self.0.note {
            write!(f, "; {note}")?;
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
        for source in self.sources() {
            writeln!(f, "  source: {}", printable(&source.to_string()))?;
        }
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

impl StdError for Error {
    /// Returns the cause, if it says more than the message; see [Sources](Error#sources).
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let own = self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static));
        own.or_else(|| self.0.detail.as_deref()?.source())
    }
}

/// Returns the part of a message that its source does not repeat: nothing if the source continues the message, everything but the reason if the
/// source is the same reason in the words of the system.
fn without_repetition<'a>(message: &'a str, source: &str) -> &'a str {
    let source = source.to_lowercase();
    let is_repeated = |part: &str| source.starts_with(&part.to_lowercase());
    match message.rsplit_once(": ") {
        _ if source.is_empty() => message,
        _ if is_repeated(message) => "",
        Some((head, reason)) if is_repeated(reason) => head,
        _ => message,
    }
}

/// Appends the reason of a failure to the text that says what failed.
pub(crate) fn with_reason(what: &str, reason: Option<String>) -> String {
    match reason {
        Some(reason) => format!("{what}: {reason}"),
        None => what.to_owned(),
    }
}

/// The text before the path of a temporary file, which tempfile appends to errors. The path is meaningless to a caller.
const TEMPORARY_PATH: &str = " at path ";

/// Returns a short reason of an I/O error by its kind, the same on every system; `None` if its kind says nothing.
///
/// Messages contain the reason, while the text of the system stays in the source of the error.
pub(crate) fn io_reason(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind as Kind;
    if is_text_only(error) {
        return Some(error.to_string());
    }
    let known = match error.kind() {
        Kind::Other => return None,
        Kind::NotFound => "no such file or directory",
        Kind::AlreadyExists => "file exists",
        Kind::StorageFull => "no space left",
        kind => {
            let text = kind.to_string();
            // The standard library has no name for this error of the system.
            return (text != "uncategorized error").then_some(text);
        }
    };
    Some(known.to_owned())
}

/// Returns whether an I/O error was made from a text, so that there is no cause behind it. The type of such a payload is private to the
/// standard library, and formats itself as the text in quotes.
fn is_text_only(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|payload| format!("{payload:?}") == format!("{:?}", payload.to_string()))
}

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
    fn display_omits_the_source_and_the_alternate_form_includes_it_once() {
        let full = std::io::Error::from_raw_os_error(28);
        let text = full.to_string();
        let error = Error::file("cannot write a.zip", full).with_note("free space");
        #[cfg(target_os = "linux")]
        assert_eq!(error.to_string(), "cannot write a.zip: no space left; free space");
        assert!(format!("{error:#}").ends_with(&format!(": {text}; free space")), "{error:#}");

        // The text of the system and the reason are the same words.
        let denied =
            std::io::Error::new(std::io::ErrorKind::PermissionDenied, TextCause::new("Permission denied (13)"));
        let error = Error::file("cannot read a.pdf", denied);
        assert_eq!(error.to_string(), "cannot read a.pdf: permission denied");
        assert_eq!(format!("{error:#}"), "cannot read a.pdf: Permission denied (13)");
        assert!(format!("{error:?}").contains("\n  source: Permission denied (13)\n"), "{error:?}");

        // A text is its own reason, so there is nothing behind it.
        let error = Error::file("cannot write a.zip", std::io::Error::other("not a folder"));
        assert_eq!(error.to_string(), "cannot write a.zip: not a folder");
        assert!(error.source().is_none());

        // A cause with a type of its own.
        let error = Error::file("cannot write", std::io::Error::other(TextCause::new("bucket closed")));
        assert_eq!(
            (error.to_string().as_str(), format!("{error:#}").as_str()),
            ("cannot write", "cannot write: bucket closed")
        );
        assert!(error.detail::<std::io::Error>().is_some());
    }

    #[test]
    fn message_of_a_detail_is_whole_and_not_repeated() {
        let detail = TextCause::new("timed out after 9s waiting for file f; last state: NEW");
        let error = Error::new(ErrorKind::Timeout, detail.to_string()).with_detail(detail);
        assert_eq!(error.to_string(), "timed out after 9s waiting for file f; last state: NEW");
        assert_eq!(format!("{error:#}"), error.to_string());
        assert!(error.source().is_none() && error.detail::<TextCause>().is_some());
    }

    #[test]
    fn finds_an_error_in_a_chain() {
        let inner = Error::input("no such file");
        let outer = std::io::Error::other(inner);
        assert_eq!(Error::find(&outer).map(Error::kind), Some(ErrorKind::Input));
    }
}
