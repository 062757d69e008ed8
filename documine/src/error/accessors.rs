//! The data of an error.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::{Error, ErrorKind, TimeoutPhase};

impl Error {
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
    /// The text is unchanged and may contain control characters; [`Display`](std::fmt::Display) shows none.
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
}
