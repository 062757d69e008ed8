//! Small things that everybody who talks HTTP here needs: what a failure means, how long to stay away, bounded bodies.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, header};

use crate::error::{ErrorKind, Sent};
use crate::text::one_line;

/// The longest time for which one duration given by the service (`Retry-After`) holds back all paced calls of a client, a wait, or a shared poll.
///
/// 5 minutes: as long as a call may take by default. After that the service is asked again, whatever it said before.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Reads a body up to `limit` bytes and leaves the rest.
pub(crate) async fn read_bounded(response: reqwest::Response, limit: usize) -> Result<Bytes, reqwest::Error> {
    let mut body = BytesMut::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == limit {
            break;
        }
    }
    Ok(body.freeze())
}

/// What a transport error is, and whether the other side may have seen the request.
///
/// Looking up the name, connecting and the TLS handshake come before the first byte of a request; what breaks later may have been seen.
pub(crate) fn fate(error: &reqwest::Error) -> (ErrorKind, Sent) {
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

/// An error and those behind it, from the outermost to the innermost.
pub(crate) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

/// The innermost cause: the one that says something. reqwest's own texts hold the URL, which may hold ids, so they are not shown.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    match causes(error).skip(1).last() {
        Some(cause) => one_line(&cause.to_string()),
        None if error.is_timeout() => "time limit".into(),
        None => "no further reason given".into(),
    }
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds (some gateways write decimals), or a date, which is held against the answer's own `Date`, because the clocks of service
/// and client may differ. Without `Date` it is held against `now`. A date that has passed means at once.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(header::RETRY_AFTER)?;
    if asked.bytes().all(|byte| byte.is_ascii_digit()) && !asked.is_empty() {
        // More digits than a number holds is a long time all the same.
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    if asked.contains('.') && asked.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Duration::try_from_secs_f64(asked.parse().ok()?).ok();
    }
    let at = httpdate::parse_http_date(asked).ok()?;
    let now = text(header::DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_service_says_how_long_in_seconds_or_by_its_own_clock() {
        // An hour ahead of the service's clock.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 + 3600);
        let after = |asked, date| {
            let mut fields = vec![(header::RETRY_AFTER, asked)];
            fields.extend(Some(date).filter(|date: &&str| !date.is_empty()).map(|date| (header::DATE, date)));
            retry_after(&headers(&fields), now)
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(after("7", date), seconds(7));
        assert_eq!(after(" 7 ", ""), seconds(7));
        assert_eq!(after("99999999999999999999999", ""), seconds(u64::MAX));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:07 GMT", date), seconds(30));
        assert_eq!(after("Sunday, 06-Nov-94 08:50:07 GMT", date), seconds(30), "RFC 850");
        assert_eq!(after("Sun Nov  6 08:50:07 1994", date), seconds(30), "asctime");
        assert_eq!(after("Sun, 06 Nov 1994 08:49:07 GMT", date), seconds(0), "it has passed");
        assert_eq!(after("Sun, 06 Nov 1994 10:49:37 GMT", ""), seconds(3600), "without Date by our clock");
        assert_eq!(after("1.5", date), Some(Duration::from_millis(1500)));
        assert_eq!(after("120.0", ""), seconds(120));
        for nonsense in ["", "-1", "soon", "1.5.2", ".", "7 s"] {
            assert_eq!(after(nonsense, date), None, "{nonsense:?}");
        }
    }
}
