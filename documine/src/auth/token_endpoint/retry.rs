//! Retry of requests to the identity provider.
//!
//! A code works once, and so does a rotated refresh token: sending one twice ends the session that the first request began (RFC 6749 sections
//! 4.1.2 and 10.4). A request that may have arrived is therefore not retried. Two cases remain: no connection was made, so that no byte of the
//! request left; or the provider rejected the request unprocessed and sent `Retry-After` (429, RFC 6585 section 4, or 503, RFC 9110 section 15.6.4).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::error::{Error, Sent};
use crate::http_util;

/// The default number of attempts, including the first.
pub(in crate::auth) const MAX_ATTEMPTS: u32 = 3;
/// The largest delay before the second attempt.
const FIRST_DELAY: Duration = Duration::from_millis(250);
/// The largest delay before any attempt, unless the provider requests more.
const MAX_DELAY: Duration = Duration::from_secs(2);
/// The time after which no further attempt starts: a call is waiting for its token.
const TOTAL_TIME: Duration = Duration::from_secs(30);

/// A response of the identity provider, with its whole body.
pub(in crate::auth) struct ProviderResponse {
    pub(in crate::auth) status: StatusCode,
    pub(in crate::auth) headers: HeaderMap,
    pub(in crate::auth) body: Bytes,
}

/// A failed attempt. `was_sent` of the error describes the caller's own call, so `sent` stands beside it.
pub(super) struct RequestError {
    pub(super) error: Error,
    pub(super) sent: Sent,
}

pub(super) type AttemptResult = Result<ProviderResponse, RequestError>;

/// The attempts of one request.
pub(in crate::auth) struct RetrySchedule<'a> {
    pub(super) clock: &'a dyn Clock,
    max_attempts: u32,
    attempts: u32,
    started: Duration,
    backoff: Backoff,
}

impl<'a> RetrySchedule<'a> {
    pub(in crate::auth) fn new(clock: &'a dyn Clock, max_attempts: u32) -> Self {
        let backoff = Backoff::new(FIRST_DELAY, MAX_DELAY);
        Self { clock, max_attempts, attempts: 0, started: clock.monotonic(), backoff }
    }

    /// Returns the delay before the next attempt. `None`: the result is final.
    pub(super) fn next_delay(&mut self, result: &AttemptResult) -> Option<Duration> {
        self.attempts += 1;
        let requested = match result {
            Err(failed) if failed.sent == Sent::No && failed.error.is_transient() => Duration::ZERO,
            Ok(response) if matches!(response.status.as_u16(), 429 | 503) => {
                http_util::retry_after(&response.headers, self.clock.now())?
            }
            _ => return None,
        };
        if self.attempts >= self.max_attempts {
            return None;
        }
        let delay = self.backoff.next_full_jitter(self.clock.random()).max(requested);
        let left = TOTAL_TIME.saturating_sub(self.clock.monotonic().saturating_sub(self.started));
        (delay < left).then_some(delay)
    }
}
