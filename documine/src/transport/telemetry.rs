//! What a log or a trace shows of a call: names of OpenTelemetry's HTTP client conventions, never a body, a query, an id or a secret.

use http::{Method, StatusCode};
use tracing::Span;

use documine_api::operations::Operation;

use crate::error::Error;

/// The span of one call, with all its attempts.
pub(crate) fn span(operation: &Operation, method: &Method, host: &str) -> Span {
    tracing::info_span!(
        target: "documine",
        "documine.call",
        operation = operation.id,
        http.request.method = %method,
        url.template = operation.path,
        server.address = host,
        http.response.status_code = tracing::field::Empty,
        http.request.resend_count = tracing::field::Empty,
        error.type = tracing::field::Empty,
    )
}

/// Notes how the call ended.
pub(crate) fn ended(span: &Span, outcome: Result<StatusCode, &Error>, attempts: u32) {
    span.record("http.request.resend_count", attempts.saturating_sub(1));
    match outcome {
        Ok(status) => {
            span.record("http.response.status_code", status.as_u16());
        }
        Err(error) => {
            if let Some(status) = error.status() {
                span.record("http.response.status_code", status.as_u16());
            }
            span.record("error.type", tracing::field::debug(error.kind()));
        }
    }
}
