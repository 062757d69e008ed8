//! The retry settings of a client or of one call.

use std::time::Duration;

use crate::backoff::Backoff;

/// The calls whose failures are retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RetryMode {
    /// Never.
    Never,
    /// Calls for which a retry cannot have an effect twice. The default.
    ///
    /// These are idempotent methods (RFC 9110 section 9.2.2: GET, PUT, DELETE, …), requests that did not reach the service, and requests of
    /// any method that the service did not process: 408, 429 (RFC 6585 section 4), and 503 with `Retry-After` (RFC 9110 section 15.6.4). The
    /// latter includes creations and uploads.
    #[default]
    IfSafe,
    /// All calls, including creations and uploads whose response was lost.
    ///
    /// Only for calls that may take effect twice. An upload is read again from its [`Source`](crate::Source).
    EvenIfSent,
}

/// The policy by which failed attempts are retried.
///
/// The delay before the next attempt is random between zero and a limit that doubles (full jitter), so that clients that failed together do
/// not retry together. A `Retry-After` of the service (RFC 9110 section 10.2.3; seconds or a date) is the minimum delay. A `Retry-After`
/// longer than the time left for the call, or than a day, ends the call at once.
///
/// ```
/// use std::time::Duration;
/// use documine::{Client, Credentials, retry::{RetryMode, RetryPolicy}};
/// # fn main() -> documine::Result<()> {
/// let patient = RetryPolicy::default().max_attempts(10).max_elapsed(Duration::from_secs(600));
/// let client = Client::builder("https://acme.example")
///     .workspace("acme")
///     .credentials(Credentials::access_token("eyJ…"))
///     .retry_policy(patient)
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a policy does nothing by itself"]
pub struct RetryPolicy {
    pub(super) when: RetryMode,
    pub(super) max_attempts: u32,
    pub(super) first_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) max_elapsed: Duration,
}

impl Default for RetryPolicy {
    /// Returns the default policy: [`RetryMode::IfSafe`], four attempts, delays of at most 0.5 s, 1 s, 2 s, …, 20 s, two minutes in total.
    ///
    /// The policy bridges a short restart of the service and still reports a longer outage within two minutes.
    fn default() -> Self {
        Self {
            when: RetryMode::IfSafe,
            max_attempts: 4,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(20),
            max_elapsed: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// Returns whether the policy allows any retry.
    pub(crate) fn allows_retries(&self) -> bool {
        self.when != RetryMode::Never && self.max_attempts > 1
    }

    /// Returns which calls are retried.
    pub(crate) fn mode(&self) -> RetryMode {
        self.when
    }

    /// Sets which calls are retried. Default: [`RetryMode::IfSafe`].
    pub fn when(mut self, when: RetryMode) -> Self {
        self.when = when;
        self
    }

    /// Sets the maximum number of attempts, including the first. Default: 4. 0 means 1.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Lowers the maximum number of attempts.
    pub(crate) fn at_most(mut self, attempts: u32) -> Self {
        self.max_attempts = self.max_attempts.min(attempts);
        self
    }

    /// Sets the maximum delay before the second attempt and the maximum before any later one; in between the maximum doubles.
    ///
    /// Default: 0.5 s and 20 s.
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        self.first_delay = first;
        self.max_delay = longest;
        self
    }

    /// Sets the time after the start of the call until which attempts may start. Default: 2 minutes.
    ///
    /// A rate-limited call also waits no longer than this for the `Retry-After` of another call before its first attempt.
    pub fn max_elapsed(mut self, limit: Duration) -> Self {
        self.max_elapsed = limit;
        self
    }

    /// Returns the time after the start of the call until which attempts may start.
    pub(crate) fn elapsed_limit(&self) -> Duration {
        self.max_elapsed
    }

    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.first_delay, self.max_delay)
    }
}
