//! What may be repeated is repeated: how often, after how long, and when to stop.
//!
//! A failure is tried again only when trying helps ([`Error::is_transient`]) and harms nothing: the call is idempotent (RFC 9110 section
//! 9.2.2), or the service surely did not see it or said that it did not carry it out (408, RFC 9110 section 15.5.9; 429, RFC 6585 section 4; 503 with
//! `Retry-After`, RFC 9110 section 15.6.4), or the caller said that it does not matter ([`Retry::EvenIfSent`]).

mod budget;
mod policy;

use std::time::Duration;

pub(crate) use budget::RetryBudget;
pub use policy::{Retry, RetryPolicy};

use crate::backoff::Backoff;
use crate::error::{Error, ErrorKind};

/// The longest `Retry-After` that is sat out before another attempt, however patient the policy: a service that asks for more has to be asked by the
/// caller.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// What becomes of a failure.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Once more, after this time.
    Again(Duration),
    /// It is final; the note says why, where that is news.
    Final(Option<String>),
}

/// The retries of one call.
pub(super) struct Retries<'a> {
    policy: &'a RetryPolicy,
    budget: &'a RetryBudget,
    idempotent: bool,
    /// Made when the first failure asks for it: most calls have none.
    backoff: Option<Backoff>,
    tried: u32,
}

impl<'a> Retries<'a> {
    pub(super) fn new(policy: &'a RetryPolicy, budget: &'a RetryBudget, idempotent: bool) -> Self {
        Self { policy, budget, idempotent, backoff: None, tried: 0 }
    }

    /// As after so many failures that were judged before.
    pub(super) fn after(tried: u32, policy: &'a RetryPolicy, budget: &'a RetryBudget, idempotent: bool) -> Self {
        let mut backoff = policy.backoff();
        // Further on the limit grows no more.
        for _ in 0..tried.min(64) {
            backoff.next_delay();
        }
        Self { backoff: Some(backoff), tried, ..Self::new(policy, budget, idempotent) }
    }

    /// Judges the failure of one more try. `elapsed` is the time since the call began, `left` what its deadline leaves, `random` from 0 to
    /// below 1.
    pub(super) fn judge(&mut self, error: &Error, elapsed: Duration, left: Duration, random: f64) -> Verdict {
        self.tried += 1;
        if !self.may_repeat(error) || self.tried >= self.policy.max_attempts {
            return Verdict::Final(None);
        }
        let backoff = self.backoff.get_or_insert_with(|| self.policy.backoff());
        let own = backoff.next_delay().mul_f64(random);
        // The service knows better than we when it can be asked again, but it does not have to be asked at the first moment.
        let delay = error.retry_after().map_or(own, |asked| asked.max(own));
        let room = self.policy.max_elapsed.saturating_sub(elapsed).min(left);
        let asks_for_too_much = error.retry_after().is_some_and(|asked| asked > LONGEST_ASKED);
        let room = if asks_for_too_much { room.min(LONGEST_ASKED) } else { room };
        if delay >= room {
            return Verdict::Final(Some(match error.retry_after() {
                Some(asked) => format!(
                    "the service asks for a pause of {asked:.0?}, but only {room:.0?} are left for this call; call again after the pause"
                ),
                None => format!("it was not tried again, because only {room:.0?} are left for this call"),
            }));
        }
        if !self.budget.take() {
            return Verdict::Final(Some(
                "it was not tried again, because too many calls of this client failed lately".into(),
            ));
        }
        Verdict::Again(delay)
    }

    fn may_repeat(&self, error: &Error) -> bool {
        let harmless = match self.policy.when {
            Retry::Never => false,
            Retry::IfSafe => self.idempotent || !error.was_sent() || error.was_refused(),
            Retry::EvenIfSent => true,
        };
        harmless && error.is_transient() && error.kind() != ErrorKind::Auth
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

    fn answer(status: u16, retry_after: Option<&'static str>) -> Error {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(text));
        }
        let status = StatusCode::from_u16(status).unwrap_or_default();
        classify(ResponseFailure::ErrorStatus { status, headers: &headers, body: b"", now: SystemTime::UNIX_EPOCH })
    }

    /// The delays until it is final, in milliseconds, and the last note.
    fn delays(policy: &RetryPolicy, error: &Error, idempotent: bool, random: f64) -> (Vec<u128>, Option<String>) {
        let budget = RetryBudget::new(Some(100));
        let mut retries = Retries::new(policy, &budget, idempotent);
        let (mut delays, mut elapsed) = (Vec::new(), Duration::ZERO);
        loop {
            match retries.judge(error, elapsed, LONG, random) {
                Verdict::Again(delay) => {
                    elapsed += delay;
                    delays.push(delay.as_millis());
                }
                Verdict::Final(note) => return (delays, note),
            }
        }
    }

    #[test]
    fn reads_are_repeated_and_creations_are_not() {
        let policy = RetryPolicy::default();
        assert_eq!(delays(&policy, &answer(503, None), true, 0.5), (vec![250, 500, 1000], None));
        assert_eq!(delays(&policy, &answer(503, None), true, 0.0), (vec![0, 0, 0], None), "the whole length is used");
        assert_eq!(delays(&policy, &answer(503, None), false, 0.5), (vec![], None));
        assert_eq!(delays(&policy, &answer(429, None), false, 0.5), (vec![250, 500, 1000], None), "it was refused");
        for asked in ["1", "0", "1.0", "Thu, 01 Jan 1970 00:00:01 GMT"] {
            let pauses = delays(&policy, &answer(503, Some(asked)), false, 0.5).0;
            assert_eq!(pauses.len(), 3, "503 with Retry-After: {asked} was not processed");
        }
        assert_eq!(delays(&policy, &answer(503, Some("soon")), false, 0.5).0, [], "no time is no such word");
        for status in [500, 502, 504] {
            assert_eq!(
                delays(&policy, &answer(status, Some("1")), false, 0.5).0,
                [],
                "{status} may have been processed"
            );
        }
        assert_eq!(delays(&policy, &answer(404, None), true, 0.5), (vec![], None));
        assert_eq!(delays(&policy, &answer(500, None), true, 0.5), (vec![], None));
        let refused = Error::new(ErrorKind::Connect, "refused").with_sent(Sent::No);
        assert_eq!(delays(&policy, &refused, false, 0.5), (vec![250, 500, 1000], None));
        let login = Error::auth("trouble").transient();
        assert_eq!(delays(&policy, &login, true, 0.5), (vec![], None), "the provider has its own rules");
    }

    #[test]
    fn a_caller_decides_otherwise() {
        let never = RetryPolicy::default().when(Retry::Never);
        assert_eq!(delays(&never, &answer(503, None), true, 0.5).0, []);
        let always = RetryPolicy::default().when(Retry::EvenIfSent).max_attempts(2);
        assert_eq!(delays(&always, &answer(503, None), false, 0.5).0, [250]);
        assert_eq!(delays(&always, &answer(500, None), false, 0.5).0, [], "which trying again does not help");
        let slow = RetryPolicy::default().delays(Duration::from_secs(1), Duration::from_secs(3)).max_attempts(6);
        assert_eq!(delays(&slow, &answer(503, None), true, 1.0).0, [1000, 2000, 3000, 3000, 3000]);
    }

    #[test]
    fn the_service_says_how_long() {
        let policy = RetryPolicy::default();
        assert_eq!(delays(&policy, &answer(429, Some("7")), true, 0.9).0, [7000, 7000, 7000]);
        assert_eq!(delays(&policy, &answer(429, Some("0")), true, 0.5).0, [250, 500, 1000]);
        let (pauses, note) = delays(&policy, &answer(429, Some("3600")), true, 0.9);
        assert_eq!(pauses, []);
        let wanted =
            "the service asks for a pause of 3600s, but only 120s are left for this call; call again after the pause";
        assert_eq!(note.as_deref(), Some(wanted));
        let patient = RetryPolicy::default().max_elapsed(Duration::MAX);
        let budget = RetryBudget::new(None);
        for (asked, repeated) in
            [("86400", true), ("86401", false), ("31536000", false), ("99999999999999999999", false)]
        {
            let verdict = Retries::new(&patient, &budget, true).judge(
                &answer(503, Some(asked)),
                Duration::ZERO,
                Duration::MAX,
                0.5,
            );
            assert_eq!(matches!(verdict, Verdict::Again(_)), repeated, "{asked}");
        }
    }

    #[test]
    fn time_ends_what_attempts_would_not() {
        let policy = RetryPolicy::default().max_attempts(100).max_elapsed(Duration::from_secs(10));
        let (pauses, note) = delays(&policy, &answer(503, None), true, 1.0);
        assert_eq!(pauses, [500, 1000, 2000, 4000]);
        assert_eq!(note.as_deref(), Some("it was not tried again, because only 2s are left for this call"));
    }

    #[test]
    fn a_failing_service_is_not_hit_harder() {
        let policy = RetryPolicy::default();
        let budget = RetryBudget::new(Some(4));
        let busy = answer(503, None);
        let failing_call = |_| {
            let mut retries = Retries::new(&policy, &budget, true);
            let mut again = 0;
            loop {
                match retries.judge(&busy, Duration::ZERO, LONG, 0.5) {
                    Verdict::Again(_) => again += 1,
                    Verdict::Final(note) => return (again, note.is_some()),
                }
            }
        };
        let outcomes: Vec<_> = (0..3).map(failing_call).collect();
        assert_eq!(outcomes, [(3, false), (1, true), (0, true)]);
        (0..10).for_each(|_| budget.succeeded());
        assert_eq!(failing_call(0), (1, true), "ten successes are worth one retry");
    }
}
