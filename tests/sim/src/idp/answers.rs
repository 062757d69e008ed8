//! The shapes of the provider's answers: JSON with and without cache headers, empty bodies, pages, redirects.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, PRAGMA};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

/// What the device endpoint and the login pages say about caches.
const MUST_REVALIDATE: &str = "no-store, must-revalidate, max-age=0";

/// What an answer says about caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caching {
    /// Nothing.
    Unsaid,
    /// As the token endpoint does: `no-store`, and `Pragma: no-cache`.
    NoStore,
    /// As the device endpoint does.
    MustRevalidate,
    /// As the logout endpoint does.
    NoCache,
}

/// A refusal with an OAuth error body.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) description: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into() }
    }

    /// 400 with `error`.
    pub(super) fn bad(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// 400 `invalid_grant`, the refusal with many meanings.
    pub(super) fn grant(description: impl Into<String>) -> Self {
        Self::bad("invalid_grant", description)
    }

    pub(super) fn answer(self, caching: Caching) -> Response {
        json_answer(self.status, caching, &json!({ "error": self.error, "error_description": self.description }))
    }
}

pub(super) fn json_answer(status: StatusCode, caching: Caching, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    cached(response, caching)
}

pub(super) fn empty(status: StatusCode, caching: Caching) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    cached(response, caching)
}

pub(super) fn page(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html;charset=utf-8"));
    cached(response, Caching::MustRevalidate)
}

/// The same page with nothing said about caches.
pub(super) fn unsaid(mut page: Response) -> Response {
    page.headers_mut().remove(CACHE_CONTROL);
    page
}

/// 302 to `location`, which must be made of URL characters only.
pub(super) fn redirect(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = empty(StatusCode::FOUND, Caching::MustRevalidate);
    response.headers_mut().insert(LOCATION, location);
    response
}

/// The realm of the URL is not ours.
pub(super) fn no_such_realm() -> Response {
    json_answer(StatusCode::NOT_FOUND, Caching::Unsaid, &json!({ "error": "Realm does not exist" }))
}

/// The path is there, the method is not.
pub(super) fn wrong_method() -> Response {
    json_answer(StatusCode::METHOD_NOT_ALLOWED, Caching::Unsaid, &json!({ "error": "HTTP 405 Method Not Allowed" }))
}

pub(super) fn cached(mut response: Response, caching: Caching) -> Response {
    let text = match caching {
        Caching::Unsaid => return response,
        Caching::NoStore => "no-store",
        Caching::MustRevalidate => MUST_REVALIDATE,
        Caching::NoCache => "no-cache",
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(text));
    if caching == Caching::NoStore {
        response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    }
    response
}
