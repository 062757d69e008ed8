//! The top layer: one call from start to end, with its deadline, span and observer.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use documine_api::operations::{self, Operation};
use documine_api::{BoxError, Transport};
use reqwest::{Request, Response};
use tracing::Instrument;

use super::call_state::{CallExecutor, CallState};
use super::observer::CallEnded;
use super::pipeline::Pipeline;
use super::request_options::RequestOptions;
use super::response::{AttemptResponse, RawResponse, ResponseMeta};
use super::retry::RetryPolicy;
use super::telemetry;
use crate::address::is_same_origin;
use crate::clock::BoxFuture;
use crate::error::{Error, Result, Sent, TimeoutPhase};
use crate::http_util::retry_after;
use crate::timeout::within;

impl CallExecutor<'_> {
    /// Sends a request of an operation through all layers.
    pub(crate) async fn execute(&self, mut request: Request, operation: &'static Operation) -> Result<RawResponse> {
        let pipeline = self.pipeline;
        if self.options.body.is_some() {
            // Without the generated placeholder body, the request can be copied for every attempt.
            *request.body_mut() = None;
        }
        let mut state = CallState::new(request, operation, pipeline.clock.monotonic());
        let span = telemetry::call_span(operation, &state.method, state.request.url());
        let limit = self.deadline(operation);
        let outcome = if is_same_origin(state.request.url(), &pipeline.base_url) {
            // Pinned before instrumenting, which would move the whole future otherwise.
            let work = pin!(self.with_auth(&mut state, limit));
            let work = pin!(work.instrument(span.clone()));
            within(work, limit, TimeoutPhase::Operation).await.and_then(|outcome| outcome)
        } else {
            Err(Error::config(format!(
                "request to {} refused: the client is configured for {}",
                state.request.url().origin().ascii_serialization(),
                pipeline.base_url.origin().ascii_serialization()
            )))
        };
        let elapsed = pipeline.clock.monotonic().saturating_sub(state.started);
        let outcome = outcome.map_err(|error| {
            let error = match error.timeout_phase() {
                // The deadline cut the call off, so only the state knows whether a request was sent.
                Some(TimeoutPhase::Operation) if !state.maybe_received && !state.in_flight => error.with_sent(Sent::No),
                _ => error,
            };
            let idempotent = state.method.is_idempotent();
            error.with_operation(operation.id).with_attempts(state.attempts, elapsed).repeatable(idempotent)
        });
        if let Ok(response) = &outcome {
            pipeline.retry_budget.deposit();
            if let Some(hint) = &self.options.retry_after_hint {
                hint.record(retry_after(&response.headers, pipeline.clock.now()));
            }
        }
        let result = outcome.as_ref().map(|response| response.status);
        telemetry::record_call(&span, result, state.attempts);
        if let Some(observer) = &pipeline.observer {
            observer.ended(&CallEnded { operation: operation.id, outcome: result, attempts: state.attempts, elapsed });
        }
        let AttemptResponse { status, headers, final_url, body } = outcome?;
        let CallState { request, attempts, tokens, .. } = state;
        let meta = ResponseMeta { operation, request, final_url, status, headers, attempts, elapsed, tokens };
        Ok(RawResponse { meta, body })
    }

    /// Returns the retry policy of the call.
    pub(super) fn retry_policy(&self) -> Cow<'_, RetryPolicy> {
        let policy = self.options.retry_policy.as_deref().unwrap_or(&self.pipeline.retry_policy);
        match self.options.retry {
            Some(when) => Cow::Owned(policy.clone().when(when)),
            None => Cow::Borrowed(policy),
        }
    }

    /// Returns the deadline of the call. A transfer has none unless the caller sets one.
    fn deadline(&self, operation: &Operation) -> Duration {
        let is_transfer = self.options.body.is_some() || operation.response == operations::ResponseKind::Binary;
        let default = if is_transfer { Duration::MAX } else { self.pipeline.timeouts.operation };
        self.options.deadline.unwrap_or(default)
    }
}

/// The pipeline as the transport of the generated client.
pub(crate) struct RawTransport {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) options: RequestOptions,
}

impl Transport for RawTransport {
    fn send<'a>(
        &'a self,
        request: Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Response, BoxError>> {
        Box::pin(async move {
            let options = self.options.clone().into_call()?;
            let response = CallExecutor::new(&self.pipeline, &options).execute(request, operation).await?;
            Ok(response.into_response()?)
        })
    }
}
