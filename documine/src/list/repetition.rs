//! Finds that a sequence of pages goes in a circle, in constant memory however long the sequence is.

/// Compares each value of a sequence with one before it, which moves on at the powers of two (R. P. Brent, "An improved Monte Carlo
/// factorization algorithm", 1980): a circle of any length is found before it is walked three times.
#[derive(Debug, Default)]
pub(super) struct Repetition {
    checkpoint: Option<u64>,
    /// Values since the checkpoint, and the number at which it moves.
    steps: u64,
    period: u64,
    repeats: u32,
}

impl Repetition {
    /// Takes the next value and returns how many times it has come again.
    pub(super) fn repeats(&mut self, value: u64) -> u32 {
        if self.checkpoint.is_none() {
            (self.checkpoint, self.period) = (Some(value), 1);
            return 0;
        }
        let is_again = self.checkpoint == Some(value);
        self.repeats += u32::from(is_again);
        let repeats = if is_again { self.repeats } else { 0 };
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
    fn a_circle_is_found_and_what_is_none_is_not() {
        for (before, length) in [(0, 1), (0, 2), (1, 2), (0, 7), (5, 3), (100, 9)] {
            let mut repetition = Repetition::default();
            let circle = (0..).map(|index| if index < before { index } else { before + (index - before) % length });
            let most = 3 * (before + length) + 2;
            let found =
                circle.take(usize::try_from(most).unwrap_or_default()).position(|value| repetition.repeats(value) > 0);
            assert!(found.is_some(), "{before} values before a circle of {length}");
        }
        let mut repetition = Repetition::default();
        assert!((0..1000).all(|value| repetition.repeats(value) == 0));
    }

    #[test]
    fn repeats_in_a_row_are_counted() {
        let mut repetition = Repetition::default();
        assert_eq!([7, 7, 7, 7, 8, 8, 8].map(|value| repetition.repeats(value)), [0, 1, 2, 3, 0, 0, 0]);
        let mut repetition = Repetition::default();
        assert_eq!([7, 7, 8, 9].map(|value| repetition.repeats(value)), [0, 1, 0, 0], "a page may come once more");
    }
}
