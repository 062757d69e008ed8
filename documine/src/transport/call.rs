//! One call from its beginning to its end: where it may go, how long it may take, what is known of it afterwards.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, Method};
use documine_api::operations::{Answer, Operation};
use documine_api::{BoxError, Transport};
use reqwest::{Request, Response};
use tracing::Instrument;

use super::retry::RetryPolicy;
use super::timeout::within;
use super::{CallEnded, CallOptions, Facts, Stack, telemetry};
use crate::auth::TokenSet;
use crate::clock::BoxFuture;
use crate::error::{Error, Result, Sent, TimeoutPhase};

/// One call: its options go in, its facts come out. A raw client is made for each (some ten nanoseconds), and this is its transport.
pub(crate) struct Call {
    pub(super) stack: Arc<Stack>,
    pub(super) options: CallOptions,
    facts: Mutex<Facts>,
}

/// How far a call has come.
pub(super) struct Trip {
    pub(super) operation: &'static Operation,
    pub(super) method: Method,
    /// What is sent. `None`: its body could be sent only once, and has been.
    request: Option<Request>,
    /// When it began, by the client's clock.
    pub(super) started: Duration,
    pub(super) attempts: u32,
    /// Whether any attempt that is over may have been seen by the service; the last one's fate alone does not tell.
    pub(super) seen: bool,
    /// Whether a request is out whose fate is not known yet.
    pub(super) under_way: AtomicBool,
    /// What the last attempt was sent with.
    pub(super) tokens: Option<Arc<TokenSet>>,
}

impl Trip {
    /// The request for the next attempt. `None`: there is nothing left to send.
    pub(super) fn request(&mut self) -> Option<Request> {
        let request = self.request.take()?;
        self.request = request.try_clone();
        Some(request)
    }

    /// The same request once more, beside the attempts: where a redirect leads.
    pub(super) fn again(&self) -> Option<Request> {
        self.request.as_ref()?.try_clone()
    }

    /// Whether another attempt can be made.
    pub(super) fn can_go_again(&self) -> bool {
        self.request.is_some()
    }

    /// A failure, with what it means for the whole call: one attempt that was not sent says nothing about those before.
    pub(super) fn judged(&self, error: Error) -> Error {
        if self.seen { error.with_sent(Sent::Maybe) } else { error }
    }
}

impl Call {
    pub(crate) fn new(stack: Arc<Stack>, options: CallOptions) -> Self {
        Self { stack, options, facts: Mutex::default() }
    }

    /// What is known of it, once it is over.
    pub(crate) fn facts(&self) -> Facts {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn run(&self, mut request: Request, operation: &'static Operation) -> Result<Response> {
        let stack = &self.stack;
        if let Some(url) = &self.options.url {
            *request.url_mut() = url.clone();
        }
        if self.options.body.is_some() {
            // The generated body only holds the place; without it the request can be cloned for every attempt.
            *request.body_mut() = None;
        }
        let mut trip = Trip {
            operation,
            method: request.method().clone(),
            started: stack.clock.monotonic(),
            attempts: 0,
            seen: false,
            under_way: AtomicBool::new(false),
            tokens: None,
            request: None,
        };
        let url = request.url().clone();
        let span = telemetry::call(operation, &trip.method, &url);
        let limit = self.limit(operation);
        let outcome = if url.origin() == stack.base.origin() {
            trip.request = Some(request);
            let work = pin!(self.signed(&mut trip, limit).instrument(span.clone()));
            within(work, limit, TimeoutPhase::Operation).await.and_then(|outcome| outcome)
        } else {
            Err(Error::config(format!(
                "the request goes to {}, but this client talks to {} only",
                url.origin().ascii_serialization(),
                stack.base.origin().ascii_serialization()
            )))
        };
        let elapsed = stack.clock.monotonic().saturating_sub(trip.started);
        let outcome = outcome.map_err(|error| {
            let error = match error.timeout_phase() {
                // Cut off from above: whether something was seen, the trip knows.
                Some(TimeoutPhase::Operation) if !trip.seen && !trip.under_way.load(Ordering::Relaxed) => {
                    error.with_sent(Sent::No)
                }
                _ => error,
            };
            let idempotent = trip.method.is_idempotent();
            error.with_operation(operation.id).with_effort(trip.attempts, elapsed).repeatable(idempotent)
        });
        if outcome.is_ok() {
            stack.retry_budget.succeeded();
        }
        let result = outcome.as_ref().map(Response::status);
        telemetry::ended(&span, result, trip.attempts);
        if let Some(observer) = &stack.observer {
            observer.ended(&CallEnded { operation: operation.id, outcome: result, attempts: trip.attempts, elapsed });
        }
        self.note(trip, url, elapsed, &outcome);
        outcome
    }

    /// What the call's own policy is.
    pub(super) fn policy(&self) -> Cow<'_, RetryPolicy> {
        let policy = self.options.retry_policy.as_ref().unwrap_or(&self.stack.retry);
        match self.options.retry {
            Some(when) => Cow::Owned(policy.clone().when(when)),
            None => Cow::Borrowed(policy),
        }
    }

    /// How long the call may take. A transfer has no limit on the whole, unless its caller sets one.
    fn limit(&self, operation: &Operation) -> Duration {
        let transfer = self.options.body.is_some() || operation.answer == Answer::Binary;
        let usual = if transfer { Duration::MAX } else { self.stack.timeouts.operation };
        self.options.deadline.unwrap_or(usual)
    }

    fn note(&self, trip: Trip, url: url::Url, elapsed: Duration, outcome: &Result<Response>) {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.operation = trip.operation.id;
        facts.url = Some(url);
        facts.attempts = trip.attempts;
        facts.elapsed = elapsed;
        facts.tokens = trip.tokens;
        facts.idempotent = trip.method.is_idempotent();
        match outcome {
            Ok(response) => {
                facts.status = Some(response.status());
                facts.headers = response.headers().clone();
            }
            Err(error) => {
                facts.headers = HeaderMap::new();
                facts.error = Some(error.clone());
            }
        }
    }
}

impl Transport for Call {
    fn send<'a>(
        &'a self,
        request: Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Response, BoxError>> {
        Box::pin(async move { self.run(request, operation).await.map_err(BoxError::from) })
    }
}
