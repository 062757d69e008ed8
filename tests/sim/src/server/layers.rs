//! The layers around every request: journal, faults, check, state file. Sign-in runs in the handlers (`api`), behind the faults.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Method, StatusCode};

use super::fault_injection::FaultInjection;
use super::incoming::IncomingRequest;
use super::journal_entry::OpenEntry;
use crate::api_error::ApiError;
use crate::faults::RequestKey;
use crate::net::{BodyMeter, metered};
use crate::service::App;
use crate::wire;

/// Passes a request through all layers.
#[cfg_attr(
    not(feature = "check"),
    allow(unused_assignments, unused_variables, reason = "only the check reads the bytes")
)]
pub(super) async fn handle(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/__sim/") {
        return next.run(request).await;
    }
    let incoming = IncomingRequest::new(&app, &request);
    let key = RequestKey {
        operation: incoming.operation.as_deref(),
        method: incoming.method.as_str(),
        provider: incoming.provider,
    };
    let connection = FaultInjection::connection(&request);
    let injection = app.faults.select(key).map(|fault| FaultInjection { app: &app, fault, connection });
    let injection = injection.as_ref();
    let (request, received) = meter_request(request);
    let mut entry = OpenEntry::new(&app, &incoming, injection, &received);
    if let Some(injection) = injection {
        injection.delay().await;
        if injection.reset_unseen().await {
            return Response::new(Body::empty());
        }
    }
    entry.set_reached(injection.is_none_or(FaultInjection::reaches_service));
    let writes = incoming.method != Method::GET || injection.is_some_and(FaultInjection::changes_state);
    let response = match injection {
        Some(injection) => injection.respond(request, next).await,
        None => next.run(request).await,
    };
    let saved = if writes { app.save().await } else { Ok(()) };
    let response = match saved {
        Ok(()) => response,
        Err(error) => ApiError::internal("The state could not be written", &error).into_response(app.now()),
    };
    let (mut response, mut bytes) = read_text_body(response).await;
    if let Some(injection) = injection {
        (response, bytes) = injection.edit(response, bytes);
    }
    let is_patched;
    (response, bytes, is_patched) = patch(&app, incoming.operation.as_deref(), response, bytes);
    // Faults use the contract's names, so they apply before the translation to the document; changes of headers and bytes apply after it.
    let operation = incoming.operation.as_deref();
    if let Some(wire) = wire::current()
        && let Some(operation) = operation.and_then(|operation| wire.operation(operation))
    {
        let mut overrides = injection.map(FaultInjection::overrides).unwrap_or_default();
        overrides.body |= is_patched;
        (response, bytes) = wire.response(operation, response, bytes, overrides);
    }
    if let Some(injection) = injection {
        response = injection.damage(response, bytes.as_ref());
    }
    #[cfg(feature = "check")]
    check(&app, &incoming, &received, &response, bytes.as_ref(), injection.is_some() || is_patched);
    let status = response.status().as_u16();
    let (response, sent) = meter_response(response);
    entry.finish(status, &sent);
    if let Some(injection) = injection {
        injection.drop_connection();
    }
    response
}

/// Applies the patches of [`Control::patch_response`](crate::Control::patch_response). The last value is true if a field was replaced.
fn patch(
    app: &App,
    operation: Option<&str>,
    response: Response,
    bytes: Option<Bytes>,
) -> (Response, Option<Bytes>, bool) {
    let patched = match (operation, &bytes) {
        (Some(operation), Some(bytes)) if response.status().is_success() => app.patches.apply(operation, bytes),
        _ => None,
    };
    let Some(patched) = patched else { return (response, bytes, false) };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    (Response::from_parts(parts, Body::from(patched.clone())), Some(patched), true)
}

fn meter_request(request: Request) -> (Request, BodyMeter) {
    let (parts, body) = request.into_parts();
    let (body, meter) = metered(body, cfg!(feature = "check"));
    (Request::from_parts(parts, body), meter)
}

fn meter_response(response: Response) -> (Response, BodyMeter) {
    let (mut parts, body) = response.into_parts();
    // A metered body is a stream. Without a declared length the response would be chunked.
    let length = exact_length(&body);
    if let Some(length) = length
        && !parts.headers.contains_key(CONTENT_LENGTH)
        && !parts.headers.contains_key(TRANSFER_ENCODING)
        && parts.status != StatusCode::NO_CONTENT
    {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let (body, meter) = metered(body, false);
    (Response::from_parts(parts, body), meter)
}

fn exact_length(body: &Body) -> Option<u64> {
    axum::body::HttpBody::size_hint(body).exact()
}

/// Reads a textual body into memory. Packages remain streams.
async fn read_text_body(response: Response) -> (Response, Option<Bytes>) {
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
    incoming: &IncomingRequest,
    received: &BodyMeter,
    response: &Response,
    bytes: Option<&Bytes>,
    is_faulty: bool,
) {
    use crate::idp::AuthMode;
    use crate::paging::Paging;

    if incoming.provider {
        return;
    }
    // The start fails for a document that cannot be compiled.
    let Ok(checker) = crate::check::Checker::vendored() else { return };
    let operation = incoming.operation.as_deref().unwrap_or("");
    let body = received.copy();
    let (path, query) = (incoming.uri.path(), incoming.uri.query());
    let mut found = checker.check_request(operation, &incoming.method, path, query, &incoming.headers, body.as_ref());
    if app.settings.auth == AuthMode::None {
        found.retain(|violation| violation.pointer != "header/authorization");
    }
    // The document describes unpaged lists only.
    let paged = app.settings.paging != Paging::None && crate::api::is_list(operation);
    if !operation.is_empty() && !is_faulty && !paged {
        found.extend(checker.check_response(operation, response.status(), response.headers(), bytes));
    }
    app.violations.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(found);
}
