//! Turns an error response or a transport error into the one [`Error`] that a caller sees.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode, header};

use super::error_body::ErrorBody;
use crate::error::{Error, ErrorKind, Sent, TimeoutPhase};
use crate::http_util::{self, classify_reqwest_error, is_html, retry_after};
use crate::text::{SNIPPET_LIMIT, one_line};

/// The limit on the bytes read from an error body. No message of the service is longer.
pub(crate) const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// A failed response, or a request without one.
#[derive(Clone, Copy)]
pub(crate) enum ResponseFailure<'a> {
    /// A response with an error status, or with a redirect that is not followed. `now` is the client's time, for a service that sends no `Date`.
    ErrorStatus { status: StatusCode, headers: &'a HeaderMap, body: &'a [u8], now: SystemTime },
    /// A success whose content the document does not describe.
    UnexpectedBody { status: StatusCode, headers: &'a HeaderMap, body: &'a [u8], why: &'a str },
    /// A request without a response, or a response whose body failed.
    Transport(&'a reqwest::Error),
}

/// Classifies a failure: its kind, whether the service may have received the request, and the message for the caller.
///
/// This is the only place that does so. Texts of the service are bounded and reduced to one line; the caller has masked the secrets in them.
pub(crate) fn classify(failure: ResponseFailure<'_>) -> Error {
    match failure {
        ResponseFailure::ErrorStatus { status, headers, body, now } => {
            let retry_after = retry_after(headers, now);
            let sent = Sent::by_status(status, retry_after);
            error_status(status, headers, body).with_retry_after(retry_after).with_sent(sent)
        }
        ResponseFailure::UnexpectedBody { status, headers, body, why } => {
            Error::new(ErrorKind::Decode, format!("{status}, but {}", one_line(why)))
                .with_status(status)
                .with_headers(headers)
                .with_request_id(request_id(headers))
                .with_snippet(snippet(body))
                .with_sent(Sent::Maybe)
        }
        ResponseFailure::Transport(error) => transport_error(error),
    }
}

fn error_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let parsed = ErrorBody::parse(media_type(headers), body);
    let text = match parsed.line() {
        Some(line) => format!("{status}: {}", one_line(&line)),
        None if status.is_redirection() => format!("{status}: redirect not followed; check the base URL"),
        None if media_type(headers).is_some_and(is_html) => {
            format!("{status}: the response is an HTML page, possibly the error page of a proxy")
        }
        None => format!("{status} without a message"),
    };
    let has_message = parsed.message.is_some();
    Error::new(ErrorKind::Api, text)
        .with_status(status)
        .with_headers(headers)
        .with_api_message(parsed.message, parsed.timestamp)
        .with_request_id(request_id(headers))
        .with_snippet(snippet(body).filter(|_| !has_message))
}

fn transport_error(error: &reqwest::Error) -> Error {
    let (kind, sent) = classify_reqwest_error(error);
    if let Some(own) = Error::find(error) {
        // An error of this crate that passed through a body or a hook.
        return own.clone().with_sent(sent);
    }
    let (what, phase) = match kind {
        ErrorKind::Input => ("invalid request; check the ids and values in it", None),
        ErrorKind::Timeout if sent == Sent::No => ("timed out connecting to the service", Some(TimeoutPhase::Connect)),
        ErrorKind::Connect => ("could not connect to the service", None),
        ErrorKind::Timeout => ("timed out waiting for the service", Some(TimeoutPhase::Attempt)),
        _ => ("connection lost", None),
    };
    let classified = http_util::request_error(kind, what, error).with_sent(sent);
    match phase {
        Some(phase) => classified.with_phase(phase),
        None => classified,
    }
}

/// Returns the request id of a response. The document names no header for it; these two are common.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "x-correlation-id"]
        .iter()
        .find_map(|name| headers.get(*name))
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// Returns the `Content-Type` of a response.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// Returns the beginning of a body as text.
fn snippet(body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    // One character (4 bytes) more than the limit, so that no character is cut; a byte never becomes shorter as text.
    let mut text = String::from_utf8_lossy(&body[..body.len().min(SNIPPET_LIMIT + 4)]).into_owned();
    let end = (0..=SNIPPET_LIMIT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    Some(text)
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn classified(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        classify(ResponseFailure::ErrorStatus { status, headers, body, now: SystemTime::UNIX_EPOCH })
    }

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn shows_the_message_of_the_service() {
        let body = br#"{"timestamp":"2023-09-21T12:45:00Z","message":"no such\ndossier"}"#;
        let error = classified(StatusCode::NOT_FOUND, &HeaderMap::new(), body);
        assert_eq!(error.to_string(), "404 Not Found: no such dossier");
        assert_eq!(error.api_message(), Some("no such\ndossier"));
        assert_eq!(error.body_snippet(), None);
        assert!(error.is_not_found());
    }

    #[test]
    fn shows_texts_of_gateways_and_frameworks() {
        let line = |body: &str| classified(StatusCode::CONFLICT, &HeaderMap::new(), body.as_bytes()).to_string();
        assert_eq!(
            line(r#"{"type":"about:blank","title":"Busy","detail":"Come later."}"#),
            "409 Conflict: Come later."
        );
        assert_eq!(line(r#"{"type":"about:blank","title":"Busy"}"#), "409 Conflict: Busy");
        assert_eq!(
            line(r#"{"timestamp":"2023-09-21T12:45:00Z","status":409,"error":"Conflict","path":"/api"}"#),
            "409 Conflict: Conflict"
        );
        assert_eq!(line(r#"{"message":" ","detail":7}"#), "409 Conflict without a message");
        let listed = r#"{"title":"Invalid.","errors":{"name":["missing\n\u001b[31m","short\u202e"]}}"#;
        assert_eq!(line(listed), "409 Conflict: Invalid: name: missing  [31m; short");
        assert_eq!(line("\u{feff}nonsense"), "409 Conflict without a message");
    }

    #[test]
    fn keeps_an_html_page_as_snippet() {
        let headers = headers(&[(header::CONTENT_TYPE, "text/html; charset=utf-8")]);
        let error = classified(StatusCode::BAD_GATEWAY, &headers, b"<html>502</html>");
        assert!(error.is_transient());
        assert_eq!(error.body_snippet(), Some("<html>502</html>"));
        assert_eq!(error.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }

    #[test]
    fn accepts_an_empty_body() {
        let error = classified(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), b"");
        assert_eq!(error.to_string(), "500 Internal Server Error without a message");
    }
}
