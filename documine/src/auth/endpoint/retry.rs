//! When the identity provider is asked again.
//!
//! A code works once, and so does a refresh token that is rotated: who sends one twice ends the session that the first one began (RFC 6749
//! sections 4.1.2 and 10.4). So nothing is sent again whose fate is not known. Two cases are left: no connection was made, so that not one byte of
//! the request left; or the provider says itself that it did nothing, and when to come back (429, RFC 6585 section 4, or 503, RFC 9110
//! section 15.6.4, with `Retry-After`).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::backoff::Backoff;
use crate::clock::{Clock, unit_interval};
use crate::error::{Error, Sent};
use crate::http_util;

/// How often in all.
const TRIES: u32 = 3;
/// The longest pause before the second try, and before any.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// After this time no further try is begun: a call waits for its token.
const TIME: Duration = Duration::from_secs(30);

/// An answer, whole.
pub(in crate::auth) struct RawResponse {
    pub(in crate::auth) status: StatusCode,
    pub(in crate::auth) headers: HeaderMap,
    pub(in crate::auth) body: Bytes,
}

/// A try without an answer. What the error says of `was_sent` is about a caller's own call, so it stands beside it.
pub(super) struct Unanswered {
    pub(super) error: Error,
    pub(super) sent: Sent,
}

/// How one try ended.
pub(super) type Outcome = Result<RawResponse, Unanswered>;

/// The tries of one request.
pub(in crate::auth) struct Patience<'a> {
    pub(super) clock: &'a dyn Clock,
    tries: u32,
    tried: u32,
    began: Duration,
    backoff: Backoff,
}

impl<'a> Patience<'a> {
    /// The usual one.
    pub(in crate::auth) fn usual(clock: &'a dyn Clock) -> Self {
        Self { clock, tries: TRIES, tried: 0, began: clock.monotonic(), backoff: Backoff::new(PAUSES.0, PAUSES.1) }
    }

    /// None: for who asks again in any case.
    pub(in crate::auth) fn none(clock: &'a dyn Clock) -> Self {
        Self { tries: 1, ..Self::usual(clock) }
    }

    /// The pause before the next try. `None`: this one is the last.
    pub(super) fn pause(&mut self, outcome: &Outcome) -> Option<Duration> {
        self.tried += 1;
        let asked = match outcome {
            Err(failed) if failed.sent == Sent::No && failed.error.is_transient() => Duration::ZERO,
            Ok(answer) if matches!(answer.status.as_u16(), 429 | 503) => {
                http_util::retry_after(&answer.headers, self.clock.now())?
            }
            _ => return None,
        };
        if self.tried >= self.tries {
            return None;
        }
        let own = self.backoff.next_delay().mul_f64(unit_interval(self.clock.random()));
        let pause = asked.max(own);
        let left = TIME.saturating_sub(self.clock.monotonic().saturating_sub(self.began));
        (pause < left).then_some(pause)
    }
}
