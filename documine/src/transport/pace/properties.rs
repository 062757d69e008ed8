//! Whatever services answer and clocks show, the pace keeps to its limits, and never stops the program.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::properties::cases;

#[derive(Debug, Clone)]
enum Event {
    Reserve,
    /// Too fast; the request left so long ago, and the service asks for this pause.
    Refused(Duration, Option<Duration>),
    Fine,
}

fn event() -> impl Strategy<Value = Event> {
    let asked = prop_oneof![
        2 => Just(None),
        2 => (0_u64..100).prop_map(|seconds| Some(Duration::from_secs(seconds))),
        // A service may write any number.
        1 => (0_u64..50).prop_map(|less| Some(Duration::from_secs(u64::MAX - less))),
    ];
    prop_oneof![
        4 => Just(Event::Reserve),
        2 => ((0_u64..5000).prop_map(Duration::from_millis), asked).prop_map(|(ago, asked)| Event::Refused(ago, asked)),
        1 => Just(Event::Fine),
    ]
}

/// Any least rate that the setting takes.
fn least() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.01..10.0_f64, 1 => any::<f64>().prop_map(f64::abs).prop_filter("a rate", |rate| rate.is_finite() && *rate > 0.0)]
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn the_rate_has_a_floor_and_turns_come_one_after_the_other(
        least in least(),
        events in vec((event(), (0_u64..3000).prop_map(Duration::from_millis)), 0..200),
    ) {
        let settings = Pacing::adaptive().min_rate(least);
        let mut rate = Rate::default();
        let (mut now, mut next) = (Duration::ZERO, Duration::ZERO);
        for (event, passed) in events {
            now += passed;
            match event {
                Event::Reserve => {
                    let (pause, left) = rate.reserve(now);
                    prop_assert!(left >= now && left >= next, "it waits its turn");
                    prop_assert_eq!(now.checked_add(pause), Some(left));
                }
                Event::Refused(ago, asked) => {
                    rate.halve(now.saturating_sub(ago), asked, now, settings.min_rate);
                    prop_assert!(asked.is_none_or(|asked| rate.next >= now.saturating_add(asked)), "a pause holds everybody");
                }
                Event::Fine => {
                    let before = rate.limit;
                    rate.grow(now, settings.growth);
                    prop_assert!(rate.limit >= before);
                }
            }
            prop_assert!(rate.limit.is_none_or(|limit| limit.is_finite() && limit >= least));
            prop_assert!(rate.next >= next, "no turn is given twice");
            next = rate.next;
        }
    }

    #[test]
    fn in_no_second_leave_more_than_the_limit_and_one(
        limit in 0.5..200.0_f64,
        arrivals in vec((0_u64..30).prop_map(Duration::from_millis), 1..400),
    ) {
        let mut rate = Rate { limit: Some(limit), ..Rate::default() };
        let mut now = Duration::ZERO;
        let leaving: Vec<Duration> = arrivals.into_iter().map(|passed| {
            now += passed;
            rate.reserve(now).1
        }).collect();
        // Turns are counted in whole nanoseconds.
        let second = Duration::from_micros(999_999);
        for (index, first) in leaving.iter().enumerate() {
            let together = leaving[index..].iter().take_while(|left| left.saturating_sub(*first) < second).count();
            prop_assert!(u32::try_from(together).is_ok_and(|together| f64::from(together) <= limit + 1.0), "{} at {}", together, limit);
        }
    }
}
