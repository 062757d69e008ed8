//! Client-side pacing: not more at once, and not faster, than the service takes.
//!
//! The rate follows the rule that keeps networks from congestion (additive increase, multiplicative decrease): the first 429 sets it to half of what
//! was sent in the second before, each further one halves it, and every second without one lets it grow a little. Until the first 429
//! there is no rate at all. The limits are shared by all clones of a client, and a client talks to one origin.
//!
//! Requests wait in a fair queue and count against the rate only when they leave. A request dropped while it waits therefore costs the others nothing,
//! and the rate grows with time alone. No request waits longer than its call allows, and no `Retry-After` holds requests back longer than
//! [`LONGEST_PAUSE`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::net::LONGEST_PAUSE;

/// How calls are paced.
///
/// A call does not wait for its turn longer than its deadline allows, nor sit out a `Retry-After` of another call that is longer than
/// [`RetryPolicy::max_elapsed`](crate::RetryPolicy::max_elapsed): the call then fails unsent, with [`Error::is_rate_limited`](crate::Error::is_rate_limited)
/// and [`Error::retry_after`](crate::Error::retry_after). One `Retry-After` holds requests back for at most 5 minutes.
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
    /// Held by the request that leaves next; the others wait for it in the order of their arrival.
    queue: tokio::sync::Mutex<()>,
    rate: Mutex<Rate>,
}

/// The limits on a call's wait for its turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnLimits {
    /// The end of the call, as [`Clock::monotonic`] counts.
    pub(crate) deadline: Duration,
    /// The longest pause that the call sits out for the service.
    pub(crate) max_pause: Duration,
}

#[derive(Debug, Default)]
struct Rate {
    /// Requests a second at `changed`; `None` before the first 429.
    limit: Option<f64>,
    /// The time at which the limit was set. The limit grows from here on.
    changed: Duration,
    /// The time at which the last request left.
    last: Option<Duration>,
    /// Until when a `Retry-After` holds all requests back.
    held: Duration,
    /// The end of the pause that the service requested, however long.
    asked: Duration,
    /// When the last halving was: answers to requests that left before it say nothing new.
    halved: Option<Duration>,
    /// The current second and how many requests left in it, and how many in the one before.
    second: u64,
    count: u32,
    before: u32,
}

/// The waits before the next request can leave; `turn` and `held` are zero when the request can leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    /// The wait that the rate still requires.
    turn: Duration,
    /// The wait that a `Retry-After` still requires.
    held: Duration,
    /// The rest of the pause that the service requested.
    asked: Duration,
}

/// A place among the requests under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    /// When the request left.
    left: Duration,
}

impl Pacer {
    pub(crate) fn new(settings: Pacing) -> Self {
        let (slots, queue) = (Semaphore::new(settings.max_concurrency), tokio::sync::Mutex::default());
        Self { slots, queue, settings, rate: Mutex::default() }
    }

    /// Waits for this request's turn.
    ///
    /// # Errors
    /// The wait would be longer than the limits allow. Nothing is reserved then.
    pub(crate) async fn turn(&self, clock: &dyn Clock, limits: TurnLimits) -> Result<Slot<'_>> {
        // A call that can't sit the pause out is told at once, not when its turn in the queue has come.
        self.pause(clock.monotonic()).check(clock.monotonic(), limits)?;
        // The semaphore is never closed.
        let permit = self.slots.acquire().await.ok();
        let _first = self.queue.lock().await;
        let mut now = clock.monotonic();
        // Further 429 may prolong the pause, but not beyond what the call sits out from here on.
        let patience = now.saturating_add(limits.max_pause);
        loop {
            let pause = self.pause(now);
            pause.check(now, TurnLimits { max_pause: patience.saturating_sub(now), ..limits })?;
            let pause = pause.length();
            if pause.is_zero() {
                self.rate(|rate| rate.leave(now));
                return Ok(Slot { _permit: permit, left: now });
            }
            clock.sleep(pause).await;
            // A sleep counts as long as it was meant to be, whatever the clock shows.
            now = clock.monotonic().max(now.saturating_add(pause));
        }
    }

    /// The service answered that this was too fast; `asked` is its Retry-After.
    pub(crate) fn too_fast(&self, slot: &Slot<'_>, asked: Option<Duration>, clock: &dyn Clock) {
        self.rate(|rate| rate.halve(slot.left, asked, clock.monotonic(), &self.settings));
    }

    fn pause(&self, now: Duration) -> Pause {
        self.rate(|rate| rate.pause(now, self.settings.growth))
    }

    fn rate<T>(&self, change: impl FnOnce(&mut Rate) -> T) -> T {
        change(&mut self.rate.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Pause {
    fn length(self) -> Duration {
        self.turn.max(self.held)
    }

    /// Refuses a pause that is longer than the limits allow.
    fn check(self, now: Duration, limits: TurnLimits) -> Result<()> {
        let left = limits.deadline.saturating_sub(now);
        let (pause, left, text) = if self.held > left.min(limits.max_pause) {
            (self.asked, left.min(limits.max_pause), "the service asks for a pause of")
        } else if self.turn > left {
            (self.turn, left, "after an earlier 429 the next request may leave in")
        } else {
            return Ok(());
        };
        let text = format!(
            "not sent: {text} {pause:.0?}, but only {left:.0?} are left for this call; call again after the pause"
        );
        let error = Error::new(ErrorKind::Api, text).with_status(StatusCode::TOO_MANY_REQUESTS);
        Err(error.with_retry_after(Some(pause)).with_sent(Sent::No))
    }
}

impl Rate {
    /// The limit at this moment. It grows with time alone.
    fn limit(&self, now: Duration, growth: f64) -> Option<f64> {
        self.limit.map(|limit| limit + growth * now.saturating_sub(self.changed).as_secs_f64())
    }

    /// The pause before the next request may leave. Looking at it changes nothing.
    fn pause(&self, now: Duration, growth: f64) -> Pause {
        let turn = self.limit(now, growth).zip(self.last).map_or(now, |(limit, last)| {
            // A setting may ask for a rate that no clock counts to.
            let interval = Duration::try_from_secs_f64(1.0 / limit).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
            last.saturating_add(interval)
        });
        let [turn, held, asked] = [turn, self.held, self.asked].map(|end| end.saturating_sub(now));
        Pause { turn, held, asked }
    }

    /// Counts a request that leaves now.
    fn leave(&mut self, now: Duration) {
        self.last = Some(now);
        let second = now.as_secs();
        if second != self.second {
            self.before = if second.checked_sub(self.second) == Some(1) { self.count } else { 0 };
            self.count = 0;
            self.second = second;
        }
        self.count = self.count.saturating_add(1);
    }

    fn halve(&mut self, left: Duration, asked: Option<Duration>, now: Duration, settings: &Pacing) {
        let current = self.limit(now, settings.growth);
        // Many requests were under way when the service had enough: together they are one sign.
        let limit = if self.halved.is_none_or(|halved| left > halved) {
            self.halved = Some(now);
            let current = current.unwrap_or_else(|| f64::from(self.count.max(self.before)));
            Some((current / 2.0).max(settings.min_rate))
        } else {
            current
        };
        if let Some(asked) = asked {
            self.held = self.held.max(now.saturating_add(asked.min(LONGEST_PAUSE)));
            self.asked = self.asked.max(now.saturating_add(asked));
        }
        // The limit does not grow during the pause.
        (self.limit, self.changed) = (limit, now.max(self.held));
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    /// A rate that does not grow unless a test says so.
    fn settings() -> Pacing {
        Pacing { growth: 0.0, ..Pacing::adaptive() }
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Lets a request leave as soon as it may, and gives the pause before it.
    fn leave(rate: &mut Rate, now: Duration) -> Duration {
        let pause = rate.pause(now, 0.0).length();
        rate.leave(now + pause);
        pause
    }

    #[test]
    fn there_is_no_rate_before_the_first_refusal_and_half_of_it_after() {
        let mut rate = Rate::default();
        for request in 0..100 {
            assert_eq!(leave(&mut rate, ms(request)), Duration::ZERO);
        }
        rate.halve(ms(50), None, ms(200), &settings());
        assert_eq!(rate.limit, Some(50.0));
        // Those that were under way at the same time are no further sign.
        rate.halve(ms(60), None, ms(210), &settings());
        rate.halve(ms(200), None, ms(220), &settings());
        assert_eq!(rate.limit, Some(50.0));
        let pauses: Vec<_> = (0..3).map(|_| leave(&mut rate, ms(300))).collect();
        assert_eq!(pauses, [ms(0), ms(20), ms(40)]);
        rate.halve(ms(320), None, ms(400), &settings());
        assert_eq!(rate.limit, Some(25.0));
    }

    #[test]
    fn it_grows_back_with_time_alone_and_never_falls_to_nothing() {
        let mut rate = Rate::default();
        rate.leave(ms(0));
        for round in 1..20 {
            rate.halve(ms(round * 1000), None, ms(round * 1000), &settings());
        }
        assert_eq!(rate.limit, Some(0.5));
        assert_eq!(rate.limit(ms(19_500), 1.0), Some(1.0));
        assert_eq!(rate.limit(ms(20_000), 1.0), Some(1.5));
    }

    #[test]
    fn a_pause_that_the_service_asks_for_holds_everybody_and_the_rate() {
        let mut rate = Rate::default();
        rate.leave(ms(0));
        rate.halve(ms(0), Some(ms(7000)), ms(100), &settings());
        assert_eq!(leave(&mut rate, ms(200)), ms(6900));
        assert_eq!((rate.limit(ms(7100), 1.0), rate.limit(ms(8100), 1.0)), (Some(0.5), Some(1.5)));
    }

    #[test]
    fn a_pause_longer_than_the_longest_is_cut_and_told_in_full() {
        let mut rate = Rate::default();
        let year = Duration::from_secs(31_536_000);
        rate.halve(ms(0), Some(year), ms(0), &settings());
        let pause = rate.pause(ms(0), 0.0);
        assert_eq!((pause.held, pause.asked), (LONGEST_PAUSE, year));
        assert_eq!(rate.pause(LONGEST_PAUSE, 0.0).length(), Duration::ZERO);
    }

    #[test]
    fn a_rate_next_to_nothing_waits_no_longer_than_the_longest_pause() {
        let mut rate = Rate::default();
        rate.leave(ms(0));
        rate.halve(ms(0), None, ms(0), &Pacing { growth: 0.0, ..Pacing::adaptive().min_rate(f64::MIN_POSITIVE) });
        assert_eq!(rate.limit, Some(0.5), "half of one request a second");
        for round in 1..2000 {
            let settings = Pacing { growth: 0.0, ..Pacing::adaptive().min_rate(f64::MIN_POSITIVE) };
            rate.halve(ms(round), None, ms(round), &settings);
        }
        assert_eq!(rate.pause(ms(0), 0.0).length(), LONGEST_PAUSE);
    }
}
