//! Properties of the rate limit for any responses and clock readings: it stays within its limits and never blocks for good.

#![allow(clippy::expect_used, reason = "these are tests")]

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::clock::BoxFuture;
use crate::properties::cases;

#[derive(Debug, Clone)]
enum Event {
    Send,
    /// A 429 to a request sent this long ago, with this `Retry-After`.
    Throttled(Duration, Option<Duration>),
}

fn retry_after() -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![
        2 => Just(None),
        2 => (0_u64..100).prop_map(|seconds| Some(Duration::from_secs(seconds))),
        // A service may write any number.
        1 => (0_u64..50).prop_map(|less| Some(Duration::from_secs(u64::MAX - less))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Send),
        2 => ((0_u64..5000).prop_map(Duration::from_millis), retry_after()).prop_map(|(ago, retry_after)| Event::Throttled(ago, retry_after)),
    ]
}

/// Generates any minimum rate that the setting accepts.
fn min_rate() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.01..10.0_f64, 1 => any::<f64>().prop_map(f64::abs).prop_filter("a rate", |rate| rate.is_finite() && *rate > 0.0)]
}

/// A clock that the test advances. A sleep ends when its time has passed.
#[derive(Clone, Default)]
struct ManualClock(Arc<Mutex<Duration>>);

impl ManualClock {
    fn advance(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManualClock")
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let end = self.monotonic().saturating_add(duration);
        Box::pin(std::future::poll_fn(move |_| if self.monotonic() >= end { Poll::Ready(()) } else { Poll::Pending }))
    }

    fn random(&self) -> f64 {
        0.5
    }
}

type Acquire<'a> = Pin<Box<dyn Future<Output = Result<RateLimitPermit<'a>>> + 'a>>;

fn poll<'a>(acquire: &mut Acquire<'a>) -> Poll<Result<RateLimitPermit<'a>>> {
    acquire.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn no_limits() -> AcquireLimits {
    AcquireLimits { deadline: Duration::MAX, max_pause: Duration::MAX }
}

/// A step in the life of a rate limiter.
#[derive(Debug, Clone)]
enum Step {
    Advance(Duration),
    /// A request is sent and succeeds.
    Succeed,
    /// A request is sent and receives a 429.
    Throttle(Option<Duration>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0_u64..3000).prop_map(|passed| Step::Advance(Duration::from_millis(passed))),
        1 => Just(Step::Succeed),
        1 => retry_after().prop_map(Step::Throttle),
    ]
}

/// Returns the time at which each request is sent.
///
/// Before each step `dropped` calls, with and without limits, start to wait and are dropped while waiting.
fn send_times(steps: &[Step], dropped: usize) -> Vec<Duration> {
    let (clock, limiter) = (ManualClock::default(), RateLimiter::new(RateLimit::adaptive()));
    let mut times = Vec::new();
    for step in steps {
        let mut waiting: Vec<Acquire<'_>> = Vec::new();
        for number in 0..dropped {
            let short = AcquireLimits {
                deadline: clock.monotonic() + Duration::from_secs(1),
                max_pause: Duration::from_secs(1),
            };
            let limits = if number % 2 == 0 { no_limits() } else { short };
            // A call that need not wait would be sent.
            if limiter.required_wait(clock.monotonic()).total().is_zero() {
                break;
            }
            waiting.push(Box::pin(limiter.acquire(&clock, limits)));
        }
        for acquire in &mut waiting {
            assert!(!matches!(poll(acquire), Poll::Ready(Ok(_))), "the call must wait");
        }
        drop(waiting);
        match step {
            Step::Advance(time) => clock.advance(*time),
            Step::Succeed | Step::Throttle(_) => {
                let mut acquire: Acquire<'_> = Box::pin(limiter.acquire(&clock, no_limits()));
                let permit = loop {
                    match poll(&mut acquire) {
                        Poll::Ready(permit) => break permit.expect("a call without limits"),
                        Poll::Pending => clock.advance(limiter.required_wait(clock.monotonic()).total()),
                    }
                };
                times.push(clock.monotonic());
                if let Step::Throttle(retry_after) = step {
                    limiter.on_throttled(&permit, *retry_after, &clock);
                }
            }
        }
    }
    times
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn dropped_and_failed_waits_have_no_effect(steps in vec(step(), 0..60), dropped in 1_usize..20) {
        prop_assert_eq!(send_times(&steps, dropped), send_times(&steps, 0));
    }

    #[test]
    fn rate_stays_above_minimum_and_waits_are_capped(
        minimum in min_rate(),
        events in vec((event(), (0_u64..3000).prop_map(Duration::from_millis)), 0..200),
    ) {
        let settings = RateLimit::adaptive().min_rate(minimum);
        let mut state = RateState::default();
        let mut now = Duration::ZERO;
        for (event, passed) in events {
            now += passed;
            match event {
                Event::Send => {
                    let wait = state.required_wait(now, settings.growth);
                    prop_assert!(wait.total() <= MAX_PAUSE, "the wait is capped");
                    prop_assert!(wait.held <= wait.requested);
                    now += wait.total();
                    state.record_sent(now);
                }
                Event::Throttled(ago, retry_after) => {
                    let before = state.held_until;
                    state.on_throttled(now.saturating_sub(ago), retry_after, now, &settings);
                    let pause = retry_after.unwrap_or_default().min(MAX_PAUSE);
                    prop_assert!(state.held_until == before.max(now + pause) || pause.is_zero(), "a pause holds all requests");
                }
            }
            let limit = state.limit(now, settings.growth);
            prop_assert!(limit.is_none_or(|limit| limit.is_finite() && limit >= minimum));
            prop_assert!(limit <= state.limit(now + Duration::from_secs(1), settings.growth), "the limit grows with time");
        }
    }

    #[test]
    fn fails_unsent_when_wait_exceeds_limits(
        pause in 0_u64..1000,
        deadline in 0_u64..1000,
        max_pause in 0_u64..1000,
    ) {
        let [pause, deadline, max_pause] = [pause, deadline, max_pause].map(Duration::from_secs);
        let (clock, limiter) = (ManualClock::default(), RateLimiter::new(RateLimit::adaptive()));
        limiter.with_state(|state| state.on_throttled(Duration::ZERO, Some(pause), Duration::ZERO, &limiter.settings));
        let limits = AcquireLimits { deadline, max_pause };
        let mut acquire: Acquire<'_> = Box::pin(limiter.acquire(&clock, limits));
        let room = deadline.min(max_pause);
        match poll(&mut acquire) {
            Poll::Ready(Err(error)) => {
                prop_assert!(pause.min(MAX_PAUSE) > room);
                prop_assert!(error.is_rate_limited() && error.is_transient() && !error.was_sent());
                prop_assert_eq!(error.retry_after(), Some(pause));
            }
            Poll::Ready(Ok(_)) => prop_assert!(pause.is_zero()),
            Poll::Pending => prop_assert!(pause.min(MAX_PAUSE) <= room),
        }
    }

    #[test]
    fn sends_at_most_limit_plus_one_per_second(
        limit in 0.5..200.0_f64,
        arrivals in vec((0_u64..30).prop_map(Duration::from_millis), 1..400),
    ) {
        let mut state = RateState { limit: Some(limit), ..RateState::default() };
        let (mut now, mut sent) = (Duration::ZERO, Duration::ZERO);
        let times: Vec<Duration> = arrivals.into_iter().map(|passed| {
            now += passed;
            sent = sent.max(now);
            sent += state.required_wait(sent, 0.0).total();
            state.record_sent(sent);
            sent
        }).collect();
        // Intervals are rounded to whole nanoseconds.
        let second = Duration::from_micros(999_999);
        for (index, first) in times.iter().enumerate() {
            let together = times[index..].iter().take_while(|sent| sent.saturating_sub(*first) < second).count();
            prop_assert!(u32::try_from(together).is_ok_and(|together| f64::from(together) <= limit + 1.0), "{} at {}", together, limit);
        }
    }
}
