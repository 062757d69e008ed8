//! The layers around every request: journal, faults, check, store. Sign-in stands in front of the handlers (`api`), behind the faults.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use super::record::Record;
use super::tampering::{self, Tampering};
use super::{App, Found, Refusal, body};
use crate::faults::Asked;
use crate::idp;
use crate::wire;

/// The request as it came, for journal and check.
pub(super) struct Arrival {
    pub(super) operation: Option<String>,
    /// Whether it is a request of the identity provider, not of the API.
    pub(super) provider: bool,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) at: std::time::SystemTime,
}

/// Leads a request through all layers.
#[cfg_attr(
    not(feature = "check"),
    allow(unused_assignments, unused_variables, reason = "the check looks at the bytes last")
)]
pub(super) async fn pass(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/__sim/") {
        return next.run(request).await;
    }
    let arrival = arrive(&app, &request);
    let asked =
        Asked { operation: arrival.operation.as_deref(), method: arrival.method.as_str(), provider: arrival.provider };
    let connection = tampering::connection(&request);
    let tampering = app.faults.take(asked).map(|fault| Tampering { app: &app, fault, connection });
    let tampering = tampering.as_ref();
    let (request, received) = request_watched(request);
    let mut record = Record::begin(&app, &arrival, tampering, &received);
    if let Some(tampering) = tampering {
        tampering.wait().await;
        if tampering.unseen().await {
            return Response::new(Body::empty());
        }
    }
    record.reached(tampering.is_none_or(Tampering::reaches));
    let writes = arrival.method != Method::GET || tampering.is_some_and(Tampering::changes_state);
    let response = match tampering {
        Some(tampering) => tampering.answer(request, next).await,
        None => next.run(request).await,
    };
    let response = match (&app.store, writes) {
        (Some(store), true) => match store.save(&app).await {
            Ok(()) => response,
            Err(error) => Refusal::internal("The state could not be written", &error).into_response(app.now()),
        },
        _ => response,
    };
    let (mut response, mut bytes) = small_body(response).await;
    if let Some(tampering) = tampering {
        (response, bytes) = tampering.changed(response, bytes);
    }
    // Faults speak as the simulator does, so they come before the document's names; what they do to headers and bytes comes behind.
    let operation = arrival.operation.as_deref();
    if let Some(wire) = wire::current()
        && let Some(operation) = operation.and_then(|operation| wire.operation(operation))
    {
        let deliberate = tampering.map(Tampering::deliberate).unwrap_or_default();
        (response, bytes) = wire.response(operation, response, bytes, deliberate);
    }
    if let Some(tampering) = tampering {
        response = tampering.spoilt(response, bytes.as_ref());
    }
    #[cfg(feature = "check")]
    check(&app, &arrival, &received, &response, bytes.as_ref(), tampering.is_some());
    let status = response.status().as_u16();
    let (response, sent) = response_watched(response);
    record.answered(status, &sent);
    if let Some(tampering) = tampering {
        tampering.lost();
    }
    response
}

fn arrive(app: &App, request: &Request) -> Arrival {
    let path = request.uri().path();
    let provided = idp::operation(path);
    let operation = match app.routes.find(request.method().as_str(), path) {
        Found::Operation { id, .. } => Some(id.to_owned()),
        Found::OtherMethods(_) | Found::Nothing => provided.map(str::to_owned),
    };
    Arrival {
        operation,
        provider: provided.is_some(),
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: request.headers().clone(),
        at: app.clock.now(),
    }
}

fn request_watched(request: Request) -> (Request, body::Passed) {
    let (parts, body) = request.into_parts();
    let (body, passed) = body::watched(body, cfg!(feature = "check"));
    (Request::from_parts(parts, body), passed)
}

fn response_watched(response: Response) -> (Response, body::Passed) {
    let (mut parts, body) = response.into_parts();
    // A watched body is a stream; its length is told where it is known, else the answer would be chunked.
    let length = http_body_length(&body);
    if let Some(length) = length
        && !parts.headers.contains_key(CONTENT_LENGTH)
        && !parts.headers.contains_key(TRANSFER_ENCODING)
        && parts.status != StatusCode::NO_CONTENT
    {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let (body, passed) = body::watched(body, false);
    (Response::from_parts(parts, body), passed)
}

fn http_body_length(body: &Body) -> Option<u64> {
    axum::body::HttpBody::size_hint(body).exact()
}

/// Takes a body that is text into memory; packages stay streams.
async fn small_body(response: Response) -> (Response, Option<Bytes>) {
    let kind = response.headers().get(CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
    let text = kind.is_none_or(|kind| ["json", "xml", "text/", "html"].iter().any(|part| kind.contains(part)));
    if !text {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    (Response::from_parts(parts, Body::from(bytes.clone())), Some(bytes))
}

#[cfg(feature = "check")]
fn check(
    app: &App,
    arrival: &Arrival,
    received: &body::Passed,
    response: &Response,
    bytes: Option<&Bytes>,
    deliberate: bool,
) {
    use crate::paging::Paging;

    if arrival.provider {
        return;
    }
    // A document that can't be checked against has stopped the start already.
    let Ok(checker) = crate::check::Checker::vendored() else { return };
    let operation = arrival.operation.as_deref().unwrap_or("");
    let body = received.copy();
    let (path, query) = (arrival.uri.path(), arrival.uri.query());
    let mut found = checker.check_request(operation, &arrival.method, path, query, &arrival.headers, body.as_ref());
    if app.settings.auth == idp::AuthMode::None {
        found.retain(|violation| violation.pointer != "header/authorization");
    }
    // The document knows lists in one piece only.
    let paged = app.settings.paging != Paging::None && crate::api::is_list(operation);
    if !operation.is_empty() && !deliberate && !paged {
        found.extend(checker.check_response(operation, response.status(), response.headers(), bytes));
    }
    app.violations.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(found);
}
