//! How long the pauses between tries may be: each limit is twice the one before. What of it is waited, chance decides (full jitter).

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The limits of the pauses, one after the other.
pub(crate) struct Backoff {
    growth: ExponentialBackoff,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        let growth = ExponentialBuilder::new()
            .with_factor(2.0)
            .with_min_delay(first.min(longest))
            .with_max_delay(longest)
            .without_max_times()
            .build();
        Self { growth, longest }
    }

    pub(crate) fn next_delay(&mut self) -> Duration {
        self.growth.next().unwrap_or(self.longest)
    }
}
