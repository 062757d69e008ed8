//! The routes of the provider.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawPathParams, RawQuery, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::{HeaderMap, StatusCode};

use super::pages::layout;
use super::params::Params;
use super::realm::Provider;
use super::responses::{method_not_allowed, no_such_realm, page, without_cache_headers};

/// All names that [`operation`] returns.
pub(crate) const OPERATIONS: [&str; 10] =
    ["auth", "token", "device", "revoke", "logout", "certs", "userinfo", "discovery", "login", "device-page"];

/// Returns the journal name of an endpoint of the identity provider, or `None` for another path.
///
/// ```
/// assert_eq!(documine_sim::idp::operation("/auth/realms/acme/protocol/openid-connect/token"), Some("token"));
/// assert_eq!(documine_sim::idp::operation("/api/license"), None);
/// ```
pub fn operation(path: &str) -> Option<&'static str> {
    let (_realm, rest) = path.strip_prefix("/auth/realms/")?.split_once('/')?;
    match rest {
        "protocol/openid-connect/auth" => Some("auth"),
        "protocol/openid-connect/token" => Some("token"),
        "protocol/openid-connect/auth/device" => Some("device"),
        "protocol/openid-connect/revoke" => Some("revoke"),
        "protocol/openid-connect/logout" => Some("logout"),
        "protocol/openid-connect/certs" => Some("certs"),
        "protocol/openid-connect/userinfo" => Some("userinfo"),
        ".well-known/openid-configuration" => Some("discovery"),
        "login-actions/authenticate" | "login-actions/consent" => Some("login"),
        "device" | "device/status" => Some("device-page"),
        _ => None,
    }
}

impl Provider {
    /// Returns the routes below `/auth/`, and below `/realms/` the "not found" page of a wrong base path.
    pub fn router(&self) -> Router {
        let at = |path: &str| format!("/auth/realms/{{realm}}/{path}");
        let protocol = |path: &str| at(&format!("protocol/openid-connect/{path}"));
        let realm = Router::new()
            .route(&protocol("auth"), get(authorization).post(authorization_post))
            .route(&protocol("token"), post(token))
            .route(&protocol("auth/device"), post(device_request))
            .route(&protocol("revoke"), post(revoke))
            .route(&protocol("logout"), get(logout_get).post(logout_post))
            .route(&protocol("certs"), get(certs))
            .route(&protocol("userinfo"), get(userinfo).post(userinfo))
            .route(&at(".well-known/openid-configuration"), get(discovery))
            .route(&at("login-actions/authenticate"), post(authenticate))
            .route(&at("login-actions/consent"), post(consent))
            .route(&at("device"), get(device_page).post(device_page_post))
            .route(&at("device/status"), get(device_status))
            .method_not_allowed_fallback(async || method_not_allowed())
            .route_layer(middleware::from_fn_with_state(self.clone(), known_realm));
        Router::new()
            .route("/auth/{*rest}", any(not_found))
            .route("/realms/{*rest}", any(not_found))
            .merge(realm)
            .with_state(self.clone())
    }
}

/// Rejects requests for other realms.
async fn known_realm(
    State(provider): State<Provider>,
    params: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let workspace = &provider.realm.config.workspace;
    if params.iter().any(|(name, value)| name == "realm" && value == workspace) {
        next.run(request).await
    } else {
        no_such_realm()
    }
}

async fn not_found(State(provider): State<Provider>) -> Response {
    let html = layout(&provider.realm.config.workspace, "This did not work", "<p>Resource not found</p>");
    without_cache_headers(page(StatusCode::NOT_FOUND, html))
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    provider.realm.token(&headers, &body)
}

async fn authorization(State(provider): State<Provider>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    provider.realm.authorization(&headers, &Params::from_query(query.as_deref()))
}

async fn authorization_post(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    provider.realm.authorization(&headers, &Params::from_form(&headers, &body))
}

async fn authenticate(
    State(provider): State<Provider>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    provider.realm.authenticate(&headers, &Params::from_query(query.as_deref()), &Params::from_form(&headers, &body))
}

async fn consent(
    State(provider): State<Provider>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    provider.realm.consent(&headers, &Params::from_query(query.as_deref()), &Params::from_form(&headers, &body))
}

async fn device_request(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    provider.realm.device_request(&headers, &Params::from_form(&headers, &body))
}

async fn device_page(State(provider): State<Provider>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    provider.realm.device_page(&headers, &Params::from_query(query.as_deref()))
}

async fn device_page_post(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    provider.realm.device_page(&headers, &Params::from_form(&headers, &body))
}

async fn device_status(State(provider): State<Provider>, RawQuery(query): RawQuery) -> Response {
    provider.realm.device_status(&Params::from_query(query.as_deref()))
}

async fn revoke(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    provider.realm.revoke(&headers, &Params::from_form(&headers, &body))
}

async fn logout_get(State(provider): State<Provider>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    provider.realm.logout(&headers, &Params::from_query(query.as_deref()), false)
}

async fn logout_post(
    State(provider): State<Provider>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::from_form(&headers, &body).chain(Params::from_query(query.as_deref()));
    provider.realm.logout(&headers, &params, true)
}

async fn userinfo(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    provider.realm.userinfo(&headers)
}

async fn discovery(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    provider.realm.discovery(&headers)
}

async fn certs(State(provider): State<Provider>) -> Response {
    provider.realm.certs()
}
