//! Spans of calls and attempts, named after OpenTelemetry's HTTP client conventions; without bodies, queries, ids and secrets.
//!
//! Each call has a span, with a child span per attempt. The fields suffice to chart calls, errors, retries and latency per operation. A program
//! without a tracing backend gets the same data from an [`Observer`](super::Observer).

use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode};
use documine_api::operations::Operation;
use tracing::Span;
use tracing::field::Empty;
use url::Url;

use crate::error::Error;

/// Creates the span of one call.
pub(super) fn call_span(operation: &Operation, method: &Method, url: &Url) -> Span {
    tracing::info_span!(
        target: "documine",
        "documine.call",
        otel.kind = "client",
        operation = operation.id,
        http.request.method = method.as_str(),
        url.template = operation.path,
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        http.request.resend_count = Empty,
        error.type = Empty,
        request_id = Empty,
    )
}

/// Records the outcome of a call.
pub(super) fn record_call(span: &Span, outcome: Result<StatusCode, &Error>, attempts: u32) {
    if span.is_disabled() {
        return;
    }
    span.record("http.request.resend_count", attempts.saturating_sub(1));
    record_attempt(span, outcome);
    if let Some(id) = outcome.err().and_then(Error::request_id) {
        span.record("request_id", id);
    }
}

/// Creates the span of one attempt.
pub(super) fn attempt_span(operation: &Operation, attempt: u32) -> Span {
    tracing::debug_span!(
        target: "documine",
        "documine.attempt",
        operation = operation.id,
        http.request.resend_count = attempt - 1,
        http.response.status_code = Empty,
        error.type = Empty,
    )
}

/// Records the outcome of an attempt.
pub(super) fn record_attempt(span: &Span, outcome: Result<StatusCode, &Error>) {
    if span.is_disabled() {
        return;
    }
    let status = match outcome {
        Ok(status) => Some(status),
        Err(error) => {
            // The convention: the status if there is one, otherwise the kind of the error.
            match error.status() {
                Some(status) => span.record("error.type", status.as_str()),
                None => span.record("error.type", error.kind().name()),
            };
            error.status()
        }
    };
    if let Some(status) = status {
        span.record("http.response.status_code", status.as_u16());
    }
}

/// Logs that a failed attempt is retried.
pub(super) fn log_retry(operation: &Operation, attempt: u32, delay: Duration, error: &Error) {
    tracing::debug!(
        target: "documine",
        operation = operation.id,
        attempt,
        delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        error.type = error.kind().name(),
        "retrying"
    );
}

/// Adds the headers of the current trace context (W3C Trace Context section 3.2), if there is one.
#[cfg(feature = "otel")]
pub(super) fn inject_trace_context(headers: &mut HeaderMap) {
    use opentelemetry::trace::TraceContextExt;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return;
    }
    let parent = format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8());
    let state = span.trace_state().header();
    for (name, value) in [("traceparent", parent), ("tracestate", state)] {
        if let Ok(value) = ::http::HeaderValue::from_str(&value)
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    }
}

#[cfg(not(feature = "otel"))]
pub(super) fn inject_trace_context(_: &mut HeaderMap) {}
