//! Whatever services answer and clocks show, the pace keeps to its limits, and never stops the program.

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
    Leave,
    /// Too fast; the request left so long ago, and the service asks for this pause.
    Refused(Duration, Option<Duration>),
}

fn asked() -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![
        2 => Just(None),
        2 => (0_u64..100).prop_map(|seconds| Some(Duration::from_secs(seconds))),
        // A service may write any number.
        1 => (0_u64..50).prop_map(|less| Some(Duration::from_secs(u64::MAX - less))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Leave),
        2 => ((0_u64..5000).prop_map(Duration::from_millis), asked()).prop_map(|(ago, asked)| Event::Refused(ago, asked)),
    ]
}

/// Any least rate that the setting takes.
fn least() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.01..10.0_f64, 1 => any::<f64>().prop_map(f64::abs).prop_filter("a rate", |rate| rate.is_finite() && *rate > 0.0)]
}

/// Time that passes when a test says so. A sleep ends when it has passed.
#[derive(Clone, Default)]
struct Standing(Arc<Mutex<Duration>>);

impl Standing {
    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Standing")
    }
}

impl Clock for Standing {
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

type Turn<'a> = Pin<Box<dyn Future<Output = Result<Slot<'a>>> + 'a>>;

fn poll<'a>(turn: &mut Turn<'a>) -> Poll<Result<Slot<'a>>> {
    turn.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn patient() -> TurnLimits {
    TurnLimits { deadline: Duration::MAX, max_pause: Duration::MAX }
}

/// A step in the life of a pacer.
#[derive(Debug, Clone)]
enum Step {
    Pass(Duration),
    /// A request waits until it has left, and the service takes it.
    Taken,
    /// The same, and the service answers that this was too fast.
    TooFast(Option<Duration>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0_u64..3000).prop_map(|passed| Step::Pass(Duration::from_millis(passed))),
        1 => Just(Step::Taken),
        1 => asked().prop_map(Step::TooFast),
    ]
}

/// Returns the time at which each call leaves.
///
/// Before each step `dropped` calls begin to wait, patient ones and others, and are dropped while they wait.
fn leaving(steps: &[Step], dropped: usize) -> Vec<Duration> {
    let (clock, pacer) = (Standing::default(), Pacer::new(Pacing::adaptive()));
    let mut leaving = Vec::new();
    for step in steps {
        let mut waiting: Vec<Turn<'_>> = Vec::new();
        for number in 0..dropped {
            let short =
                TurnLimits { deadline: clock.monotonic() + Duration::from_secs(1), max_pause: Duration::from_secs(1) };
            let limits = if number % 2 == 0 { patient() } else { short };
            // Those that need not wait would leave.
            if pacer.pause(clock.monotonic()).length().is_zero() {
                break;
            }
            waiting.push(Box::pin(pacer.turn(&clock, limits)));
        }
        for turn in &mut waiting {
            assert!(!matches!(poll(turn), Poll::Ready(Ok(_))), "it has to wait");
        }
        drop(waiting);
        match step {
            Step::Pass(time) => clock.pass(*time),
            Step::Taken | Step::TooFast(_) => {
                let mut turn: Turn<'_> = Box::pin(pacer.turn(&clock, patient()));
                let slot = loop {
                    match poll(&mut turn) {
                        Poll::Ready(slot) => break slot.expect("a patient call"),
                        Poll::Pending => clock.pass(pacer.pause(clock.monotonic()).length()),
                    }
                };
                leaving.push(clock.monotonic());
                if let Step::TooFast(asked) = step {
                    pacer.too_fast(&slot, *asked, &clock);
                }
            }
        }
    }
    leaving
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn dropped_and_refused_turns_leave_no_trace(steps in vec(step(), 0..60), dropped in 1_usize..20) {
        prop_assert_eq!(leaving(&steps, dropped), leaving(&steps, 0));
    }

    #[test]
    fn the_rate_has_a_floor_and_turns_come_one_after_the_other(
        least in least(),
        events in vec((event(), (0_u64..3000).prop_map(Duration::from_millis)), 0..200),
    ) {
        let settings = Pacing::adaptive().min_rate(least);
        let mut rate = Rate::default();
        let mut now = Duration::ZERO;
        for (event, passed) in events {
            now += passed;
            match event {
                Event::Leave => {
                    let pause = rate.pause(now, settings.growth);
                    prop_assert!(pause.length() <= LONGEST_PAUSE, "no pause without end");
                    prop_assert!(pause.held <= pause.asked);
                    now += pause.length();
                    rate.leave(now);
                }
                Event::Refused(ago, asked) => {
                    let before = rate.held;
                    rate.halve(now.saturating_sub(ago), asked, now, &settings);
                    let asked = asked.unwrap_or_default().min(LONGEST_PAUSE);
                    prop_assert!(rate.held == before.max(now + asked) || asked.is_zero(), "a pause holds everybody");
                }
            }
            let limit = rate.limit(now, settings.growth);
            prop_assert!(limit.is_none_or(|limit| limit.is_finite() && limit >= least));
            prop_assert!(limit <= rate.limit(now + Duration::from_secs(1), settings.growth), "it grows with time alone");
        }
    }

    #[test]
    fn a_turn_beyond_the_limits_of_its_call_is_refused_unsent(
        asked in 0_u64..1000,
        deadline in 0_u64..1000,
        max_pause in 0_u64..1000,
    ) {
        let [asked, deadline, max_pause] = [asked, deadline, max_pause].map(Duration::from_secs);
        let (clock, pacer) = (Standing::default(), Pacer::new(Pacing::adaptive()));
        pacer.rate(|rate| rate.halve(Duration::ZERO, Some(asked), Duration::ZERO, &pacer.settings));
        let limits = TurnLimits { deadline, max_pause };
        let mut turn: Turn<'_> = Box::pin(pacer.turn(&clock, limits));
        let room = deadline.min(max_pause);
        match poll(&mut turn) {
            Poll::Ready(Err(error)) => {
                prop_assert!(asked.min(LONGEST_PAUSE) > room);
                prop_assert!(error.is_rate_limited() && error.is_transient() && !error.was_sent());
                prop_assert_eq!(error.retry_after(), Some(asked));
            }
            Poll::Ready(Ok(_)) => prop_assert!(asked.is_zero()),
            Poll::Pending => prop_assert!(asked.min(LONGEST_PAUSE) <= room),
        }
    }

    #[test]
    fn in_no_second_leave_more_than_the_limit_and_one(
        limit in 0.5..200.0_f64,
        arrivals in vec((0_u64..30).prop_map(Duration::from_millis), 1..400),
    ) {
        let mut rate = Rate { limit: Some(limit), ..Rate::default() };
        let (mut now, mut left) = (Duration::ZERO, Duration::ZERO);
        let leaving: Vec<Duration> = arrivals.into_iter().map(|passed| {
            now += passed;
            left = left.max(now);
            left += rate.pause(left, 0.0).length();
            rate.leave(left);
            left
        }).collect();
        // Turns are counted in whole nanoseconds.
        let second = Duration::from_micros(999_999);
        for (index, first) in leaving.iter().enumerate() {
            let together = leaving[index..].iter().take_while(|left| left.saturating_sub(*first) < second).count();
            prop_assert!(u32::try_from(together).is_ok_and(|together| f64::from(together) <= limit + 1.0), "{} at {}", together, limit);
        }
    }
}
