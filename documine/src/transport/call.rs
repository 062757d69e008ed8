//! One call from its beginning to its end: where it may go, how long it may take, what is known of it afterwards.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::Method;
use documine_api::operations::{self, Operation};
use documine_api::{BoxError, Transport};
use reqwest::{Request, Response};
use tracing::Instrument;
use url::Url;

use super::answer::{Answer, RawResponse};
use super::attempt::Redirect;
use super::retry::RetryPolicy;
use super::{CallEnded, CallOptions, Pipeline, ResponseMeta, telemetry};
use crate::auth::TokenSet;
use crate::clock::BoxFuture;
use crate::error::{Error, Result, Sent, TimeoutPhase};
use crate::net::retry_after;
use crate::timeout::within;

/// One call: its options go in, its answer and its facts come out.
pub(crate) struct Call<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) options: &'a CallOptions,
}

/// How far a call has come.
pub(super) struct CallState {
    pub(super) operation: &'static Operation,
    pub(super) method: Method,
    /// What is sent; each attempt takes a copy.
    pub(super) request: Request,
    /// Whether it could be sent only once, and has been.
    spent: bool,
    /// When it began, by the client's clock.
    pub(super) started: Duration,
    pub(super) attempts: u32,
    /// Whether any attempt that is over may have been seen by the service; the last one's fate alone does not tell.
    pub(super) seen: bool,
    /// Whether a request is out whose fate is not known yet.
    pub(super) under_way: bool,
    /// What the last attempt was sent with.
    pub(super) tokens: Option<Arc<TokenSet>>,
    /// The outcome of the last attempt's redirects.
    pub(super) redirect: Redirect,
}

impl CallState {
    /// The request for the next attempt. `None`: there is nothing left to send.
    pub(super) fn request(&mut self) -> Option<Request> {
        if self.spent {
            return None;
        }
        if let Some(copy) = self.again() {
            return Some(copy);
        }
        self.spent = true;
        let mut only = Request::new(self.method.clone(), self.request.url().clone());
        std::mem::swap(only.headers_mut(), self.request.headers_mut());
        std::mem::swap(only.body_mut(), self.request.body_mut());
        Some(only)
    }

    /// The same request once more, beside the attempts: where a redirect leads.
    pub(super) fn again(&self) -> Option<Request> {
        if self.spent {
            return None;
        }
        if self.request.body().is_some() {
            return self.request.try_clone();
        }
        // Most have no body, and this costs half as much: there is no time limit of the library's own to be copied.
        let mut copy = Request::new(self.method.clone(), self.request.url().clone());
        copy.headers_mut().clone_from(self.request.headers());
        Some(copy)
    }

    /// The body has been sent and can't be made anew.
    pub(super) fn is_spent(&mut self) {
        self.spent = true;
    }

    /// Whether another attempt can be made.
    pub(super) fn can_go_again(&self) -> bool {
        !self.spent
    }

    /// A failure, with what it means for the whole call: one attempt that was not sent says nothing about those before.
    pub(super) fn judged(&self, error: Error) -> Error {
        if self.seen { error.with_sent(Sent::Maybe) } else { error }
    }
}

impl<'a> Call<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline, options: &'a CallOptions) -> Self {
        Self { pipeline, options }
    }

    pub(crate) async fn run(&self, mut request: Request, operation: &'static Operation) -> Result<RawResponse> {
        let pipeline = self.pipeline;
        if self.options.body.is_some() {
            // The generated body only holds the place; without it the request can be cloned for every attempt.
            *request.body_mut() = None;
        }
        let mut trip = CallState {
            operation,
            method: request.method().clone(),
            request,
            spent: false,
            started: pipeline.clock.monotonic(),
            attempts: 0,
            seen: false,
            under_way: false,
            tokens: None,
            redirect: Redirect::default(),
        };
        let span = telemetry::call(operation, &trip.method, trip.request.url());
        let limit = self.limit(operation);
        let outcome = if is_same_origin(trip.request.url(), &pipeline.base) {
            // Pinned before it is instrumented, which would move all of it otherwise.
            let work = pin!(self.signed(&mut trip, limit));
            let work = pin!(work.instrument(span.clone()));
            within(work, limit, TimeoutPhase::Operation).await.and_then(|outcome| outcome)
        } else {
            Err(Error::config(format!(
                "the request goes to {}, but this client talks to {} only",
                trip.request.url().origin().ascii_serialization(),
                pipeline.base.origin().ascii_serialization()
            )))
        };
        let elapsed = pipeline.clock.monotonic().saturating_sub(trip.started);
        let outcome = outcome.map_err(|error| {
            let error = match error.timeout_phase() {
                // Cut off from above: whether something was seen, the trip knows.
                Some(TimeoutPhase::Operation) if !trip.seen && !trip.under_way => error.with_sent(Sent::No),
                _ => error,
            };
            let idempotent = trip.method.is_idempotent();
            error.with_operation(operation.id).with_effort(trip.attempts, elapsed).repeatable(idempotent)
        });
        if let Ok(answer) = &outcome {
            pipeline.retry_budget.succeeded();
            if let Some(asked) = &self.options.asked {
                asked.note(retry_after(&answer.headers, pipeline.clock.now()));
            }
        }
        let result = outcome.as_ref().map(|answer| answer.status);
        telemetry::ended(&span, result, trip.attempts);
        if let Some(observer) = &pipeline.observer {
            observer.ended(&CallEnded { operation: operation.id, outcome: result, attempts: trip.attempts, elapsed });
        }
        let Answer { status, headers, moved, body } = outcome?;
        let CallState { request, attempts, tokens, .. } = trip;
        let facts = ResponseMeta { operation, request, moved, status, headers, attempts, elapsed, tokens };
        Ok(RawResponse { facts, body })
    }

    /// What the call's own policy is.
    pub(super) fn policy(&self) -> Cow<'_, RetryPolicy> {
        let policy = self.options.retry_policy.as_deref().unwrap_or(&self.pipeline.retry);
        match self.options.retry {
            Some(when) => Cow::Owned(policy.clone().when(when)),
            None => Cow::Borrowed(policy),
        }
    }

    /// How long the call may take. A transfer has no limit on the whole, unless its caller sets one.
    fn limit(&self, operation: &Operation) -> Duration {
        let transfer = self.options.body.is_some() || operation.response == operations::ResponseKind::Binary;
        let usual = if transfer { Duration::MAX } else { self.pipeline.timeouts.operation };
        self.options.deadline.unwrap_or(usual)
    }
}

/// The stack as the transport of generated clients.
pub(crate) struct Raw(pub(crate) Arc<Pipeline>);

impl Transport for Raw {
    fn send<'a>(
        &'a self,
        request: Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Response, BoxError>> {
        Box::pin(async move {
            let options = CallOptions::default();
            let answered = Call::new(&self.0, &options).run(request, operation).await?;
            Ok(answered.into_response()?)
        })
    }
}

/// Scheme, host and port (RFC 6454): where a token may go.
pub(super) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}
