//! How often, how long, and for which calls: the settings of a client or of one call.

use std::time::Duration;

use crate::backoff::Backoff;

/// For which calls a failure is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Retry {
    /// Never.
    Never,
    /// Where it cannot do anything twice: calls that HTTP calls idempotent (RFC 9110 section 9.2.2: GET, PUT, DELETE, …), requests that
    /// surely did not reach the service, and requests of any method that it did not process: 408, 429 (RFC 6585 section 4), and 503 with a
    /// `Retry-After` (RFC 9110 section 15.6.4). Creations and uploads are repeated after these, too. The default.
    #[default]
    IfSafe,
    /// Also where the service may have seen the request: a creation or an upload whose answer was lost is made again. Only for calls where
    /// doing it twice does no harm. An upload is read again from its [`Source`](crate::Source).
    EvenIfSent,
}

/// How failed attempts are repeated.
///
/// The pause before the next attempt is random between nothing and a limit that doubles (full jitter): clients that failed together do not
/// come back together. A `Retry-After` of the service (RFC 9110 section 10.2.3; seconds or a date) is the least pause; one that is longer
/// than the time left for the call, or than a day, ends it at once.
///
/// ```
/// use std::time::Duration;
/// use documine::{Client, Credentials, Retry, RetryPolicy};
/// # fn main() -> documine::Result<()> {
/// let patient = RetryPolicy::default().max_attempts(10).max_elapsed(Duration::from_secs(600));
/// let client = Client::builder("https://acme.example")
///     .workspace("acme")
///     .credentials(Credentials::access_token("eyJ…"))
///     .retry(patient)
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a policy does nothing by itself"]
pub struct RetryPolicy {
    pub(super) when: Retry,
    pub(super) max_attempts: u32,
    pub(super) first_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) max_elapsed: Duration,
}

impl Default for RetryPolicy {
    /// [`Retry::IfSafe`], four attempts, pauses of at most 0.5 s, 1 s, 2 s, …, 20 s, two minutes in all: a hiccup and a short restart are
    /// bridged, and a real failure is still reported soon.
    fn default() -> Self {
        Self {
            when: Retry::IfSafe,
            max_attempts: 4,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(20),
            max_elapsed: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// Whether anything is repeated at all.
    pub(crate) fn repeats(&self) -> bool {
        self.when != Retry::Never && self.max_attempts > 1
    }

    /// For which calls. Default: [`Retry::IfSafe`].
    pub fn when(mut self, when: Retry) -> Self {
        self.when = when;
        self
    }

    /// How many attempts in all, the first one counted. Default: 4. 0 means the same as 1.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The longest pause before the second attempt, and the longest one before any; in between it doubles. Default: 0.5 s and 20 s.
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        self.first_delay = first;
        self.max_delay = longest;
        self
    }

    /// After this time, counted from the beginning of the call, no further attempt is begun. A paced call sits out no longer `Retry-After` of another
    /// call before its first attempt either. Default: 2 minutes.
    pub fn max_elapsed(mut self, limit: Duration) -> Self {
        self.max_elapsed = limit;
        self
    }

    /// Returns the longest time that a call may spend on attempts and pauses.
    pub(in crate::transport) fn elapsed_limit(&self) -> Duration {
        self.max_elapsed
    }

    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.first_delay, self.max_delay)
    }
}
