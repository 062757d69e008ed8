//! Durations of the analyses, generated from fixed seeds, so that every run waits for the same files.

use std::f64::consts::TAU;
use std::time::Duration;

use clap::ValueEnum;

/// Start times of the bursts in seconds.
const BURSTS: [f64; 6] = [12.3, 31.9, 44.6, 58.8, 77.1, 91.7];

/// Distribution of the durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Trace {
    /// A typical distribution: many short and few long analyses. Median 20 s; one in twenty takes more than 75 s.
    Lognormal,
    /// Workers that process batches: six bursts of two seconds, about 15 s apart.
    Bursts,
    /// Durations of about 10 s, except one in fifty, which takes two to five minutes.
    Stragglers,
}

impl Trace {
    pub(super) const ALL: [Self; 3] = [Self::Lognormal, Self::Bursts, Self::Stragglers];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lognormal => "lognormal",
            Self::Bursts => "bursts",
            Self::Stragglers => "stragglers",
        }
    }

    fn seed(self) -> u64 {
        match self {
            Self::Lognormal => 20_261_127,
            Self::Bursts => 4_711,
            Self::Stragglers => 815,
        }
    }

    /// Returns the durations of `files` files. The durations of fewer files are a prefix.
    pub(super) fn times(self, files: usize) -> Vec<Duration> {
        let mut random = fastrand::Rng::with_seed(self.seed());
        (0..files).map(|number| Duration::from_secs_f64(self.time(number, &mut random))).collect()
    }

    fn time(self, number: usize, random: &mut fastrand::Rng) -> f64 {
        match self {
            Self::Lognormal => 20.0 * (0.8 * normal(random)).exp(),
            // No multiples of a round number, which would favour pollers with such intervals.
            Self::Bursts => BURSTS[random.usize(..BURSTS.len())] + 2.0 * random.f64(),
            Self::Stragglers if number % 50 == 7 => 120.0 + 180.0 * random.f64(),
            Self::Stragglers => 10.0 * (0.3 * normal(random)).exp(),
        }
    }
}

/// Returns a normally distributed number (Box-Muller transform).
fn normal(random: &mut fastrand::Rng) -> f64 {
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (TAU * random.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::Trace;

    #[test]
    fn durations_are_reproducible_and_match_their_distribution() {
        for trace in Trace::ALL {
            let mut times = trace.times(10_000);
            assert_eq!(times[..10], trace.times(10));
            times.sort();
            let middle = times[5_000].as_secs_f64();
            let slow = times[9_500].as_secs_f64();
            let expected = match trace {
                Trace::Lognormal => (19.0..21.0, 70.0..80.0),
                Trace::Bursts => (44.0..62.0, 92.0..94.0),
                Trace::Stragglers => (9.7..10.3, 14.0..18.0),
            };
            assert!(expected.0.contains(&middle) && expected.1.contains(&slow), "{trace:?}: {middle} {slow}");
        }
    }
}
