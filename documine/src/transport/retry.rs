//! Which failures are tried again, how often, and after how long.
//!
//! Here: calls that only read or that may be repeated by the rules of HTTP (RFC 9110 section 9.2.2), and requests that surely did not
//! reach the service. The wait grows with each try and is spread over its whole length (full jitter), but never below what the service asked for.

use std::time::Duration;

use http::Method;

use crate::error::{Error, ErrorKind};

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) first_delay: Duration,
    pub(crate) max_delay: Duration,
}

impl Default for RetryPolicy {
    /// Four tries; with delays below 0.5, 1 and 2 seconds a hiccup is bridged and a real failure is still reported soon.
    fn default() -> Self {
        Self { max_attempts: 4, first_delay: Duration::from_millis(500), max_delay: Duration::from_secs(20) }
    }
}

impl RetryPolicy {
    /// The wait before the next try, or `None`: this failure is final. `attempt` counts from 1; `random` is from 0 to below 1.
    pub(crate) fn delay(&self, error: &Error, method: &Method, attempt: u32, random: f64) -> Option<Duration> {
        if attempt >= self.max_attempts || !may_repeat(error, method) {
            return None;
        }
        let grown = self.first_delay * 2_u32.saturating_pow(attempt - 1);
        let own = grown.min(self.max_delay).mul_f64(random);
        match error.retry_after() {
            Some(asked) if asked > self.max_delay => None,
            Some(asked) => Some(asked.max(own)),
            None => Some(own),
        }
    }
}

fn may_repeat(error: &Error, method: &Method) -> bool {
    if error.kind() == ErrorKind::Auth {
        return false;
    }
    error.is_transient() && (!error.was_sent() || method.is_idempotent())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Sent;
    use http::{HeaderMap, HeaderValue, StatusCode, header};

    fn answer(status: u16, retry_after: Option<&'static str>) -> Error {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(text));
        }
        let status = StatusCode::from_u16(status).unwrap_or_default();
        super::super::classify::error_answer(status, &headers, b"")
    }

    #[test]
    fn reads_are_repeated_and_creations_are_not() {
        let policy = RetryPolicy::default();
        let busy = answer(503, None);
        assert_eq!(policy.delay(&busy, &Method::GET, 1, 0.5), Some(Duration::from_millis(250)));
        assert_eq!(policy.delay(&busy, &Method::GET, 3, 0.5), Some(Duration::from_secs(1)));
        assert_eq!(policy.delay(&busy, &Method::GET, 4, 0.5), None);
        assert_eq!(policy.delay(&busy, &Method::POST, 1, 0.5), None);
        let refused = Error::new(ErrorKind::Connect, "refused").with_sent(Sent::No);
        assert!(policy.delay(&refused, &Method::POST, 1, 0.5).is_some());
        assert_eq!(policy.delay(&answer(404, None), &Method::GET, 1, 0.5), None);
    }

    #[test]
    fn the_service_says_how_long() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(&answer(429, Some("7")), &Method::GET, 1, 0.9), Some(Duration::from_secs(7)));
        assert_eq!(policy.delay(&answer(429, Some("3600")), &Method::GET, 1, 0.9), None);
    }
}
