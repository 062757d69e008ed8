//! The progress of one call, which all layers read and update.

use std::sync::Arc;
use std::time::Duration;

use ::http::Method;
use documine_api::operations::Operation;
use reqwest::Request;

use super::options::CallOptions;
use super::pipeline::Pipeline;
use crate::auth::TokenSet;
use crate::error::{Error, Sent};

/// Runs one call. Each layer adds its step in its own file.
pub(crate) struct CallExecutor<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) options: &'a CallOptions,
}

impl<'a> CallExecutor<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline, options: &'a CallOptions) -> Self {
        Self { pipeline, options }
    }
}

/// The state of one call across its attempts.
pub(super) struct CallState {
    pub(super) operation: &'static Operation,
    pub(super) method: Method,
    /// The request as built; each attempt sends a copy.
    pub(super) request: Request,
    /// True once a body that can be sent only once has been sent.
    body_consumed: bool,
    /// The start by the client's clock.
    pub(super) started: Duration,
    pub(super) attempts: u32,
    /// True if the service may have received any finished attempt. The outcome of the last attempt alone is not enough.
    pub(super) maybe_received: bool,
    /// True while a request is sent whose outcome is not known yet.
    pub(super) in_flight: bool,
    /// The tokens of the last attempt.
    pub(super) tokens: Option<Arc<TokenSet>>,
    /// The redirects of the last attempt.
    pub(super) redirects: RedirectState,
}

/// The redirects of one attempt.
#[derive(Default)]
pub(super) struct RedirectState {
    /// The other origin that responds in place of the service.
    pub(super) origin: Option<String>,
    /// The target of a redirect that was not followed, and the reason. Without path and query, because signed URLs are secrets.
    pub(super) refused: Option<String>,
}

impl CallState {
    pub(super) fn new(request: Request, operation: &'static Operation, started: Duration) -> Self {
        Self {
            operation,
            method: request.method().clone(),
            request,
            body_consumed: false,
            started,
            attempts: 0,
            maybe_received: false,
            in_flight: false,
            tokens: None,
            redirects: RedirectState::default(),
        }
    }

    /// Returns the request for the next attempt, or `None` when the body cannot be sent again.
    pub(super) fn next_request(&mut self) -> Option<Request> {
        if self.body_consumed {
            return None;
        }
        if let Some(copy) = self.copy_request() {
            return Some(copy);
        }
        self.body_consumed = true;
        let mut only = Request::new(self.method.clone(), self.request.url().clone());
        std::mem::swap(only.headers_mut(), self.request.headers_mut());
        std::mem::swap(only.body_mut(), self.request.body_mut());
        Some(only)
    }

    /// Copies the request, for the next attempt or to follow a redirect.
    pub(super) fn copy_request(&self) -> Option<Request> {
        if self.body_consumed {
            return None;
        }
        if self.request.body().is_some() {
            return self.request.try_clone();
        }
        // Most requests have no body. `try_clone` costs twice as much, because it copies reqwest's own timeout, which is never set.
        let mut copy = Request::new(self.method.clone(), self.request.url().clone());
        copy.headers_mut().clone_from(self.request.headers());
        Some(copy)
    }

    /// Records that the body has been sent and cannot be sent again.
    pub(super) fn consume_body(&mut self) {
        self.body_consumed = true;
    }

    /// Returns whether another attempt is possible.
    pub(super) fn can_retry(&self) -> bool {
        !self.body_consumed
    }

    /// Marks the error of the last attempt as sent if the service may have received an earlier attempt.
    pub(super) fn for_all_attempts(&self, error: Error) -> Error {
        if self.maybe_received { error.with_sent(Sent::Maybe) } else { error }
    }
}

impl RedirectState {
    /// Adds the redirects to an error.
    pub(super) fn annotate(&self, error: Error) -> Error {
        let error = match &self.origin {
            Some(origin) => error.with_redirect_to(origin),
            None => error,
        };
        match &self.refused {
            Some(refused) => error.with_note(refused),
            None => error,
        }
    }
}
