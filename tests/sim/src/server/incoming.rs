//! Properties of a request for the journal, the faults and the check.

use std::time::SystemTime;

use axum::extract::Request;
use http::{HeaderMap, Method, Uri};

use crate::idp;
use crate::service::{App, RouteMatch};

/// A request as received.
pub(super) struct IncomingRequest {
    pub(super) operation: Option<String>,
    /// True if the request is for the identity provider, not for the API.
    pub(super) provider: bool,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) at: SystemTime,
}

impl IncomingRequest {
    pub(super) fn new(app: &App, request: &Request) -> Self {
        let path = request.uri().path();
        let provided = idp::operation(path);
        let operation = match app.routes.find(request.method().as_str(), path) {
            RouteMatch::Operation { id, .. } => Some(id.to_owned()),
            RouteMatch::MethodNotAllowed(_) | RouteMatch::NotFound => provided.map(str::to_owned),
        };
        Self {
            operation,
            provider: provided.is_some(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            at: app.clock.now(),
        }
    }
}
