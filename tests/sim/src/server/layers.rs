//! The layers around every request: journal, faults, check, store. Sign-in stands in front of the handlers (`api`), behind the faults.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde_json::Value;

use super::{App, Found, Refusal, body};
use crate::faults::Fault;
use crate::idp;
use crate::journal::{Entry, RecordedRequest};
use crate::wire::{self, Deliberate};

/// The request as it came, for journal and check.
struct Arrival {
    operation: Option<String>,
    /// Whether it is a request of the API, not of the identity provider.
    #[cfg(feature = "check")]
    api: bool,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    at: std::time::SystemTime,
}

/// Leads a request through all layers.
#[cfg_attr(not(feature = "check"), allow(unused_assignments, reason = "the check looks at the bytes last"))]
pub(super) async fn pass(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/__sim/") {
        return next.run(request).await;
    }
    let arrival = arrive(&app, &request);
    let fault = app.faults.take(arrival.operation.as_deref());
    let (request, received) = request_watched(request);
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay_ms) {
        app.clock.sleep(Duration::from_millis(delay)).await;
    }
    let response = match fault.as_ref().and_then(|fault| fault.status) {
        Some(status) => {
            body::drain(request.into_body()).await;
            made_up(&app, status)
        }
        None => next.run(request).await,
    };
    let response = match (&app.store, arrival.method != Method::GET) {
        (Some(store), true) => match store.save(&app).await {
            Ok(()) => response,
            Err(error) => Refusal::internal("The state could not be written", &error).into_response(app.now()),
        },
        _ => response,
    };
    let (mut response, mut bytes) = small_body(response).await;
    if let Some(fault) = &fault {
        response = changed(response, bytes.as_ref(), fault);
    }
    // Faults speak as the simulator does, so they come before the document's names; what they do to headers and bytes comes behind.
    let operation = arrival.operation.as_deref();
    if let Some(wire) = wire::current()
        && let Some(operation) = operation.and_then(|operation| wire.operation(operation))
    {
        (response, bytes) = small_body(response).await;
        (response, bytes) = wire.response(operation, response, bytes, deliberate(fault.as_ref()));
    }
    if let Some(fault) = &fault {
        response = broken(response, fault);
    }
    #[cfg(feature = "check")]
    check(&app, &arrival, &received, &response, bytes.as_ref(), fault.is_some());
    let status = response.status().as_u16();
    let (response, sent) = response_watched(response);
    let headers = arrival
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let request = RecordedRequest {
        operation: arrival.operation,
        method: arrival.method.to_string(),
        path: arrival.uri.path().to_owned(),
        query: arrival.uri.query().map(str::to_owned),
        headers: headers.collect(),
        status,
        at: arrival.at,
        request_bytes: 0,
        response_bytes: 0,
    };
    app.journal.add(Entry { request, received: received.counter(), sent: sent.counter() });
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
        #[cfg(feature = "check")]
        api: provided.is_none(),
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

/// The answer of a fault that does not ask the service.
fn made_up(app: &App, status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_success() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        return response;
    }
    let message =
        format!("{} (a fault that the simulator was told to make)", status.canonical_reason().unwrap_or("Trouble"));
    Refusal::new(status, message).into_response(app.now())
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

/// What of an answer is the fault's already.
fn deliberate(fault: Option<&Fault>) -> Deliberate {
    Deliberate {
        status: fault.is_some_and(|fault| fault.status.is_some()),
        body: fault.is_some_and(|fault| fault.patch.is_some() || fault.body.is_some()),
    }
}

/// The answer with the body that the fault wants.
fn changed(response: Response, bytes: Option<&Bytes>, fault: &Fault) -> Response {
    let (mut parts, mut body) = response.into_parts();
    if let (Some(patch), Some(bytes)) = (&fault.patch, bytes)
        && let Ok(mut value) = serde_json::from_slice::<Value>(bytes)
        && json_patch::patch(&mut value, patch).is_ok()
    {
        body = Body::from(value.to_string());
        parts.headers.remove(CONTENT_LENGTH);
    }
    if let Some(text) = &fault.body {
        body = Body::from(text.clone());
        parts.headers.remove(CONTENT_LENGTH);
        if let Some(kind) = content_type(fault) {
            parts.headers.insert(CONTENT_TYPE, kind);
        }
    }
    Response::from_parts(parts, body)
}

fn content_type(fault: &Fault) -> Option<HeaderValue> {
    HeaderValue::from_str(fault.content_type.as_ref()?).ok()
}

/// The answer with the headers that the fault wants, and cut where it says.
fn broken(response: Response, fault: &Fault) -> Response {
    let (mut parts, mut body) = response.into_parts();
    if let Some(kind) = content_type(fault).filter(|_| fault.body.is_none()) {
        parts.headers.insert(CONTENT_TYPE, kind);
    }
    for (name, value) in &fault.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            parts.headers.insert(name, value);
        }
    }
    if let Some(limit) = fault.cut_after {
        // The length that was promised stays, so that the cut can be seen.
        if let Some(length) = http_body_length(&body) {
            parts.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
        }
        body = body::cut(body, limit);
    }
    Response::from_parts(parts, body)
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

    if !arrival.api {
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
