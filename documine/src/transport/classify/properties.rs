//! Properties of errors made from any response: they are fit to be shown, and describe the response correctly.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use httpdate::fmt_http_date;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::properties::cases;

/// The limit on the characters of an error line: status and reason (at most 40), a text of the service, a request id (at most 128), and the
/// words between them.
const LINE_LIMIT: usize = 40 + SNIPPET_LIMIT + 128 + 40;

/// The last second of an HTTP date, in the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// Generates header values of any bytes that HTTP allows.
fn value() -> impl Strategy<Value = HeaderValue> {
    let byte = prop_oneof![8 => 32_u8..127, 1 => Just(b'\t'), 1 => 128_u8..=255];
    vec(byte, 0..300).prop_filter_map("a value", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    const NAMES: [&str; 6] = ["content-type", "retry-after", "date", "x-request-id", "x-correlation-id", "x-other"];
    const KNOWN: [&str; 5] =
        ["text/html", "Text/HTML; charset=x", "application/json", "5", "Sun, 06 Nov 1994 08:49:37 GMT"];
    let value = prop_oneof![value(), prop::sample::select(&KNOWN).prop_map(HeaderValue::from_static)];
    vec((prop::sample::select(&NAMES), value), 0..6)
        .prop_map(|fields| fields.into_iter().map(|(name, value)| (HeaderName::from_static(name), value)).collect())
}

/// Generates texts with characters of every length and some line breaks.
fn text() -> impl Strategy<Value = String> {
    let c = prop_oneof![4 => any::<char>(), 1 => prop::sample::select(&['\n', '\r', '\u{85}', '\u{2028}', ' ', 'a'])];
    vec(c, 0..700).prop_map(String::from_iter)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..1500),
        text().prop_map(String::into_bytes),
        (text(), text(), "[a-z]{1,9}")
            .prop_map(|(a, b, name)| json!({"message": a, "timestamp": b, name: 1}).to_string().into()),
        (text(), text()).prop_map(|(a, b)| json!({"title": a, "detail": b, "status": 1}).to_string().into()),
        Just(b"<html><title>502 Bad Gateway</title></html>".to_vec()),
    ]
}

fn status() -> impl Strategy<Value = StatusCode> {
    let all = (100_u16..1000).prop_filter_map("a status", |code| StatusCode::from_u16(code).ok());
    prop_oneof![
        all,
        prop::sample::select(&[408_u16, 425, 429, 500, 502, 503, 504, 507])
            .prop_map(|code| StatusCode::from_u16(code).unwrap_or_default())
    ]
}

/// Checks the properties of every error made from a response.
fn check(error: &Error, status: StatusCode, body: &[u8]) -> Result<(), TestCaseError> {
    let line = error.to_string();
    prop_assert!(line.chars().count() <= LINE_LIMIT, "{} characters", line.chars().count());
    prop_assert!(!line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')), "{:?}", line);
    prop_assert_eq!(error.status(), Some(status));
    prop_assert!(error.was_sent());
    if let Some(snippet) = error.body_snippet() {
        prop_assert!(snippet.len() <= SNIPPET_LIMIT, "{} bytes", snippet.len());
        prop_assert!(String::from_utf8_lossy(body).starts_with(snippet), "{:?}", snippet);
        prop_assert!(!snippet.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn shows_any_error_status_in_one_line(status in status(), headers in headers(), body in body()) {
        let now = SystemTime::UNIX_EPOCH;
        let error = classify(ResponseFailure::ErrorStatus { status, headers: &headers, body: &body, now });
        check(&error, status, &body)?;
        prop_assert_eq!(error.kind(), ErrorKind::Api);
        prop_assert_eq!(error.is_transient(), [408, 429, 502, 503, 504].contains(&status.as_u16()));
        let unavailable = status == 503 && error.retry_after().is_some();
        prop_assert_eq!(error.is_safe_to_repeat(), status.is_client_error() || unavailable);
        prop_assert_eq!(error.is_not_found(), status == 404);
        prop_assert_eq!(error.is_unauthorized(), status == 401);
        prop_assert_eq!(error.is_rate_limited(), status == 429);
        prop_assert!(!error.needs_login() && !error.is_timeout());
        prop_assert_eq!(error.headers(), &headers);
        // A parsed message replaces the snippet.
        prop_assert_eq!(error.body_snippet().is_none(), body.is_empty() || error.api_message().is_some());
    }

    #[test]
    fn keeps_and_shows_the_whole_message(message in text(), status in status()) {
        prop_assume!(!message.trim().is_empty());
        let body = json!({"timestamp": "2023-09-21T12:45:00Z", "message": message}).to_string();
        let (headers, now) = (HeaderMap::new(), SystemTime::UNIX_EPOCH);
        let error = classify(ResponseFailure::ErrorStatus { status, headers: &headers, body: body.as_bytes(), now });
        prop_assert_eq!(error.api_message(), Some(message.as_str()));
        prop_assert_eq!(error.to_string(), format!("{status}: {}", one_line(&message)));
    }

    #[test]
    fn shows_any_unexpected_body_in_one_line(code in 200_u16..300, headers in headers(), body in body(), why in text()) {
        let status = StatusCode::from_u16(code).unwrap_or_default();
        let error = classify(ResponseFailure::UnexpectedBody { status, headers: &headers, body: &body, why: &why });
        check(&error, status, &body)?;
        prop_assert_eq!(error.kind(), ErrorKind::Decode);
        prop_assert!(!error.is_transient());
        prop_assert_eq!(error.body_snippet().is_none(), body.is_empty());
    }

    #[test]
    fn reads_retry_after_in_seconds(seconds: u64, blanks in "[ \t]{0,3}", headers in headers()) {
        let mut headers = headers;
        headers.insert(header::RETRY_AFTER, value_of(&format!("{blanks}{seconds}{blanks}"))?);
        prop_assert_eq!(retry_after(&headers, SystemTime::UNIX_EPOCH), Some(Duration::from_secs(seconds)));
    }

    #[test]
    fn saturates_retry_after_of_many_digits(digits in "[1-9][0-9]{20,40}") {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value_of(&digits)?)]);
        prop_assert_eq!(retry_after(&headers, SystemTime::UNIX_EPOCH), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn reads_retry_after_as_date(at in 0..=LAST_SECOND, date in prop::option::of(0..=LAST_SECOND), now in 0..=LAST_SECOND) {
        let time = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut headers = HeaderMap::from_iter([(header::RETRY_AFTER, value_of(&fmt_http_date(time(at)))?)]);
        if let Some(date) = date {
            headers.insert(header::DATE, value_of(&fmt_http_date(time(date)))?);
        }
        let expected = Duration::from_secs(at.saturating_sub(date.unwrap_or(now)));
        prop_assert_eq!(retry_after(&headers, time(now)), Some(expected));
    }

    #[test]
    fn ignores_invalid_retry_after(text in "[-+.eE:,a-z ]{0,20}[0-9]{0,5}[-+.eE:,a-zA-Z]{1,20}[0-9]{0,5}") {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value_of(&text)?)]);
        prop_assert_eq!(retry_after(&headers, SystemTime::UNIX_EPOCH), None);
    }

    #[test]
    fn accepts_any_header_bytes(retry_after_value in value(), date in value()) {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, retry_after_value.clone()), (header::DATE, date)]);
        if let Some(pause) = retry_after(&headers, SystemTime::UNIX_EPOCH) {
            let text = retry_after_value.to_str().map(str::trim).unwrap_or_default();
            prop_assert!(text.parse() == Ok(pause.as_secs()) || pause == Duration::from_secs(u64::MAX), "{:?}: {:?}", text, pause);
        }
    }
}

fn value_of(text: &str) -> Result<HeaderValue, TestCaseError> {
    text.parse().map_err(|_| TestCaseError::fail("invalid header value"))
}
