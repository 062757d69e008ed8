//! The retry layer: decides whether a failed request is repeated, and after which delay.
//!
//! A failure is retried only if a retry can help ([`Error::is_transient`]) and is safe: the method is idempotent (RFC 9110 section 9.2.2),
//! the service did not receive the request, the service stated that it did not process the request (408, RFC 9110 section 15.5.9; 429,
//! RFC 6585 section 4; 503 with `Retry-After`, RFC 9110 section 15.6.4), or the caller chose [`RetryMode::EvenIfSent`].

mod budget;
mod policy;

use std::time::Duration;

pub(crate) use budget::RetryBudget;
pub use policy::{RetryMode, RetryPolicy};

use crate::backoff::Backoff;
use crate::error::{Error, ErrorKind};

/// The longest `Retry-After` that is waited for between attempts, even if the policy allows more. A longer one is left to the caller.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The decision about a failed attempt.
#[derive(Debug)]
pub(super) enum RetryDecision {
    /// Retries after this delay.
    RetryAfter(Duration),
    /// Returns the error, with a note where the reason is not evident from the error.
    GiveUp(Option<String>),
}

/// The retries of one call, or of one transfer.
pub(super) struct RetryContext<'a> {
    policy: &'a RetryPolicy,
    budget: &'a RetryBudget,
    idempotent: bool,
    /// Created on the first failure, because most calls have none.
    backoff: Option<Backoff>,
    failures: u32,
}

impl<'a> RetryContext<'a> {
    pub(super) fn new(policy: &'a RetryPolicy, budget: &'a RetryBudget, idempotent: bool) -> Self {
        Self { policy, budget, idempotent, backoff: None, failures: 0 }
    }

    /// Creates the context as it is after this many failures.
    pub(super) fn after_failures(
        failures: u32,
        policy: &'a RetryPolicy,
        budget: &'a RetryBudget,
        idempotent: bool,
    ) -> Self {
        let mut backoff = policy.backoff();
        // After 64 doublings the delay has reached its limit.
        for _ in 0..failures.min(64) {
            backoff.next_delay();
        }
        Self { backoff: Some(backoff), failures, ..Self::new(policy, budget, idempotent) }
    }

    /// Decides about a failed attempt.
    ///
    /// `elapsed` is the time since the start of the call, `remaining` the time left until its deadline, `random` a number from 0 to below 1.
    pub(super) fn on_error(
        &mut self,
        error: &Error,
        elapsed: Duration,
        remaining: Duration,
        random: f64,
    ) -> RetryDecision {
        self.failures += 1;
        if !self.is_retryable(error) || self.failures >= self.policy.max_attempts {
            return RetryDecision::GiveUp(None);
        }
        let backoff = self.backoff.get_or_insert_with(|| self.policy.backoff());
        let jittered = backoff.next_delay().mul_f64(random);
        // `Retry-After` is the minimum; jitter beyond it spreads the clients.
        let delay = error.retry_after().map_or(jittered, |retry_after| retry_after.max(jittered));
        let limit = self.policy.max_elapsed.saturating_sub(elapsed).min(remaining);
        let is_too_long = error.retry_after().is_some_and(|retry_after| retry_after > MAX_RETRY_AFTER);
        let limit = if is_too_long { limit.min(MAX_RETRY_AFTER) } else { limit };
        if delay >= limit {
            return RetryDecision::GiveUp(Some(
                match error.retry_after().filter(|retry_after| *retry_after >= limit) {
                    Some(retry_after) => format!(
                        "Retry-After of {retry_after:.0?} does not fit into the {limit:.0?} left for this call; call again after the pause"
                    ),
                    None => format!("not retried: only {limit:.0?} left for this call"),
                },
            ));
        }
        if !self.budget.withdraw() {
            return RetryDecision::GiveUp(Some(
                "not retried: the retry budget of this client is exhausted after many failures; call again later"
                    .into(),
            ));
        }
        RetryDecision::RetryAfter(delay)
    }

    fn is_retryable(&self, error: &Error) -> bool {
        let is_safe = match self.policy.when {
            RetryMode::Never => false,
            RetryMode::IfSafe => self.idempotent || !error.was_sent() || error.was_refused(),
            RetryMode::EvenIfSent => true,
        };
        is_safe && error.is_transient() && error.kind() != ErrorKind::Auth
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Sent;
    use crate::transport::classify::{ResponseFailure, classify};
    use http::{HeaderMap, HeaderValue, StatusCode, header};
    use std::time::SystemTime;

    const LONG: Duration = Duration::from_secs(3600);

    fn error_status(status: u16, retry_after: Option<&'static str>) -> Error {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(text));
        }
        let status = StatusCode::from_u16(status).unwrap_or_default();
        classify(ResponseFailure::ErrorStatus { status, headers: &headers, body: b"", now: SystemTime::UNIX_EPOCH })
    }

    /// Returns the delays until the policy gives up, in milliseconds, and the last note.
    fn delays(policy: &RetryPolicy, error: &Error, idempotent: bool, random: f64) -> (Vec<u128>, Option<String>) {
        let budget = RetryBudget::new(Some(100));
        let mut retry = RetryContext::new(policy, &budget, idempotent);
        let (mut delays, mut elapsed) = (Vec::new(), Duration::ZERO);
        loop {
            match retry.on_error(error, elapsed, LONG, random) {
                RetryDecision::RetryAfter(delay) => {
                    elapsed += delay;
                    delays.push(delay.as_millis());
                }
                RetryDecision::GiveUp(note) => return (delays, note),
            }
        }
    }

    #[test]
    fn retries_idempotent_requests_and_unprocessed_creations() {
        let policy = RetryPolicy::default();
        assert_eq!(delays(&policy, &error_status(503, None), true, 0.5), (vec![250, 500, 1000], None));
        assert_eq!(delays(&policy, &error_status(503, None), true, 0.0), (vec![0, 0, 0], None), "full jitter");
        assert_eq!(delays(&policy, &error_status(503, None), false, 0.5), (vec![], None));
        assert_eq!(
            delays(&policy, &error_status(429, None), false, 0.5),
            (vec![250, 500, 1000], None),
            "429: not processed"
        );
        for retry_after in ["1", "0", "1.0", "Thu, 01 Jan 1970 00:00:01 GMT"] {
            let pauses = delays(&policy, &error_status(503, Some(retry_after)), false, 0.5).0;
            assert_eq!(pauses.len(), 3, "503 with Retry-After: {retry_after}: not processed");
        }
        assert_eq!(
            delays(&policy, &error_status(503, Some("soon")), false, 0.5).0,
            [],
            "an invalid Retry-After does not count"
        );
        for status in [500, 502, 504] {
            assert_eq!(
                delays(&policy, &error_status(status, Some("1")), false, 0.5).0,
                [],
                "{status}: possibly processed"
            );
        }
        assert_eq!(delays(&policy, &error_status(404, None), true, 0.5), (vec![], None));
        assert_eq!(delays(&policy, &error_status(500, None), true, 0.5), (vec![], None));
        let refused = Error::new(ErrorKind::Connect, "refused").with_sent(Sent::No);
        assert_eq!(delays(&policy, &refused, false, 0.5), (vec![250, 500, 1000], None));
        let auth = Error::auth("unavailable").transient();
        assert_eq!(delays(&policy, &auth, true, 0.5), (vec![], None), "auth has its own retries");
    }

    #[test]
    fn policy_overrides_when_to_retry() {
        let never = RetryPolicy::default().when(RetryMode::Never);
        assert_eq!(delays(&never, &error_status(503, None), true, 0.5).0, []);
        let always = RetryPolicy::default().when(RetryMode::EvenIfSent).max_attempts(2);
        assert_eq!(delays(&always, &error_status(503, None), false, 0.5).0, [250]);
        assert_eq!(delays(&always, &error_status(500, None), false, 0.5).0, [], "not transient");
        let slow = RetryPolicy::default().delays(Duration::from_secs(1), Duration::from_secs(3)).max_attempts(6);
        assert_eq!(delays(&slow, &error_status(503, None), true, 1.0).0, [1000, 2000, 3000, 3000, 3000]);
    }

    #[test]
    fn waits_at_least_for_retry_after() {
        let policy = RetryPolicy::default();
        assert_eq!(delays(&policy, &error_status(429, Some("7")), true, 0.9).0, [7000, 7000, 7000]);
        assert_eq!(delays(&policy, &error_status(429, Some("0")), true, 0.5).0, [250, 500, 1000]);
        let (pauses, note) = delays(&policy, &error_status(429, Some("3600")), true, 0.9);
        assert_eq!(pauses, []);
        let expected = "Retry-After of 3600s does not fit into the 120s left for this call; call again after the pause";
        assert_eq!(note.as_deref(), Some(expected));
        let patient = RetryPolicy::default().max_elapsed(Duration::MAX);
        let budget = RetryBudget::new(None);
        for (retry_after, retried) in
            [("86400", true), ("86401", false), ("31536000", false), ("99999999999999999999", false)]
        {
            let decision = RetryContext::new(&patient, &budget, true).on_error(
                &error_status(503, Some(retry_after)),
                Duration::ZERO,
                Duration::MAX,
                0.5,
            );
            assert_eq!(matches!(decision, RetryDecision::RetryAfter(_)), retried, "{retry_after}");
        }
    }

    #[test]
    fn gives_up_after_max_elapsed() {
        let policy = RetryPolicy::default().max_attempts(100).max_elapsed(Duration::from_secs(10));
        let (pauses, note) = delays(&policy, &error_status(503, None), true, 1.0);
        assert_eq!(pauses, [500, 1000, 2000, 4000]);
        assert_eq!(note.as_deref(), Some("not retried: only 2s left for this call"));
    }

    #[test]
    fn stops_retrying_when_budget_is_exhausted() {
        let policy = RetryPolicy::default();
        let budget = RetryBudget::new(Some(4));
        let busy = error_status(503, None);
        let failing_call = |_| {
            let mut retry = RetryContext::new(&policy, &budget, true);
            let mut retries = 0;
            loop {
                match retry.on_error(&busy, Duration::ZERO, LONG, 0.5) {
                    RetryDecision::RetryAfter(_) => retries += 1,
                    RetryDecision::GiveUp(note) => return (retries, note.is_some()),
                }
            }
        };
        let outcomes: Vec<_> = (0..3).map(failing_call).collect();
        assert_eq!(outcomes, [(3, false), (1, true), (0, true)]);
        (0..10).for_each(|_| budget.deposit());
        assert_eq!(failing_call(0), (1, true), "ten successes pay for one retry");
    }
}
