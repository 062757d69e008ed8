//! HTTP helpers shared by the transport and the identity provider client: error classification, `Retry-After`, bounded bodies.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, header};

use crate::clock::BoxFuture;
use crate::error::{self, Error, ErrorKind, Sent, TextCause, io_reason, with_reason};
use crate::text::one_line;

/// The limit on a single `Retry-After` that holds back all rate-limited calls of a client, a wait, or a shared poll.
///
/// 5 minutes: the default deadline of a call. After that the service is called again.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(300);

/// The bottom layer of all requests, to the service and to the identity provider.
///
/// A trait, so that tests of the layers above replace the sockets.
pub(crate) trait Http: Send + Sync {
    /// Sends the request and returns status and headers; the body is still to be read. Follows no redirects.
    fn execute(&self, request: reqwest::Request) -> BoxFuture<'_, error::Result<reqwest::Response>>;
}

/// Reads a body up to `limit` bytes and drops the rest.
pub(crate) async fn read_bounded(response: reqwest::Response, limit: usize) -> Result<Bytes, reqwest::Error> {
    let mut body = BytesMut::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        let available = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(available)]);
        if body.len() == limit {
            break;
        }
    }
    Ok(body.freeze())
}

/// Returns the kind of a transport error, and whether the server may have received the request.
///
/// Name resolution, connection and TLS handshake precede the first byte of a request. After any later failure the request may have arrived.
pub(crate) fn classify_reqwest_error(error: &reqwest::Error) -> (ErrorKind, Sent) {
    if error.is_builder() {
        (ErrorKind::Input, Sent::No)
    } else if error.is_connect() {
        (if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Connect }, Sent::No)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, Sent::Maybe)
    } else {
        (ErrorKind::Interrupted, Sent::Maybe)
    }
}

/// Returns an error and its sources, from the outermost to the innermost.
pub(crate) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

/// Returns the text of the innermost cause. The texts of reqwest contain the URL, which may contain ids, so they are not shown.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    match causes(error).skip(1).last() {
        Some(cause) => one_line(&cause.to_string()),
        None if error.is_timeout() => "timeout".into(),
        None => "unknown cause".into(),
    }
}

/// Creates the error of a request that failed with a transport error. The source is the innermost cause, as an `std::io::Error` where the
/// system or TLS failed, and never the error of reqwest, which would show the URL.
pub(crate) fn request_error(kind: ErrorKind, what: &str, error: &reqwest::Error) -> Error {
    let found = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last();
    let Some(found) = found else {
        let reason = is_dns_error(error).then(|| NAME_NOT_RESOLVED.to_owned());
        return Error::new(kind, with_reason(what, reason)).with_source(TextCause::new(root_cause(error)));
    };
    let reason = match found.kind() {
        // The system's errors of name resolution have no kind, and those of TLS have this one.
        _ if is_dns_error(error) => Some(NAME_NOT_RESOLVED.to_owned()),
        io::ErrorKind::InvalidData if kind == ErrorKind::Connect => Some("TLS handshake failed".to_owned()),
        _ => io_reason(found).filter(|_| found.kind() != io::ErrorKind::Other),
    };
    let source = match found.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(found.kind(), TextCause::new(root_cause(error))),
    };
    Error::new(kind, with_reason(what, reason)).with_source(source)
}

const NAME_NOT_RESOLVED: &str = "host name not resolved";

/// Returns whether the name resolution of the HTTP client failed, which has no public type.
fn is_dns_error(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "dns error")
}

/// Parses `Retry-After` (RFC 9110 section 10.2.3): seconds (some gateways write decimals) or a date.
///
/// A date is compared with the `Date` of the response, because the clocks of service and client may differ, or with `now` if there is none. A
/// past date means zero.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let value = text(header::RETRY_AFTER)?;
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        // Saturates when the number does not fit.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    if value.contains('.') && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Duration::try_from_secs_f64(value.parse().ok()?).ok();
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let now = text(header::DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(at.duration_since(now).unwrap_or_default())
}

/// Returns whether a `Content-Type` is HTML.
pub(crate) fn is_html(media_type: &str) -> bool {
    const HTML: &str = "text/html";
    media_type.trim_start().get(..HTML.len()).is_some_and(|start| start.eq_ignore_ascii_case(HTML))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn parses_retry_after_in_seconds_or_as_date() {
        // One hour ahead of the clock of the service.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 + 3600);
        let after = |retry_after, date| {
            let mut fields = vec![(header::RETRY_AFTER, retry_after)];
            fields.extend(Some(date).filter(|date: &&str| !date.is_empty()).map(|date| (header::DATE, date)));
            super::retry_after(&headers(&fields), now)
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(after("7", date), seconds(7));
        assert_eq!(after(" 7 ", ""), seconds(7));
        assert_eq!(after("99999999999999999999999", ""), seconds(u64::MAX));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:07 GMT", date), seconds(30));
        assert_eq!(after("Sunday, 06-Nov-94 08:50:07 GMT", date), seconds(30), "RFC 850");
        assert_eq!(after("Sun Nov  6 08:50:07 1994", date), seconds(30), "asctime");
        assert_eq!(after("Sun, 06 Nov 1994 08:49:07 GMT", date), seconds(0), "past date");
        assert_eq!(after("Sun, 06 Nov 1994 10:49:37 GMT", ""), seconds(3600), "without Date by the client's clock");
        assert_eq!(after("1.5", date), Some(Duration::from_millis(1500)));
        assert_eq!(after("120.0", ""), seconds(120));
        for invalid in ["", "-1", "soon", "1.5.2", ".", "7 s"] {
            assert_eq!(after(invalid, date), None, "{invalid:?}");
        }
    }
}
