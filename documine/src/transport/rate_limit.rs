//! The client-side rate limit: bounds concurrent requests, and adapts the request rate to the service's 429 responses.
//!
//! The rate follows additive increase, multiplicative decrease, as TCP congestion control does: the first 429 sets the limit to half of the
//! requests sent in the second before, each further 429 halves the limit, and the limit grows by a constant per second. Before the first 429
//! there is no limit on the rate. All clones of a client share the limits, and a client talks to one origin.
//!
//! Requests wait in a fair queue and count against the rate only when they are sent. A request that is dropped in the queue therefore costs the
//! others nothing. No request waits longer than its call allows, and no `Retry-After` holds requests back longer than [`MAX_PAUSE`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::http_util::MAX_PAUSE;

/// The settings of the client-side rate limit.
///
/// A call waits neither past its deadline, nor longer than [`RetryPolicy::max_elapsed`](crate::retry::RetryPolicy::max_elapsed) for the `Retry-After`
/// of another call. It fails unsent instead, with [`Error::is_rate_limited`](crate::Error::is_rate_limited) and
/// [`Error::retry_after`](crate::Error::retry_after). One `Retry-After` holds requests back for at most 5 minutes.
///
/// Off for single calls unless enabled with [`ClientBuilder::rate_limit`](crate::ClientBuilder::rate_limit), or per call with `with_rate_limit`.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a rate limit does nothing by itself"]
pub struct RateLimit {
    max_concurrency: usize,
    min_rate: f64,
    growth: f64,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::adaptive()
    }
}

impl RateLimit {
    /// Returns the adaptive rate limit: at most 16 concurrent requests, and a rate that adapts to the service.
    ///
    /// Each 429 halves the rate. The rate grows by one request per second each second, and never falls below one request in two seconds.
    pub fn adaptive() -> Self {
        Self { max_concurrency: 16, min_rate: 0.5, growth: 1.0 }
    }

    /// Sets the maximum number of concurrent requests. 0 means 1.
    pub fn max_concurrency(mut self, requests: usize) -> Self {
        self.max_concurrency = requests.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Sets the lowest rate, in requests per second. A value that is not a positive number is ignored.
    pub fn min_rate(mut self, per_second: f64) -> Self {
        if per_second.is_finite() && per_second > 0.0 {
            self.min_rate = per_second;
        }
        self
    }
}

/// The rate limiter of one client.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    settings: RateLimit,
    concurrency: Semaphore,
    /// Held by the request that is sent next; the others wait for the lock in the order of arrival.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<RateState>,
}

/// The limits on a call's wait for a permit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AcquireLimits {
    /// The deadline of the call, as [`Clock::monotonic`] counts.
    pub(crate) deadline: Duration,
    /// The longest `Retry-After` pause that the call waits for.
    pub(crate) max_pause: Duration,
}

#[derive(Debug, Default)]
struct RateState {
    /// The limit in requests per second at `limit_set`; `None` before the first 429.
    limit: Option<f64>,
    /// The time at which the limit was set. The limit grows from here on.
    limit_set: Duration,
    /// The time at which the last request was sent.
    last_sent: Option<Duration>,
    /// The time until which a `Retry-After` holds all requests back.
    held_until: Duration,
    /// The end of the pause that the service requested, without a cap.
    requested_until: Duration,
    /// The time of the last halving. Responses to requests sent before it are no new signal.
    halved: Option<Duration>,
    /// The current second, the requests sent in it, and those sent in the second before.
    second: u64,
    count: u32,
    previous_count: u32,
}

/// The waits before the next request can be sent; `interval` and `held` are zero when it can be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RequiredWait {
    /// The wait that the rate requires.
    interval: Duration,
    /// The wait that a `Retry-After` requires.
    held: Duration,
    /// The remainder of the pause that the service requested.
    requested: Duration,
}

/// A concurrency permit; returned when dropped.
#[derive(Debug)]
pub(crate) struct RateLimitPermit<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    /// The time at which the request was sent.
    sent: Duration,
}

impl RateLimiter {
    pub(crate) fn new(settings: RateLimit) -> Self {
        let (concurrency, queue) = (Semaphore::new(settings.max_concurrency), tokio::sync::Mutex::default());
        Self { concurrency, queue, settings, state: Mutex::default() }
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// The wait would exceed the limits. Nothing is reserved then.
    pub(crate) async fn acquire(&self, clock: &dyn Clock, limits: AcquireLimits) -> Result<RateLimitPermit<'_>> {
        // A call that cannot wait for the pause fails at once instead of at the head of the queue.
        self.required_wait(clock.monotonic()).check(clock.monotonic(), limits)?;
        // The semaphore is never closed.
        let permit = self.concurrency.acquire().await.ok();
        let _head_of_queue = self.queue.lock().await;
        let mut now = clock.monotonic();
        // Further 429 responses may prolong the pause, but not beyond the pause that the call may wait for from now on.
        let pause_end = now.saturating_add(limits.max_pause);
        loop {
            let wait = self.required_wait(now);
            wait.check(now, AcquireLimits { max_pause: pause_end.saturating_sub(now), ..limits })?;
            let wait = wait.total();
            if wait.is_zero() {
                self.with_state(|state| state.record_sent(now));
                return Ok(RateLimitPermit { _permit: permit, sent: now });
            }
            clock.sleep(wait).await;
            // The clock of a test may stand still while it sleeps.
            now = clock.monotonic().max(now.saturating_add(wait));
        }
    }

    /// Records a 429 response and its `Retry-After`.
    pub(crate) fn on_throttled(&self, permit: &RateLimitPermit<'_>, retry_after: Option<Duration>, clock: &dyn Clock) {
        self.with_state(|state| state.on_throttled(permit.sent, retry_after, clock.monotonic(), &self.settings));
    }

    fn required_wait(&self, now: Duration) -> RequiredWait {
        self.with_state(|state| state.required_wait(now, self.settings.growth))
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut RateState) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RequiredWait {
    fn total(self) -> Duration {
        self.interval.max(self.held)
    }

    /// Fails if the wait exceeds the limits.
    fn check(self, now: Duration, limits: AcquireLimits) -> Result<()> {
        let left = limits.deadline.saturating_sub(now);
        let (wait, left, text) = if self.held > left.min(limits.max_pause) {
            (self.requested, left.min(limits.max_pause), "Retry-After of")
        } else if self.interval > left {
            (self.interval, left, "reduced rate after 429: wait of")
        } else {
            return Ok(());
        };
        let text = format!(
            "not sent: {text} {wait:.0?} does not fit into the {left:.0?} left for this call; call again after the pause"
        );
        let error = Error::new(ErrorKind::Api, text).with_status(StatusCode::TOO_MANY_REQUESTS);
        Err(error.with_retry_after(Some(wait)).with_sent(Sent::No))
    }
}

impl RateState {
    /// Returns the current limit, which grows with time alone.
    fn limit(&self, now: Duration, growth: f64) -> Option<f64> {
        self.limit.map(|limit| limit + growth * now.saturating_sub(self.limit_set).as_secs_f64())
    }

    /// Returns the wait before the next request can be sent.
    fn required_wait(&self, now: Duration, growth: f64) -> RequiredWait {
        let next = self.limit(now, growth).zip(self.last_sent).map_or(now, |(limit, last_sent)| {
            // The smallest rates that the setting allows have intervals longer than a `Duration`.
            let interval = Duration::try_from_secs_f64(1.0 / limit).unwrap_or(MAX_PAUSE).min(MAX_PAUSE);
            last_sent.saturating_add(interval)
        });
        let [interval, held, requested] =
            [next, self.held_until, self.requested_until].map(|end| end.saturating_sub(now));
        RequiredWait { interval, held, requested }
    }

    /// Counts a request that is sent now.
    fn record_sent(&mut self, now: Duration) {
        self.last_sent = Some(now);
        let second = now.as_secs();
        if second != self.second {
            self.previous_count = if second.checked_sub(self.second) == Some(1) { self.count } else { 0 };
            self.count = 0;
            self.second = second;
        }
        self.count = self.count.saturating_add(1);
    }

    fn on_throttled(&mut self, sent: Duration, retry_after: Option<Duration>, now: Duration, settings: &RateLimit) {
        let current = self.limit(now, settings.growth);
        // The 429 responses to requests that were in flight together are one signal.
        let limit = if self.halved.is_none_or(|halved| sent > halved) {
            self.halved = Some(now);
            let current = current.unwrap_or_else(|| f64::from(self.count.max(self.previous_count)));
            Some((current / 2.0).max(settings.min_rate))
        } else {
            current
        };
        if let Some(retry_after) = retry_after {
            self.held_until = self.held_until.max(now.saturating_add(retry_after.min(MAX_PAUSE)));
            self.requested_until = self.requested_until.max(now.saturating_add(retry_after));
        }
        // The limit does not grow during the pause.
        (self.limit, self.limit_set) = (limit, now.max(self.held_until));
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns settings with a constant rate.
    fn settings() -> RateLimit {
        RateLimit { growth: 0.0, ..RateLimit::adaptive() }
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Sends a request as soon as possible, and returns the wait before it.
    fn send(state: &mut RateState, now: Duration) -> Duration {
        let wait = state.required_wait(now, 0.0).total();
        state.record_sent(now + wait);
        wait
    }

    #[test]
    fn halves_observed_rate_on_first_429() {
        let mut state = RateState::default();
        for request in 0..100 {
            assert_eq!(send(&mut state, ms(request)), Duration::ZERO);
        }
        state.on_throttled(ms(50), None, ms(200), &settings());
        assert_eq!(state.limit, Some(50.0));
        // Responses to requests that were in flight together are no new signal.
        state.on_throttled(ms(60), None, ms(210), &settings());
        state.on_throttled(ms(200), None, ms(220), &settings());
        assert_eq!(state.limit, Some(50.0));
        let waits: Vec<_> = (0..3).map(|_| send(&mut state, ms(300))).collect();
        assert_eq!(waits, [ms(0), ms(20), ms(40)]);
        state.on_throttled(ms(320), None, ms(400), &settings());
        assert_eq!(state.limit, Some(25.0));
    }

    #[test]
    fn rate_grows_with_time_and_has_a_minimum() {
        let mut state = RateState::default();
        state.record_sent(ms(0));
        for round in 1..20 {
            state.on_throttled(ms(round * 1000), None, ms(round * 1000), &settings());
        }
        assert_eq!(state.limit, Some(0.5));
        assert_eq!(state.limit(ms(19_500), 1.0), Some(1.0));
        assert_eq!(state.limit(ms(20_000), 1.0), Some(1.5));
    }

    #[test]
    fn retry_after_holds_all_requests_and_the_growth() {
        let mut state = RateState::default();
        state.record_sent(ms(0));
        state.on_throttled(ms(0), Some(ms(7000)), ms(100), &settings());
        assert_eq!(send(&mut state, ms(200)), ms(6900));
        assert_eq!((state.limit(ms(7100), 1.0), state.limit(ms(8100), 1.0)), (Some(0.5), Some(1.5)));
    }

    #[test]
    fn caps_pause_and_reports_requested_one() {
        let mut state = RateState::default();
        let year = Duration::from_secs(31_536_000);
        state.on_throttled(ms(0), Some(year), ms(0), &settings());
        let wait = state.required_wait(ms(0), 0.0);
        assert_eq!((wait.held, wait.requested), (MAX_PAUSE, year));
        assert_eq!(state.required_wait(MAX_PAUSE, 0.0).total(), Duration::ZERO);
    }

    #[test]
    fn caps_interval_of_tiny_rates() {
        let mut state = RateState::default();
        state.record_sent(ms(0));
        state.on_throttled(
            ms(0),
            None,
            ms(0),
            &RateLimit { growth: 0.0, ..RateLimit::adaptive().min_rate(f64::MIN_POSITIVE) },
        );
        assert_eq!(state.limit, Some(0.5), "half of one request per second");
        for round in 1..2000 {
            let settings = RateLimit { growth: 0.0, ..RateLimit::adaptive().min_rate(f64::MIN_POSITIVE) };
            state.on_throttled(ms(round), None, ms(round), &settings);
        }
        assert_eq!(state.required_wait(ms(0), 0.0).total(), MAX_PAUSE);
    }
}
