//! Whatever the policy, the failures and the chances: pauses stay within their limits, and they come to an end.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::SystemTime;

use super::*;
use crate::error::Sent;
use crate::properties::cases;
use crate::transport::classify::{ResponseFailure, classify};

/// Everyday lengths, and those at which numbers end.
fn length() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0_u64..30_000).prop_map(Duration::from_millis),
        1 => (0_u64..5_000_000_000).prop_map(Duration::from_nanos),
        1 => any::<u64>().prop_map(Duration::from_secs),
        1 => prop::sample::select(&[Duration::ZERO, Duration::MAX]),
    ]
}

fn policy() -> impl Strategy<Value = RetryPolicy> {
    let when = prop::sample::select(&[Retry::Never, Retry::IfSafe, Retry::IfSafe, Retry::EvenIfSent]);
    (when, 0_u32..12, length(), length(), length()).prop_map(|(when, attempts, first, longest, elapsed)| {
        RetryPolicy::default().when(when).max_attempts(attempts).delays(first, longest).max_elapsed(elapsed)
    })
}

fn failure() -> impl Strategy<Value = Error> {
    let answered = (prop::sample::select(&[404_u16, 408, 429, 500, 502, 503]), prop::option::of(0_u64..40)).prop_map(
        |(code, asked)| {
            let mut headers = HeaderMap::new();
            if let Some(seconds) = asked {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            let status = StatusCode::from_u16(code).unwrap_or_default();
            classify(ResponseFailure::ErrorStatus { status, headers: &headers, body: b"", now: SystemTime::UNIX_EPOCH })
        },
    );
    let refused = Error::new(ErrorKind::Connect, "refused").with_sent(Sent::No);
    let broken = Error::new(ErrorKind::Interrupted, "broken").with_sent(Sent::Maybe);
    let login = Error::auth("trouble").transient();
    prop_oneof![4 => answered, 1 => Just(refused), 1 => Just(broken), 1 => Just(login)]
}

/// The growth is reckoned in floating point; so much more than its limit a pause may be.
fn about(limit: Duration) -> Duration {
    limit.saturating_add(limit / 1_000_000).saturating_add(Duration::from_nanos(1))
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn pauses_stay_within_their_limits_and_end(
        policy in policy(),
        retries_of_all in prop::option::of(0_u32..5),
        idempotent: bool,
        tries in vec((failure(), (0_u64..2000).prop_map(Duration::from_millis), 0.0..1.0_f64), 15),
        deadline in length(),
    ) {
        let budget = RetryBudget::new(retries_of_all);
        let mut retries = Retries::new(&policy, &budget, idempotent);
        let (mut elapsed, mut pauses) = (Duration::ZERO, Duration::ZERO);
        let mut again = 0_u32;
        let mut limit = policy.first_delay.min(policy.max_delay);
        let mut ended = false;
        for (error, took, random) in tries {
            elapsed = elapsed.saturating_add(took);
            let left = deadline.saturating_sub(elapsed);
            let delay = match retries.judge(&error, elapsed, left, random) {
                Verdict::Again(delay) => delay,
                Verdict::Final(note) => {
                    prop_assert!(!note.is_some_and(|note| note.contains(char::is_control)));
                    ended = true;
                    break;
                }
            };
            let asked = error.retry_after().unwrap_or_default();
            prop_assert!(delay >= asked);
            prop_assert!(delay <= asked.max(about(limit)), "{:?} of at most {:?}", delay, limit);
            prop_assert!(delay <= asked.max(policy.max_delay));
            prop_assert!(delay < left && elapsed + delay < policy.max_elapsed);
            prop_assert!(error.is_transient() && error.kind() != ErrorKind::Auth);
            let harmless = match policy.when {
                Retry::Never => false,
                Retry::IfSafe => idempotent || !error.was_sent() || error.was_refused(),
                Retry::EvenIfSent => true,
            };
            prop_assert!(harmless);
            again += 1;
            elapsed += delay;
            pauses += delay;
            limit = limit.saturating_mul(2).min(policy.max_delay);
        }
        prop_assert!(ended, "fewer attempts than fifteen are allowed");
        prop_assert!(again < policy.max_attempts.max(1));
        prop_assert!(again <= retries_of_all.unwrap_or(u32::MAX));
        prop_assert!(pauses.is_zero() || pauses < policy.max_elapsed);
    }

    #[test]
    fn the_budget_gives_what_it_has_and_gets_back_a_tenth(size in 0_u32..50, steps in vec(any::<bool>(), 0..400)) {
        let budget = RetryBudget::new(Some(size));
        let (mut taken, mut successes) = (0_u32, 0_u32);
        for take in steps {
            if take {
                taken += u32::from(budget.take());
            } else {
                budget.succeeded();
                successes += 1;
            }
            prop_assert!(taken <= size + successes / 10);
        }
    }
}
