//! What others do: look in fixed intervals, or in ones that double. Nothing has to be run for that, it can be counted.

use std::time::Duration;

use super::delays::Delays;

/// When somebody looks, from the moment at which all begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Poller {
    /// Every so many seconds.
    Fixed(f64),
    /// After so many seconds, then after twice as many, and so on up to the cap.
    Doubling { first: f64, cap: f64 },
}

/// Whether everybody asks for his own file, or somebody for the list of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    Each,
    List,
}

impl Poller {
    pub(super) fn name(self) -> String {
        match self {
            Self::Fixed(seconds) => format!("every {seconds} s"),
            Self::Doubling { first, cap } => format!("{first} s doubling to {cap} s"),
        }
    }

    /// Requests and delays for files that take so long.
    pub(super) fn run(self, times: &[Duration], asks: Asks) -> (u64, Delays) {
        let seen: Vec<_> = times.iter().map(|time| self.first_look_from(time.as_secs_f64())).collect();
        let looks = seen.iter().map(|(looks, _)| *looks);
        let requests = match asks {
            Asks::Each => looks.sum(),
            Asks::List => looks.max().unwrap_or(0),
        };
        let delays = seen.iter().zip(times).map(|((_, at), time)| at - time.as_secs_f64());
        (requests, Delays::of(delays.collect()))
    }

    /// Which look, and when, is the first one not before `time`. The first look of all is at once.
    fn first_look_from(self, time: f64) -> (u64, f64) {
        let (mut looks, mut at) = (1, 0.0);
        let mut pause = match self {
            Self::Fixed(seconds) => seconds,
            Self::Doubling { first, .. } => first,
        };
        while at < time {
            at += pause;
            looks += 1;
            if let Self::Doubling { cap, .. } = self {
                pause = (2.0 * pause).min(cap);
            }
        }
        (looks, at)
    }
}

/// What looking in fixed intervals at the list would give with just so many requests.
pub(super) fn fixed_with(requests: u64, times: &[Duration]) -> Delays {
    let last = times.iter().max().copied().unwrap_or_default().as_secs_f64();
    let intervals = f64::from(u32::try_from(requests.saturating_sub(1).max(1)).unwrap_or(u32::MAX));
    // A trifle more, so that the last look is not missed by the rounding.
    Poller::Fixed(last / intervals * (1.0 + 1e-9)).run(times, Asks::List).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(numbers: &[f64]) -> Vec<Duration> {
        numbers.iter().copied().map(Duration::from_secs_f64).collect()
    }

    #[test]
    fn looks_are_counted_as_they_would_be_made() {
        let times = seconds(&[0.5, 4.0, 11.0]);
        let (each, delays) = Poller::Fixed(5.0).run(&times, Asks::Each);
        assert_eq!((each, delays.median, delays.p95), (2 + 2 + 4, 4.0, 4.5));
        assert_eq!(Poller::Fixed(5.0).run(&times, Asks::List).0, 4);
        // Looks at 0, 1, 3, 7, 11, 15.
        let (list, delays) = Poller::Doubling { first: 1.0, cap: 4.0 }.run(&times, Asks::List);
        assert_eq!((list, delays.median), (5, 0.5));
        // Looks at 0, 3.67, 7.33 and 11.
        assert!((fixed_with(4, &times).p95 - 10.0 / 3.0).abs() < 1e-6);
    }
}
