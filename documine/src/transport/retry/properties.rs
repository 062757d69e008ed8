//! Properties of retries for any policy, failures and random numbers: delays stay within their limits, and retries end.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::SystemTime;

use super::*;
use crate::error::Sent;
use crate::properties::cases;
use crate::transport::classify::{ResponseFailure, classify};

/// Common durations and extreme ones.
fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0_u64..30_000).prop_map(Duration::from_millis),
        1 => (0_u64..5_000_000_000).prop_map(Duration::from_nanos),
        1 => any::<u64>().prop_map(Duration::from_secs),
        1 => prop::sample::select(&[Duration::ZERO, Duration::MAX]),
    ]
}

fn policy() -> impl Strategy<Value = RetryPolicy> {
    let when = prop::sample::select(&[RetryMode::Never, RetryMode::IfSafe, RetryMode::IfSafe, RetryMode::EvenIfSent]);
    (when, 0_u32..12, duration(), duration(), duration()).prop_map(|(when, attempts, first, longest, elapsed)| {
        RetryPolicy::default().when(when).max_attempts(attempts).delays(first, longest).max_elapsed(elapsed)
    })
}

fn failure() -> impl Strategy<Value = Error> {
    let error_status = (prop::sample::select(&[404_u16, 408, 429, 500, 502, 503]), prop::option::of(0_u64..40))
        .prop_map(|(code, retry_after)| {
            let mut headers = HeaderMap::new();
            if let Some(seconds) = retry_after {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            let status = StatusCode::from_u16(code).unwrap_or_default();
            classify(ResponseFailure::ErrorStatus { status, headers: &headers, body: b"", now: SystemTime::UNIX_EPOCH })
        });
    let refused = Error::new(ErrorKind::Connect, "refused").with_sent(Sent::No);
    let broken = Error::new(ErrorKind::Interrupted, "broken").with_sent(Sent::Maybe);
    let auth = Error::auth("unavailable").transient();
    prop_oneof![4 => error_status, 1 => Just(refused), 1 => Just(broken), 1 => Just(auth)]
}

/// Adds the rounding error of the floating-point growth to a limit.
fn with_rounding(limit: Duration) -> Duration {
    limit.saturating_add(limit / 1_000_000).saturating_add(Duration::from_nanos(1))
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn delays_stay_within_limits_and_retries_end(
        policy in policy(),
        budget_size in prop::option::of(0_u32..5),
        idempotent: bool,
        tries in vec((failure(), (0_u64..2000).prop_map(Duration::from_millis), 0.0..1.0_f64), 15),
        deadline in duration(),
    ) {
        let budget = RetryBudget::new(budget_size);
        let mut retry = RetryContext::new(&policy, &budget, idempotent);
        let (mut elapsed, mut total_delay) = (Duration::ZERO, Duration::ZERO);
        let mut retries = 0_u32;
        let mut limit = policy.first_delay.min(policy.max_delay);
        let mut ended = false;
        for (error, took, random) in tries {
            elapsed = elapsed.saturating_add(took);
            let remaining = deadline.saturating_sub(elapsed);
            let delay = match retry.on_error(&error, elapsed, remaining, random) {
                RetryDecision::RetryAfter(delay) => delay,
                RetryDecision::GiveUp(note) => {
                    prop_assert!(!note.is_some_and(|note| note.contains(char::is_control)));
                    ended = true;
                    break;
                }
            };
            let retry_after = error.retry_after().unwrap_or_default();
            prop_assert!(delay >= retry_after);
            prop_assert!(delay <= retry_after.max(with_rounding(limit)), "{:?} of at most {:?}", delay, limit);
            prop_assert!(delay <= retry_after.max(policy.max_delay));
            prop_assert!(delay < remaining && elapsed + delay < policy.max_elapsed);
            prop_assert!(error.is_transient() && error.kind() != ErrorKind::Auth);
            let is_safe = match policy.when {
                RetryMode::Never => false,
                RetryMode::IfSafe => idempotent || !error.was_sent() || error.was_refused(),
                RetryMode::EvenIfSent => true,
            };
            prop_assert!(is_safe);
            retries += 1;
            elapsed += delay;
            total_delay += delay;
            limit = limit.saturating_mul(2).min(policy.max_delay);
        }
        prop_assert!(ended, "policies allow fewer than fifteen attempts");
        prop_assert!(retries < policy.max_attempts.max(1));
        prop_assert!(retries <= budget_size.unwrap_or(u32::MAX));
        prop_assert!(total_delay.is_zero() || total_delay < policy.max_elapsed);
    }

    #[test]
    fn budget_allows_its_size_and_a_tenth_of_successes(size in 0_u32..50, steps in vec(any::<bool>(), 0..400)) {
        let budget = RetryBudget::new(Some(size));
        let (mut taken, mut successes) = (0_u32, 0_u32);
        for withdraw in steps {
            if withdraw {
                taken += u32::from(budget.withdraw());
            } else {
                budget.deposit();
                successes += 1;
            }
            prop_assert!(taken <= size + successes / 10);
        }
    }
}
