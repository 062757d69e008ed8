//! The pause between failed token requests: while it lasts, calls that need a new token fail with the remembered error and nothing is sent.

use std::time::Duration;

use crate::clock::{Clock, unit_interval};
use crate::error::Error;

/// The limit of the pause after the first failure; it doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The largest limit, so that a provider that is back is noticed within a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest `Retry-After` that is honoured: a date far away, or a number that is wrong, must not end the login for the life of the process.
const LONGEST_REQUESTED_PAUSE: Duration = Duration::from_secs(3600);

/// A failed token request, and the time for which it is the answer.
///
/// A final refusal of the provider ([`Error::needs_login`]) is not kept here: it has no end.
#[derive(Clone)]
pub(super) struct Outage {
    error: Error,
    /// The pause before jitter; zero where only `Retry-After` counts.
    limit: Duration,
    /// On the clock's monotonic time.
    until: Duration,
}

impl Outage {
    /// A failure without which calls can't go on. `previous` is the failure before it, where no success came in between.
    pub(super) fn new(error: &Error, previous: Option<&Self>, clock: &dyn Clock) -> Self {
        let limit = previous.map_or(FIRST_PAUSE, |previous| (previous.limit * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE));
        // Between half the limit and the whole: clients that failed together do not come back together.
        let own = limit.mul_f64(0.5 + 0.5 * unit_interval(clock.random()));
        Self::lasting(error, limit, own.max(requested(error)), clock)
    }

    /// A failure beside calls that still have a valid token: only the pause that the provider asks for counts.
    pub(super) fn requested(error: &Error, clock: &dyn Clock) -> Option<Self> {
        let pause = requested(error);
        (!pause.is_zero()).then(|| Self::lasting(error, Duration::ZERO, pause, clock))
    }

    fn lasting(error: &Error, limit: Duration, pause: Duration, clock: &dyn Clock) -> Self {
        Self { error: error.clone(), limit, until: clock.monotonic().saturating_add(pause) }
    }

    /// The remembered error with the time that is left, as long as the pause lasts.
    pub(super) fn error(&self, clock: &dyn Clock) -> Option<Error> {
        let left = self.until.saturating_sub(clock.monotonic());
        let note = format!("answered from the last attempt, the next one is possible in {left:.0?}");
        (!left.is_zero()).then(|| self.error.clone().with_retry_after(Some(left)).with_note(note))
    }
}

fn requested(error: &Error) -> Duration {
    error.retry_after().unwrap_or_default().min(LONGEST_REQUESTED_PAUSE)
}
