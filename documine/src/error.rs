//! The error type of this crate.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

mod accessors;
mod builder;
mod causes;
mod construct;
mod display;
mod io_reason;
mod kind;
mod predicates;
mod web_status;

pub use builder::ErrorBuilder;
pub(crate) use causes::TextCause;
pub(crate) use io_reason::{io_reason, with_reason};
pub(crate) use kind::Sent;
pub use kind::{ErrorKind, TimeoutPhase};

/// A result with the [`Error`] of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

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
/// [`suggested_status`](Self::suggested_status) is for a web service with a login per user,
/// [`suggested_status_for_service_account`](Self::suggested_status_for_service_account) for one whose users share an account of the web service.
///
/// | error | login per user | service account | remark |
/// |---|---|---|---|
/// | `is_rate_limited()` | 429 | 429 | pass on [`retry_after`](Self::retry_after) as `Retry-After` |
/// | `is_not_found()` | 404 | 404 | |
/// | `is_conflict()` | 409 | 409 | |
/// | `is_forbidden()` | 403 | 403 | |
/// | `needs_login()` | 401 | 502 | the user cannot log in for the service account |
/// | `is_unauthorized()` | 401 | 502 | as above |
/// | `is_timeout()` | 504 | 504 | |
/// | `is_transient()` | 503 | 503 | pass on [`retry_after`](Self::retry_after), if given |
/// | `ErrorKind::Input` | 400 | 400 | |
/// | `ErrorKind::Extract` | 422 | 422 | the document lacks the values that the type needs |
/// | `ErrorKind::Config` | 500 | 500 | |
/// | `ErrorKind::File` | 500 | 500 | |
/// | `ErrorKind::UnsupportedByDocument` | 500 | 500 | |
/// | any other | 502 | 502 | |
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

/// Asserts that an error has a message of one line without control characters.
#[cfg(any(test, fuzzing))]
pub(crate) fn assert_one_line(error: &Error) {
    let line = error.to_string();
    assert!(!line.is_empty() && !line.contains(char::is_control), "{line:?}");
}
