//! Exponential backoff: each delay is twice the one before, up to a maximum. Jitter spreads the delays of clients that failed together.

use std::time::Duration;

use crate::clock::unit_interval;

/// The delays of one series of attempts.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { next: first.min(max), max }
    }

    /// Returns the next delay without jitter.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.max);
        delay
    }

    /// Returns the next delay with full jitter: between zero and the whole delay. `random` is a number from 0 to 1.
    pub(crate) fn next_full_jitter(&mut self, random: f64) -> Duration {
        self.next_delay().mul_f64(unit_interval(random))
    }

    /// Returns the next delay with equal jitter: between half the delay and the whole delay. `random` is a number from 0 to 1.
    pub(crate) fn next_equal_jitter(&mut self, random: f64) -> Duration {
        self.next_delay().mul_f64(0.5 + 0.5 * unit_interval(random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_maximum() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 60 * second);
        let delays: Vec<_> = std::iter::repeat_with(|| backoff.next_delay().as_secs()).take(8).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(Backoff::new(60 * second, second).next_delay(), second);
        assert_eq!(Backoff::new(second, second).next_full_jitter(0.0), Duration::ZERO);
        assert_eq!(Backoff::new(second, second).next_equal_jitter(0.0), second / 2);
        assert_eq!(Backoff::new(second, second).next_equal_jitter(1.0), second);
    }
}
