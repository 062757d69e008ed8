//! The kinds of errors, the timeouts, and the progress of a failed request.

use std::time::Duration;

use http::StatusCode;

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
