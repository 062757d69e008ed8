//! The one error type of this crate: what happened, where, whether it was sent, and what the service said.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::text::{self, one_line, printable};

/// The largest length of the texts by which a service names a request or a time, in characters.
const ID_LIMIT: usize = 128;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting of the client is missing or wrong. Nothing was sent.
    Config,
    /// An argument of the call is wrong: a missing file, a folder in place of a file. Nothing was sent.
    Input,
    /// No access token could be had, or the identity provider refused.
    Auth,
    /// The service could not be reached. Nothing was sent.
    Connect,
    /// A time limit ran out.
    Timeout,
    /// The connection broke while the request was sent or the answer was read.
    Interrupted,
    /// The service answered with an error status.
    Api,
    /// The service answered, but not with what its document describes.
    Decode,
    /// The bytes that arrived are not the bytes that were announced.
    Integrity,
    /// The work was accepted, but ended without success: see [`crate::WaitError`].
    Operation,
    /// A local file or folder could not be read or written.
    File,
    /// Values could not be turned into the wanted type: see [`crate::extract::ExtractError`].
    Extract,
    /// The OpenAPI document that this build was made from does not have the operation, the form or the parameter
    /// (`unsupported_by_document`). Nothing was sent.
    UnsupportedByDocument,
}

impl ErrorKind {
    /// Its name in small letters, as it stands in spans and metrics (`error.type`).
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

/// Which time limit ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutPhase {
    /// Making the connection ([`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout)). Nothing was sent.
    Connect,
    /// From the request to the beginning of its answer ([`ClientBuilder::attempt_timeout`](crate::ClientBuilder::attempt_timeout)).
    Attempt,
    /// Between two pieces of a body ([`ClientBuilder::idle_timeout`](crate::ClientBuilder::idle_timeout)).
    Idle,
    /// The whole call with all its attempts ([`ClientBuilder::operation_timeout`](crate::ClientBuilder::operation_timeout), `with_deadline`).
    Operation,
    /// The identity provider's answer.
    Login,
    /// A wait's deadline ([`WaitError::DeadlineExceeded`](crate::WaitError)).
    Wait,
}

/// How far a request came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Not one byte of it reached the service.
    No,
    /// The service answered that it did not process the request: a client's error (4xx), or 503 with `Retry-After`.
    Refused,
    /// The service may have seen it, whole or in part.
    Maybe,
}

/// What went wrong in a call.
///
/// One opaque type with accessors, so that new facts never break a `match`. [`Display`](fmt::Display) is one line without the
/// source, [`Debug`](fmt::Debug) has every fact on a line of its own; neither ever shows a secret.
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
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
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
    /// What the stack has to add to the message: why it did not try again.
    note: Option<String>,
    repeatable: bool,
    body_snippet: Option<String>,
    attempts: u32,
    elapsed: Duration,
    sent: Sent,
    needs_login: bool,
    transient: bool,
    /// The other origin that answered, to which the service redirected.
    elsewhere: Option<String>,
    detail: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
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
            // Kinds that come of an answer were sent; the others say so where they were.
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
            elsewhere: None,
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

    /// A local file's trouble; `what` says which file and what was tried. The system's error is its detail.
    pub(crate) fn file(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::new(ErrorKind::File, format!("{}: {source}", what.into())).with_detail(source)
    }

    /// The error this one was made from, where its text says all that it says.
    pub(crate) fn with_detail(mut self, detail: impl StdError + Send + Sync + 'static) -> Self {
        self.0.detail = Some(Arc::new(detail));
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

    pub(crate) fn with_api(mut self, message: Option<String>, timestamp: Option<String>) -> Self {
        self.0.api_message = message;
        self.0.api_timestamp = timestamp.map(|text| one_line(&text).chars().take(ID_LIMIT).collect());
        self
    }

    /// Masks secrets in all texts that came from a response.
    pub(crate) fn without(mut self, secrets: &[&str]) -> Self {
        let inner = &mut self.0;
        let optional =
            [&mut inner.api_message, &mut inner.api_timestamp, &mut inner.request_id, &mut inner.body_snippet];
        for text in optional.into_iter().flatten().chain([&mut inner.message]) {
            *text = text::without(text, secrets.iter().copied());
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

    /// Adds to the notes that stand behind the message.
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        let note = printable(&note.into());
        self.0.note = Some(self.0.note.take().map_or_else(|| note.clone(), |before| format!("{before}; {note}")));
        self
    }

    /// The answer came from another origin, to which the service redirected a download: its status is not the service's word.
    pub(crate) fn with_redirect_to(mut self, origin: &str) -> Self {
        self.0.elsewhere = Some(origin.to_owned());
        self.with_note(format!("the service redirected the download to {origin}"))
    }

    /// Whether the service said that it did not do what was asked.
    pub(crate) fn was_refused(&self) -> bool {
        self.0.sent == Sent::Refused
    }

    /// Whether the call is one that may be repeated by the rules of HTTP (RFC 9110 section 9.2.2).
    pub(crate) fn repeatable(mut self, repeatable: bool) -> Self {
        self.0.repeatable = repeatable;
        self
    }

    pub(crate) fn with_snippet(mut self, snippet: Option<String>) -> Self {
        self.0.body_snippet = snippet;
        self
    }

    pub(crate) fn with_effort(mut self, attempts: u32, elapsed: Duration) -> Self {
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

    /// What sort of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status of the answer, where there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The service's own `message`, where the answer held one (published error body: `{timestamp, message}`), or the text that stands in its
    /// place in the error body of a framework or gateway. As it came: it may hold control characters; [`Display`](fmt::Display) shows none.
    pub fn api_message(&self) -> Option<&str> {
        self.0.api_message.as_deref()
    }

    /// The service's own `timestamp`, where the answer held one as a text or a number: one line of at most 128 characters.
    pub fn api_timestamp(&self) -> Option<&str> {
        self.0.api_timestamp.as_deref()
    }

    /// The request's id as the service names it (`X-Request-Id` or `X-Correlation-Id`), where it sends one: quote it to support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the pause that the service requested (`Retry-After`, RFC 9110 section 10.2.3). While no token can be obtained: the time until the next
    /// token request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The headers of the answer, where there was one that could not be used. Empty otherwise. They are not in any text of this error.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Which time limit ran out, where one did.
    pub fn timeout_phase(&self) -> Option<TimeoutPhase> {
        self.0.phase
    }

    /// How many times the request was tried. 0: it failed before the first try.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took, from its start to this error.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The operation's id in the OpenAPI document, for example `getDossier`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The beginning of an answer that could not be understood, at most [`crate::SNIPPET_LIMIT`] bytes of it.
    pub fn body_snippet(&self) -> Option<&str> {
        self.0.body_snippet.as_deref()
    }

    /// The service itself answered with `status`: one of the identity provider or of an object store says nothing about the thing that was asked for.
    fn answered(&self, status: StatusCode) -> bool {
        self.0.kind != ErrorKind::Auth && self.0.elsewhere.is_none() && self.0.status == Some(status)
    }

    /// A time limit ran out.
    ///
    /// # Troubleshooting
    /// [`timeout_phase`](Self::timeout_phase) says which limit. Raise it for the call (`with_timeout`, `with_deadline`) or for the client
    /// ([`ClientBuilder::attempt_timeout`](crate::ClientBuilder::attempt_timeout) and its neighbours), or look for a proxy that holds answers back.
    /// Ask [`was_sent`](Self::was_sent) before you repeat a call that changes something.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// The service answered 404: what the call names is not there (or not for this account).
    ///
    /// # Troubleshooting
    /// Check the id and the workspace. Something in the trash needs `include_soft_deleted`; a package may have expired.
    pub fn is_not_found(&self) -> bool {
        self.answered(StatusCode::NOT_FOUND)
    }

    /// The service answered 401: it does not accept the token, not even a fresh one.
    ///
    /// # Troubleshooting
    /// The token may come from another workspace's identity provider, or the account may have been disabled.
    pub fn is_unauthorized(&self) -> bool {
        self.0.elsewhere.is_none() && self.0.status == Some(StatusCode::UNAUTHORIZED)
    }

    /// The service answered 409: the thing is in a state that does not allow the call (archived dossier, file still analysed, package not ready).
    ///
    /// # Troubleshooting
    /// Wait for the state (`processed()`, `wait()`), or choose another dossier: an archived one stays read-only.
    pub fn is_conflict(&self) -> bool {
        self.answered(StatusCode::CONFLICT)
    }

    /// The service answered 429: too many requests. Also of a paced call that was not sent ([`was_sent`](Self::was_sent) is `false`), because the pause
    /// after an earlier 429 is longer than the call may take.
    ///
    /// # Troubleshooting
    /// Wait for [`retry_after`](Self::retry_after) where given, and call less often.
    pub fn is_rate_limited(&self) -> bool {
        self.answered(StatusCode::TOO_MANY_REQUESTS)
    }

    /// The same call may succeed later without any change: connection trouble, time limits, 408, 429, 502, 503, 504.
    ///
    /// # Troubleshooting
    /// Calls that only read were repeated already. Before you repeat another one, ask [`was_sent`](Self::was_sent).
    pub fn is_transient(&self) -> bool {
        self.0.transient
            || matches!(self.0.kind, ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted)
            || matches!(self.0.status.map(|s| s.as_u16()), Some(408 | 429 | 502 | 503 | 504))
    }

    /// Nothing but a new login helps: the refresh token is used up, revoked or expired, or the credentials are wrong.
    ///
    /// # Troubleshooting
    /// The text holds the identity provider's reason. Log in again, or give other [`Credentials`](crate::Credentials).
    pub fn needs_login(&self) -> bool {
        self.0.needs_login
    }

    /// The OpenAPI document that this build was made from does not have what the call needs; nothing was sent. With the document that comes
    /// with this crate that never happens: it takes a document of your own, in which an operation is missing.
    ///
    /// # Troubleshooting
    /// [`api::document`](documine_api::document) lists what the build's document has. If it has the operation under another path, say so with
    /// `cargo xtask regen --map` (in the repository) or `DOCUMINE_OPENAPI_MAPPING` (in your own build).
    pub fn is_unsupported_by_document(&self) -> bool {
        self.0.kind == ErrorKind::UnsupportedByDocument
    }

    /// The service may have seen the request. `false` means that it surely did not, so that even a call that creates something may be repeated.
    ///
    /// # Troubleshooting
    /// When `true` after a timeout, look first whether the thing exists before you create it again.
    pub fn was_sent(&self) -> bool {
        self.0.sent != Sent::No
    }

    /// The same call can be made again without doing anything twice: it is one that only reads or that HTTP calls idempotent
    /// (RFC 9110 section 9.2.2), or the service surely did not see it, or did not process it: a client's error (4xx), or 503 with `Retry-After`.
    ///
    /// # Troubleshooting
    /// `false` after a lost answer to a creation or an upload: look first whether the thing is there. Whether repeating *helps*, says
    /// [`is_transient`](Self::is_transient).
    pub fn is_safe_to_repeat(&self) -> bool {
        self.0.repeatable || self.0.sent != Sent::Maybe
    }

    /// The more particular error this one was made from: a [`WaitError`](crate::WaitError), an
    /// [`ExtractError`](crate::extract::ExtractError), or the system's `std::io::Error` of a file or of a connection. It is no
    /// [`source`](StdError::source), because this error's text holds its text.
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

    /// Finds an error of this crate in another error's chain of sources, for example in one that [`Client::raw`](crate::Client::raw) returned.
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(current) = next {
            // An `io::Error` does not count the error it was made from among its sources.
            let carried = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            let carried = carried.and_then(|error| error.downcast_ref::<Self>());
            if let Some(found) = carried.or_else(|| current.downcast_ref::<Self>()) {
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
            writeln!(f, "  service's time: {timestamp}")?;
        }
        if let Some(after) = self.0.retry_after {
            writeln!(f, "  retry after: {after:?}")?;
        }
        if let Some(snippet) = &self.0.body_snippet {
            writeln!(f, "  body begins: {snippet:?}")?;
        }
        if let Some(phase) = self.0.phase {
            writeln!(f, "  time limit: {phase:?}")?;
        }
        writeln!(f, "  attempts: {}, elapsed: {:?}", self.0.attempts, self.0.elapsed)?;
        writeln!(f, "  was sent: {}, safe to repeat: {}", self.was_sent(), self.is_safe_to_repeat())?;
        Ok(())
    }
}

/// Without a source: the one line says what was behind it, and [`detail`](Error::detail) gives it where it is a type that a program can use.
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
    fn display_is_one_line_and_debug_has_every_fact() {
        let error = Error::new(ErrorKind::Timeout, "nothing came for 1s")
            .with_operation("getDossier")
            .with_request_id(Some("r-1".into()))
            .with_phase(TimeoutPhase::Idle)
            .with_note("it was not tried again")
            .with_effort(2, Duration::from_secs(3))
            .with_sent(Sent::Maybe);
        assert_eq!(error.to_string(), "getDossier: nothing came for 1s; it was not tried again (request r-1)");
        let lines = [
            "getDossier: nothing came for 1s; it was not tried again (request r-1)",
            "  kind: Timeout",
            "  time limit: Idle",
            "  attempts: 2, elapsed: 3s",
            "  was sent: true, safe to repeat: false",
            "",
        ];
        assert_eq!(format!("{error:?}"), lines.join("\n"));
    }

    #[test]
    fn an_error_is_found_in_a_chain() {
        let inner = Error::input("no such file");
        let outer = std::io::Error::other(inner);
        assert_eq!(Error::find(&outer).map(Error::kind), Some(ErrorKind::Input));
    }
}
