//! Keeps web pages away from `/__sim/…`, because a browser on the same machine reaches loopback too.
//!
//! A page of another site can send requests to loopback, which the `Origin` header and the content type reveal, or point its own host name to
//! loopback (DNS rebinding), which the `Host` header reveals. Programs send neither.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::api_error::ApiError;
use crate::service::{App, OwnHosts};

/// Accepts requests of programs only.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match check(&app.settings.own_hosts, request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(app.now()),
    }
}

fn check(own: &OwnHosts, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let forbidden = |message: String| Err(ApiError::new(StatusCode::FORBIDDEN, message));
    let hosts = headers.get_all(HOST).iter().map(|host| host.to_str().ok().and_then(|host| host.parse().ok()));
    let hosts: Option<Vec<Authority>> = hosts.chain(uri.authority().map(|named| Some(named.clone()))).collect();
    if !hosts.is_some_and(|hosts| !hosts.is_empty() && hosts.iter().all(|host| own.include(host.host()))) {
        return forbidden(
            "/__sim/ is available under localhost, 127.0.0.1, [::1] and the address of --listen only; send one of them as Host."
                .to_owned(),
        );
    }
    if headers.contains_key(ORIGIN) {
        return forbidden(
            "/__sim/ is not available to web pages; send the request without the header Origin.".to_owned(),
        );
    }
    // DELETE has no body. A page of another site can send it only after a preflight request, which is never answered.
    if method == Method::POST && !is_json(headers) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be JSON; send it with Content-Type: application/json.",
        ));
    }
    Ok(())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}
