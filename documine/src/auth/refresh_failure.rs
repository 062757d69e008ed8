//! The delay between failed token requests: until it is over, calls that need a new token fail with the remembered error and nothing is sent.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::error::Error;

/// The largest delay after the first failure; it doubles with each further failure.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The largest delay after any failure, so that the end of an outage is noticed within a minute.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// The longest `Retry-After` that is honored: a wrong number or a date far away must not end the login for the life of the process.
const MAX_REQUESTED_DELAY: Duration = Duration::from_secs(3600);

/// A failed token request and the time until the next one.
///
/// A permanent refusal ([`Error::needs_login`]) is not remembered here, because it has no end.
#[derive(Clone)]
pub(super) struct RefreshFailure {
    error: Error,
    backoff: Backoff,
    /// The end of the delay on the clock's monotonic time.
    until: Duration,
}

impl RefreshFailure {
    /// A failure that leaves calls without a token. `previous` is the failure before it, without a success in between.
    ///
    /// The delay has equal jitter, so that clients that failed together do not all return together.
    pub(super) fn new(error: &Error, previous: Option<&Self>, clock: &dyn Clock) -> Self {
        let mut backoff = previous.map_or_else(new_backoff, |previous| previous.backoff.clone());
        let delay = backoff.next_equal_jitter(clock.random()).max(requested_delay(error));
        Self::lasting(error, backoff, delay, clock)
    }

    /// A failure while calls still have a valid token: only the delay that the provider requests counts.
    pub(super) fn with_requested_delay(error: &Error, clock: &dyn Clock) -> Option<Self> {
        let delay = requested_delay(error);
        (!delay.is_zero()).then(|| Self::lasting(error, new_backoff(), delay, clock))
    }

    fn lasting(error: &Error, backoff: Backoff, delay: Duration, clock: &dyn Clock) -> Self {
        Self { error: error.clone(), backoff, until: clock.monotonic().saturating_add(delay) }
    }

    /// Returns the remembered error with the remaining delay. `None`: the delay is over.
    pub(super) fn current_error(&self, clock: &dyn Clock) -> Option<Error> {
        let left = self.until.saturating_sub(clock.monotonic());
        let note = format!("repeated from the last attempt, the next one is possible in {left:.0?}");
        (!left.is_zero()).then(|| self.error.clone().with_retry_after(Some(left)).with_note(note))
    }
}

fn new_backoff() -> Backoff {
    Backoff::new(FIRST_DELAY, MAX_DELAY)
}

fn requested_delay(error: &Error) -> Duration {
    error.retry_after().unwrap_or_default().min(MAX_REQUESTED_DELAY)
}
