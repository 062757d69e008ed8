//! Client-side pacing: not more at once, and not faster, than the service takes.
//!
//! The rate follows the rule that keeps networks from congestion (additive increase, multiplicative decrease): the first 429 sets it to half of what
//! was sent in the second before, each further one halves it, and every second without one lets it grow a little. Until the first 429
//! there is no rate at all. The limits are shared by all clones of a client, and a client talks to one origin.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Clock;

/// How calls are paced.
///
/// Off for single calls unless switched on with [`ClientBuilder::pacing`](crate::ClientBuilder::pacing) or for a call with `with_pacing`.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a pacing does nothing by itself"]
pub struct Pacing {
    max_concurrency: usize,
    min_rate: f64,
    growth: f64,
}

impl Default for Pacing {
    fn default() -> Self {
        Self::adaptive()
    }
}

impl Pacing {
    /// At most 16 requests at once; the rate is the service's to decide: halved at each 429, growing by one request a second each second, never below one
    /// in two seconds.
    pub fn adaptive() -> Self {
        Self { max_concurrency: 16, min_rate: 0.5, growth: 1.0 }
    }

    /// At most so many requests at once. 0 means the same as 1.
    pub fn max_concurrency(mut self, requests: usize) -> Self {
        self.max_concurrency = requests.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// The rate never falls below so many requests a second. What is no positive number changes nothing.
    pub fn min_rate(mut self, per_second: f64) -> Self {
        if per_second.is_finite() && per_second > 0.0 {
            self.min_rate = per_second;
        }
        self
    }
}

/// The pace of one client.
#[derive(Debug)]
pub(crate) struct Pacer {
    settings: Pacing,
    slots: Semaphore,
    rate: Mutex<Rate>,
}

#[derive(Debug, Default)]
struct Rate {
    /// Requests a second; `None` before the first 429.
    limit: Option<f64>,
    /// When the limit last changed.
    changed: Duration,
    /// When the next request may leave.
    next: Duration,
    /// When the last halving was: answers to requests that left before it say nothing new.
    halved: Option<Duration>,
    /// The current second and how many requests left in it, and how many in the one before.
    second: u64,
    count: u32,
    before: u32,
}

/// A place among the requests under way; given back when dropped.
pub(crate) struct Slot<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    /// When the request left.
    left: Duration,
}

impl Pacer {
    pub(crate) fn new(settings: Pacing) -> Self {
        Self { slots: Semaphore::new(settings.max_concurrency), settings, rate: Mutex::default() }
    }

    /// Waits for this request's turn.
    pub(crate) async fn turn(&self, clock: &dyn Clock) -> Slot<'_> {
        // The semaphore is never closed.
        let permit = self.slots.acquire().await.ok();
        let (pause, left) = self.rate(|rate| rate.reserve(clock.monotonic()));
        if !pause.is_zero() {
            clock.sleep(pause).await;
        }
        Slot { _permit: permit, left }
    }

    /// The service answered that this was too fast; `asked` is its Retry-After.
    pub(crate) fn too_fast(&self, slot: &Slot<'_>, asked: Option<Duration>, clock: &dyn Clock) {
        let settings = &self.settings;
        self.rate(|rate| rate.halve(slot.left, asked, clock.monotonic(), settings.min_rate));
    }

    /// The service answered; it can take a little more.
    pub(crate) fn fine(&self, clock: &dyn Clock) {
        let growth = self.settings.growth;
        self.rate(|rate| rate.grow(clock.monotonic(), growth));
    }

    fn rate<T>(&self, change: impl FnOnce(&mut Rate) -> T) -> T {
        change(&mut self.rate.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Rate {
    /// The pause before the next request may leave, and when that is.
    fn reserve(&mut self, now: Duration) -> (Duration, Duration) {
        let at = now.max(self.next);
        if let Some(limit) = self.limit {
            // A service may ask for a pause, and a setting for a rate, that no clock counts to.
            let turn = Duration::try_from_secs_f64(1.0 / limit).unwrap_or(Duration::MAX);
            self.next = at.saturating_add(turn);
        }
        let second = at.as_secs();
        if second != self.second {
            self.before = if second.checked_sub(self.second) == Some(1) { self.count } else { 0 };
            self.count = 0;
            self.second = second;
        }
        self.count = self.count.saturating_add(1);
        (at.saturating_sub(now), at)
    }

    fn halve(&mut self, left: Duration, asked: Option<Duration>, now: Duration, least: f64) {
        // Many requests were under way when the service had enough: together they are one sign.
        if self.halved.is_none_or(|halved| left > halved) {
            let current = self.limit.unwrap_or_else(|| f64::from(self.count.max(self.before)));
            self.limit = Some((current / 2.0).max(least));
            self.halved = Some(now);
            self.changed = now;
        }
        if let Some(asked) = asked {
            self.next = self.next.max(now.saturating_add(asked));
        }
    }

    fn grow(&mut self, now: Duration, growth: f64) {
        if let Some(limit) = &mut self.limit {
            *limit += growth * now.saturating_sub(self.changed).as_secs_f64();
            self.changed = now;
        }
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn there_is_no_rate_before_the_first_refusal_and_half_of_it_after() {
        let mut rate = Rate::default();
        for request in 0..100 {
            assert_eq!(rate.reserve(ms(request)).0, Duration::ZERO);
        }
        rate.halve(ms(50), None, ms(200), 0.5);
        assert_eq!(rate.limit, Some(50.0));
        // Those that were under way at the same time are no further sign.
        rate.halve(ms(60), None, ms(210), 0.5);
        rate.halve(ms(200), None, ms(220), 0.5);
        assert_eq!(rate.limit, Some(50.0));
        let pauses: Vec<_> = (0..3).map(|_| rate.reserve(ms(300)).0).collect();
        assert_eq!(pauses, [ms(0), ms(20), ms(40)]);
        rate.halve(ms(320), None, ms(400), 0.5);
        assert_eq!(rate.limit, Some(25.0));
    }

    #[test]
    fn it_grows_back_slowly_and_never_falls_to_nothing() {
        let mut rate = Rate::default();
        rate.reserve(ms(0));
        for round in 1..20 {
            rate.halve(ms(round * 1000), None, ms(round * 1000), 0.5);
        }
        assert_eq!(rate.limit, Some(0.5));
        rate.grow(ms(19_500), 1.0);
        rate.grow(ms(20_000), 1.0);
        assert_eq!(rate.limit, Some(1.5));
    }

    #[test]
    fn a_pause_that_the_service_asks_for_holds_everybody() {
        let mut rate = Rate::default();
        rate.reserve(ms(0));
        rate.halve(ms(0), Some(ms(7000)), ms(100), 0.5);
        assert_eq!(rate.reserve(ms(200)).0, ms(6900));
    }
}
