//! Simple pollers with fixed or doubling intervals. Their requests and delays are calculated.

use std::time::Duration;

use super::delays::Delays;

/// Polling schedule from the start of the waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Poller {
    /// Fixed interval in seconds.
    Fixed(f64),
    /// Intervals in seconds that double up to a cap.
    Doubling { first: f64, cap: f64 },
}

/// Target of the polls: one file each, or one list for all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PollTarget {
    File,
    List,
}

impl Poller {
    pub(super) fn name(self) -> String {
        match self {
            Self::Fixed(seconds) => format!("every {seconds} s"),
            Self::Doubling { first, cap } => format!("{first} s doubling to {cap} s"),
        }
    }

    /// Calculates requests and delays for files with these durations.
    pub(super) fn run(self, times: &[Duration], target: PollTarget) -> (u64, Delays) {
        let seen: Vec<_> = times.iter().map(|time| self.first_poll_from(time.as_secs_f64())).collect();
        let looks = seen.iter().map(|(looks, _)| *looks);
        let requests = match target {
            PollTarget::File => looks.sum(),
            PollTarget::List => looks.max().unwrap_or(0),
        };
        let delays = seen.iter().zip(times).map(|((_, at), time)| at - time.as_secs_f64());
        (requests, Delays::of(delays.collect()))
    }

    /// Returns number and time of the first poll at or after `time`. The first poll is at time 0.
    fn first_poll_from(self, time: f64) -> (u64, f64) {
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

/// Calculates the delays of a fixed interval that takes the given number of list requests.
pub(super) fn fixed_with(requests: u64, times: &[Duration]) -> Delays {
    let last = times.iter().max().copied().unwrap_or_default().as_secs_f64();
    let intervals = f64::from(u32::try_from(requests.saturating_sub(1).max(1)).unwrap_or(u32::MAX));
    // Slightly longer, so that rounding does not skip the last poll.
    Poller::Fixed(last / intervals * (1.0 + 1e-9)).run(times, PollTarget::List).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(numbers: &[f64]) -> Vec<Duration> {
        numbers.iter().copied().map(Duration::from_secs_f64).collect()
    }

    #[test]
    fn counts_polls_and_delays() {
        let times = seconds(&[0.5, 4.0, 11.0]);
        let (each, delays) = Poller::Fixed(5.0).run(&times, PollTarget::File);
        assert_eq!((each, delays.median, delays.p95), (2 + 2 + 4, 4.0, 4.5));
        assert_eq!(Poller::Fixed(5.0).run(&times, PollTarget::List).0, 4);
        // Polls at 0, 1, 3, 7, 11, 15.
        let (list, delays) = Poller::Doubling { first: 1.0, cap: 4.0 }.run(&times, PollTarget::List);
        assert_eq!((list, delays.median), (5, 0.5));
        // Polls at 0, 3.67, 7.33 and 11.
        assert!((fixed_with(4, &times).p95 - 10.0 / 3.0).abs() < 1e-6);
    }
}
