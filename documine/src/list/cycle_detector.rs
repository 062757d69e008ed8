//! Detects cycles in a sequence of pages, in constant memory for any length.

/// Compares each value with a checkpoint that moves on at the powers of two (R. P. Brent, "An improved Monte Carlo factorization algorithm", 1980).
/// A cycle of any length is detected before its third pass.
#[derive(Debug, Default)]
pub(super) struct CycleDetector {
    checkpoint: Option<u64>,
    /// Number of values since the checkpoint, and the number at which the checkpoint moves.
    steps: u64,
    period: u64,
    repeats: u32,
}

impl CycleDetector {
    /// Adds a value and returns how many times the value has repeated.
    pub(super) fn push(&mut self, value: u64) -> u32 {
        if self.checkpoint.is_none() {
            (self.checkpoint, self.period) = (Some(value), 1);
            return 0;
        }
        let is_repeat = self.checkpoint == Some(value);
        self.repeats += u32::from(is_repeat);
        let repeats = if is_repeat { self.repeats } else { 0 };
        self.steps += 1;
        if self.steps == self.period {
            (self.checkpoint, self.steps, self.period) = (Some(value), 0, self.period.saturating_mul(2));
            self.repeats = repeats;
        }
        repeats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_cycles_and_accepts_distinct_values() {
        for (before, length) in [(0, 1), (0, 2), (1, 2), (0, 7), (5, 3), (100, 9)] {
            let mut detector = CycleDetector::default();
            let values = (0..).map(|index| if index < before { index } else { before + (index - before) % length });
            let limit = 3 * (before + length) + 2;
            let found =
                values.take(usize::try_from(limit).unwrap_or_default()).position(|value| detector.push(value) > 0);
            assert!(found.is_some(), "{before} values before a cycle of {length}");
        }
        let mut detector = CycleDetector::default();
        assert!((0..1000).all(|value| detector.push(value) == 0));
    }

    #[test]
    fn counts_consecutive_repeats() {
        let mut detector = CycleDetector::default();
        assert_eq!([7, 7, 7, 7, 8, 8, 8].map(|value| detector.push(value)), [0, 1, 2, 3, 0, 0, 0]);
        let mut detector = CycleDetector::default();
        assert_eq!([7, 7, 8, 9].map(|value| detector.push(value)), [0, 1, 0, 0], "one repeat is reported once");
    }
}
