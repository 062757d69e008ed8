//! The request of an operation, prepared for its handler.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api_error::{ApiError, excerpt};
use crate::timestamp::Timestamp;
use crate::wire::{self, WireMapping, WireOperation};

/// Maximum size of a JSON body.
const MAX_JSON_BYTES: usize = 16 * 1024 * 1024;

/// The request of an operation.
pub(super) struct ApiCall {
    parameters: BTreeMap<&'static str, String>,
    query: Vec<(String, String)>,
    /// The document's spelling of the operation.
    wire: Option<(&'static WireMapping, &'static WireOperation)>,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    body: Option<Body>,
    /// The caller, if the token names a user.
    pub(super) username: Option<String>,
}

/// Parses a boolean.
pub(super) fn flag(name: &str, given: Option<&str>) -> Result<Option<bool>, ApiError> {
    match given {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(ApiError::bad_request(format!("The parameter {name} must be true or false."))),
    }
}

impl ApiCall {
    pub(super) fn new(request: Request, operation: &str, parameters: BTreeMap<&'static str, String>) -> Self {
        let (parts, body) = request.into_parts();
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let query = parts.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty());
        let query = query
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)));
        Self {
            parameters,
            query: query.collect(),
            wire: wire::current().and_then(|wire| Some((wire, wire.operation(operation)?))),
            path: parts.uri.path().to_owned(),
            headers: parts.headers,
            body: Some(body),
            username: None,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns a path parameter.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    pub(super) fn template_id(&self) -> &str {
        self.parameter("dossierTemplateId")
    }

    pub(super) fn dossier_id(&self) -> &str {
        self.parameter("dossierId")
    }

    pub(super) fn file_id(&self) -> &str {
        self.parameter("fileId")
    }

    pub(super) fn download_id(&self) -> &str {
        self.parameter("downloadId")
    }

    /// Returns the name of a query parameter in the document in use. `None` if the document lacks the parameter.
    fn query_name<'a>(&self, name: &'a str) -> Option<&'a str> {
        match self.wire {
            Some((_, operation)) => operation.query(name),
            None => Some(name),
        }
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let is_header = self.wire.is_some_and(|(_, operation)| operation.is_header(name));
        let name = self.query_name(name)?;
        if is_header {
            return self.header(name);
        }
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn query_pairs(&self) -> &[(String, String)] {
        &self.query
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        flag(name, self.query(name)).map(|given| given.unwrap_or(default))
    }

    pub(super) fn moment(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let moment = Timestamp::parse(text).ok_or_else(|| {
            ApiError::bad_request(format!("The parameter {name} must be a date and time like 2024-01-31T00:00:00Z."))
        })?;
        Ok(Some(moment))
    }

    /// Returns whether `media_type` is the document's media type for XML of this operation.
    pub(super) fn is_xml(&self, media_type: &str) -> bool {
        self.wire.is_some_and(|(_, operation)| operation.is_xml(media_type))
    }

    /// Takes the body, for a handler that streams it.
    pub(super) fn take_body(&mut self) -> Body {
        self.body.take().unwrap_or_default()
    }

    /// Reads the JSON object in the body.
    pub(super) async fn object(&mut self) -> Result<Map<String, Value>, ApiError> {
        let kind =
            self.header("content-type").unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
            let kind = if kind.is_empty() { "none".to_owned() } else { excerpt(&kind) };
            return Err(ApiError::bad_request(format!("The content type must be application/json, not {kind}.")));
        }
        let bytes = axum::body::to_bytes(self.take_body(), MAX_JSON_BYTES)
            .await
            .map_err(|_| ApiError::bad_request("The body could not be read, or it is bigger than 16 MiB."))?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => Ok(match self.wire {
                Some((wire, operation)) => wire.request(operation, object),
                None => object,
            }),
            Ok(_) => Err(ApiError::bad_request("The body must be a JSON object.")),
            Err(error) => Err(ApiError::bad_request(format!("The body is not JSON: {error}."))),
        }
    }

    /// Reads a body that no handler has read.
    pub(super) async fn drain(&mut self) {
        crate::net::drain(self.take_body()).await;
    }
}

/// Returns a response with a JSON body.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, ApiError> {
    let text = serde_json::to_string(value)
        .map_err(|error| ApiError::internal("The response could not be written", &error))?;
    Ok(text_response(status, "application/json", text))
}

pub(super) fn text_response(status: StatusCode, kind: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

pub(super) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
