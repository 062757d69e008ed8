//! From an answer, or from a connection's trouble, to the one [`Error`] a caller sees.

use std::error::Error as StdError;
use std::io;
use std::time::SystemTime;

use http::{HeaderMap, StatusCode, header};

use super::error_body::ErrorBody;
use crate::error::{Error, ErrorKind, Sent, TimeoutPhase};
use crate::net::{causes, fate, retry_after, root_cause};
use crate::text::{SNIPPET_LIMIT, one_line};

/// Of an error answer at most this much is read: what is longer is no message of the service.
pub(crate) const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// What there is to judge by.
#[derive(Clone, Copy)]
pub(crate) enum ResponseFailure<'a> {
    /// An answer with an error status (or with a redirect that is not followed); `now` is the client's time, for a service that gives none.
    ErrorStatus { status: StatusCode, headers: &'a HeaderMap, body: &'a [u8], now: SystemTime },
    /// A success that is not what the document describes.
    UnexpectedBody { status: StatusCode, headers: &'a HeaderMap, body: &'a [u8], why: &'a str },
    /// A request that got no answer, or an answer that broke off.
    Transport(&'a reqwest::Error),
}

/// The one place where it is decided what a failure is: its kind, whether the request may have been seen, and what a caller reads.
///
/// Texts of others are bounded and brought to one line; what they hold of secrets, whoever read them has taken out.
pub(crate) fn classify(evidence: ResponseFailure<'_>) -> Error {
    match evidence {
        ResponseFailure::ErrorStatus { status, headers, body, now } => {
            let retry_after = retry_after(headers, now);
            // RFC 9110 section 15.6.4: unavailable for now, and when to come back. Other errors of the server may come in the middle of the work.
            let unavailable = status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some();
            let sent = if status.is_client_error() || unavailable { Sent::Refused } else { Sent::Maybe };
            refusal(status, headers, body).with_retry_after(retry_after).with_sent(sent)
        }
        ResponseFailure::UnexpectedBody { status, headers, body, why } => {
            Error::new(ErrorKind::Decode, format!("{status}, but {}", one_line(why)))
                .with_status(status)
                .with_headers(headers)
                .with_request_id(request_id(headers))
                .with_snippet(snippet(body))
                .with_sent(Sent::Maybe)
        }
        ResponseFailure::Transport(error) => no_answer(error),
    }
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let read = ErrorBody::read(media_type(headers), body);
    let text = match read.line() {
        Some(line) => format!("{status}: {}", one_line(&line)),
        None if status.is_redirection() => {
            format!("{status}: the service points elsewhere, which is not followed; check the base URL")
        }
        None if media_type(headers).is_some_and(is_html) => {
            format!("{status}: the answer is a web page, perhaps of a proxy in between")
        }
        None => format!("{status} without a message"),
    };
    let understood = read.message.is_some();
    Error::new(ErrorKind::Api, text)
        .with_status(status)
        .with_headers(headers)
        .with_api(read.message, read.timestamp)
        .with_request_id(request_id(headers))
        .with_snippet(snippet(body).filter(|_| !understood))
}

fn no_answer(broken: &reqwest::Error) -> Error {
    let cause = root_cause(broken);
    let (kind, sent) = fate(broken);
    let text = match kind {
        ErrorKind::Input => format!("the request can't be made ({cause}); check the ids and values in it"),
        ErrorKind::Timeout if sent == Sent::No => format!("no connection to the service was made in time: {cause}"),
        ErrorKind::Connect => format!("could not connect to the service: {cause}"),
        ErrorKind::Timeout => format!("the service did not answer in time: {cause}"),
        _ => format!("the connection broke: {cause}"),
    };
    if let Some(own) = Error::find(broken) {
        // On its way through a body or a hook.
        return own.clone().with_sent(sent);
    }
    let mut error = Error::new(kind, text).with_sent(sent);
    if let Some(system) = system_error(causes(broken)) {
        error = error.with_detail(system);
    }
    if kind == ErrorKind::Timeout {
        error = error.with_phase(if sent == Sent::No { TimeoutPhase::Connect } else { TimeoutPhase::Attempt });
    }
    error
}

/// The system's own error behind a connection's trouble, by which a program tells "refused" from "unreachable".
fn system_error<'a>(mut chain: impl Iterator<Item = &'a (dyn StdError + 'static)>) -> Option<io::Error> {
    let found = chain
        .find_map(|error| error.downcast_ref::<io::Error>().filter(|error| error.kind() != io::ErrorKind::Other))?;
    Some(io::Error::new(found.kind(), one_line(&found.to_string())))
}

/// No document names a request id header; these two are common.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "x-correlation-id"]
        .iter()
        .find_map(|name| headers.get(*name))
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// Whether a `Content-Type` is that of a web page.
pub(crate) fn is_html(media_type: &str) -> bool {
    const HTML: &str = "text/html";
    media_type.trim_start().get(..HTML.len()).is_some_and(|start| start.eq_ignore_ascii_case(HTML))
}

fn snippet(body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    // The longest character more than is shown, so that none is torn at the end; no byte becomes less than one byte of text.
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

    fn error_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        classify(ResponseFailure::ErrorStatus { status, headers, body, now: SystemTime::UNIX_EPOCH })
    }

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

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
    fn a_problem_of_a_gateway_and_a_frameworks_own_body_say_what_they_can() {
        let said = |body: &str| error_answer(StatusCode::CONFLICT, &HeaderMap::new(), body.as_bytes()).to_string();
        assert_eq!(
            said(r#"{"type":"about:blank","title":"Busy","detail":"Come later."}"#),
            "409 Conflict: Come later."
        );
        assert_eq!(said(r#"{"type":"about:blank","title":"Busy"}"#), "409 Conflict: Busy");
        assert_eq!(
            said(r#"{"timestamp":"2023-09-21T12:45:00Z","status":409,"error":"Conflict","path":"/api"}"#),
            "409 Conflict: Conflict"
        );
        assert_eq!(said(r#"{"message":" ","detail":7}"#), "409 Conflict without a message");
        let listed = r#"{"title":"Invalid.","errors":{"name":["missing\n\u001b[31m","short\u202e"]}}"#;
        assert_eq!(said(listed), "409 Conflict: Invalid: name: missing  [31m; short");
        assert_eq!(said("\u{feff}nonsense"), "409 Conflict without a message");
    }

    #[test]
    fn a_web_page_is_named_and_kept() {
        let headers = headers(&[(header::CONTENT_TYPE, "text/html; charset=utf-8")]);
        let error = error_answer(StatusCode::BAD_GATEWAY, &headers, b"<html>502</html>");
        assert!(error.is_transient());
        assert_eq!(error.body_snippet(), Some("<html>502</html>"));
        assert_eq!(error.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }

    #[test]
    fn an_empty_body_is_no_trouble() {
        let error = error_answer(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), b"");
        assert_eq!(error.to_string(), "500 Internal Server Error without a message");
    }
}
