//! From an answer, or from a connection's trouble, to the one [`Error`] a caller sees.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Sent};
use crate::net::{root_cause, transport_error};
use crate::text::{SNIPPET_LIMIT, one_line};

/// Of an error answer at most this much is read: what is longer is no message of the service.
pub(crate) const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// The published error body.
#[derive(Deserialize)]
struct ErrorMessage {
    timestamp: Option<String>,
    message: Option<String>,
}

/// An answer with an error status (or with a redirect, which is never followed).
pub(crate) fn error_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let parsed = serde_json::from_slice::<ErrorMessage>(body).ok();
    let (message, timestamp) = parsed.map_or((None, None), |parsed| (parsed.message, parsed.timestamp));
    let message = message.filter(|text| !text.trim().is_empty());
    let text = match &message {
        Some(message) => format!("{status}: {}", one_line(message)),
        None if status.is_redirection() => {
            format!("{status}: the service points elsewhere, which is not followed; check the base URL")
        }
        None if is_html(headers) => {
            format!("{status}: the answer is a web page, perhaps of a proxy in between")
        }
        None => format!("{status} without a message"),
    };
    let understood = message.is_some();
    Error::new(ErrorKind::Api, text)
        .with_status(status)
        .with_api(message, timestamp)
        .with_request_id(request_id(headers))
        .with_retry_after(retry_after(headers))
        .with_snippet(snippet(body).filter(|_| !understood))
        .with_sent(Sent::Maybe)
}

/// A success that is not what the document describes.
pub(crate) fn unexpected_answer(status: StatusCode, headers: &HeaderMap, body: &[u8], why: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("{status}, but {why}"))
        .with_status(status)
        .with_request_id(request_id(headers))
        .with_snippet(snippet(body))
        .with_sent(Sent::Maybe)
}

/// A request that got no answer.
pub(crate) fn no_answer(error: &reqwest::Error) -> Error {
    let (kind, sent) = transport_error(error);
    let cause = root_cause(error);
    let own = Error::find(error);
    let text = match kind {
        ErrorKind::Input => format!("the request can't be made ({cause}); check the ids and values in it"),
        ErrorKind::Connect => format!("could not connect to the service: {cause}"),
        ErrorKind::Timeout => format!("the service did not answer in time: {cause}"),
        _ => format!("the connection broke: {cause}"),
    };
    match own {
        // Our own error, on its way through a body or a hook.
        Some(own) => own.clone().with_sent(sent),
        None => Error::new(kind, text).with_sent(sent),
    }
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3). Its other form, a date, is not read.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// No document names a request id header; these two are common.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "x-correlation-id"]
        .iter()
        .find_map(|name| headers.get(*name))
        .and_then(|value| value.to_str().ok())
        .map(|text| text.chars().take(128).collect())
}

pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

fn snippet(body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    let end = body.len().min(SNIPPET_LIMIT);
    Some(String::from_utf8_lossy(&body[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_message_is_shown() {
        let body = br#"{"timestamp":"2023-09-21T12:45:00Z","message":"no such\ndossier"}"#;
        let error = error_answer(StatusCode::NOT_FOUND, &HeaderMap::new(), body);
        assert_eq!(error.to_string(), "404 Not Found: no such dossier");
        assert_eq!(error.api_message(), Some("no such\ndossier"));
        assert_eq!(error.body_snippet(), None);
        assert!(error.is_not_found());
    }

    #[test]
    fn a_web_page_is_named_and_kept() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("7"));
        let error = error_answer(StatusCode::BAD_GATEWAY, &headers, b"<html>502</html>");
        assert!(error.is_transient());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.body_snippet(), Some("<html>502</html>"));
    }

    #[test]
    fn an_empty_body_is_no_trouble() {
        let error = error_answer(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), b"");
        assert_eq!(error.to_string(), "500 Internal Server Error without a message");
    }
}
