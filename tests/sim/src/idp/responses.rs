//! Responses of the provider: JSON with and without cache headers, empty bodies, pages, redirects.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, PRAGMA};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

/// The cache header of the device endpoint and the login pages.
const MUST_REVALIDATE: &str = "no-store, must-revalidate, max-age=0";

/// The cache headers of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CachePolicy {
    /// No cache headers.
    Unset,
    /// As the token endpoint: `no-store`, and `Pragma: no-cache`.
    NoStore,
    /// As the device endpoint.
    MustRevalidate,
    /// As the logout endpoint.
    NoCache,
}

/// An error in the form of OAuth.
#[derive(Debug)]
pub(super) struct OAuthError {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) description: String,
}

impl OAuthError {
    pub(super) fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into() }
    }

    /// Creates a 400 with `error`.
    pub(super) fn bad_request(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// Creates a 400 `invalid_grant`, the error of most failed grants.
    pub(super) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::bad_request("invalid_grant", description)
    }

    pub(super) fn into_response(self, policy: CachePolicy) -> Response {
        json_response(self.status, policy, &json!({ "error": self.error, "error_description": self.description }))
    }
}

pub(super) fn json_response(status: StatusCode, policy: CachePolicy, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    with_cache_policy(response, policy)
}

pub(super) fn empty(status: StatusCode, policy: CachePolicy) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    with_cache_policy(response, policy)
}

pub(super) fn page(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html;charset=utf-8"));
    with_cache_policy(response, CachePolicy::MustRevalidate)
}

/// Removes the cache headers of a page.
pub(super) fn without_cache_headers(mut page: Response) -> Response {
    page.headers_mut().remove(CACHE_CONTROL);
    page
}

/// Redirects with 302 to `location`, which must consist of URL characters.
pub(super) fn redirect(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = empty(StatusCode::FOUND, CachePolicy::MustRevalidate);
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Returns the error for another realm.
pub(super) fn no_such_realm() -> Response {
    json_response(StatusCode::NOT_FOUND, CachePolicy::Unset, &json!({ "error": "Realm does not exist" }))
}

/// Returns the error for an unsupported method.
pub(super) fn method_not_allowed() -> Response {
    json_response(
        StatusCode::METHOD_NOT_ALLOWED,
        CachePolicy::Unset,
        &json!({ "error": "HTTP 405 Method Not Allowed" }),
    )
}

pub(super) fn with_cache_policy(mut response: Response, policy: CachePolicy) -> Response {
    let text = match policy {
        CachePolicy::Unset => return response,
        CachePolicy::NoStore => "no-store",
        CachePolicy::MustRevalidate => MUST_REVALIDATE,
        CachePolicy::NoCache => "no-cache",
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(text));
    if policy == CachePolicy::NoStore {
        response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    }
    response
}
