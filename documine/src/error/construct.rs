//! Constructors and setters for this crate.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::causes::TextCause;
use super::io_reason::{TEMPORARY_PATH, io_reason, is_text_only, with_reason};
use super::{Error, ErrorDetails, ErrorKind, Sent, TimeoutPhase};
use crate::text::{self, one_line, printable};

/// The limit on request ids and timestamps of the service, in characters.
const ID_LIMIT: usize = 128;

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
}
