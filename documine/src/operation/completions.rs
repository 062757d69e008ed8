//! Completions of the items of a list, from which waits on the list learn when the other items will be finished.

use std::collections::VecDeque;
use std::time::Duration;

use super::backoff::{MAX_INTERVAL, MIN_INTERVAL, backoff};

/// Age of the oldest poll that is kept.
const MAX_AGE: Duration = Duration::from_secs(600);
/// Number of gaps between bursts that are kept, and the number from which the next burst is predicted.
const MAX_GAPS: usize = 4;
const MIN_GAPS: usize = 2;
/// Number of completions in one poll from which more are expected at once.
const MIN_BURST: usize = 2;
/// Polling interval in seconds, relative to the square root of the seconds in which the whole batch would finish at the current rate.
///
/// For a given number of polls, the mean delay is lowest if the density of the polls follows the square root of the completion rate.
const RATE_COEFFICIENT: f64 = 0.35;
/// Changes of the interval within a burst, while no burst is expected, and while one is expected.
const BURST_FACTOR: f64 = 0.2;
const QUIET_FACTOR: f64 = 2.0;
const EXPECTED_FACTOR: f64 = 0.5;
/// Bounds of the time at which a burst is expected, relative to the shortest and the longest gap.
const EARLIEST_BURST: f64 = 0.75;
const LATEST_BURST: f64 = 1.5;

/// The completions that the polls of a list have shown.
///
/// The interval between polls follows the rate at which items finished recently. A poll that shows completions after one that showed none
/// begins a burst, and polls are five times as dense while they show several completions, for at most as long as no item finished before. The
/// next burst is expected after a gap like the latest four between the starts of bursts. Polls are half as dense until the shortest gap has
/// almost passed, then twice as dense until the longest has passed.
#[derive(Default)]
pub(super) struct CompletionHistory {
    /// The latest polls, oldest first.
    polls: VecDeque<CompletionSample>,
    /// The number of finished items in the latest list.
    finished: usize,
    /// The largest number of unfinished items in one of `polls`.
    max_unfinished: usize,
    /// Times between the starts of the latest bursts. The first one is counted from the first poll.
    gaps: VecDeque<Duration>,
    burst_start: Duration,
    last_completion: Duration,
    /// Time without completions before the latest burst.
    quiet: Duration,
    /// The number of items that the latest poll showed as finished for the first time.
    latest: usize,
}

struct CompletionSample {
    at: Duration,
    /// The number of items that finished since the first poll.
    completed: usize,
    unfinished: usize,
}

impl CompletionHistory {
    /// Records a poll of the list.
    pub(super) fn record(&mut self, at: Duration, finished: usize, unfinished: usize) {
        let before = self.polls.back().map(|poll| poll.completed);
        // Items can also leave the list, or start again.
        let completed = before.map_or(0, |_| finished.saturating_sub(self.finished));
        self.finished = finished;
        if before.is_none() {
            (self.burst_start, self.last_completion) = (at, at);
        }
        if completed > 0 && self.latest == 0 {
            if self.gaps.len() == MAX_GAPS {
                self.gaps.pop_front();
            }
            self.gaps.push_back(at.saturating_sub(self.burst_start));
            self.quiet = at.saturating_sub(self.last_completion);
            self.burst_start = at;
        }
        if completed > 0 {
            self.last_completion = at;
        }
        self.latest = completed;
        while self.polls.front().is_some_and(|poll| at.saturating_sub(poll.at) > MAX_AGE) {
            self.polls.pop_front();
        }
        self.polls.push_back(CompletionSample { at, completed: before.unwrap_or(0) + completed, unfinished });
        self.max_unfinished = self.polls.iter().map(|poll| poll.unfinished).max().unwrap_or(0);
    }

    /// Records that the completions of a burst can no longer be seen, because the list is not polled or its poll failed.
    pub(super) fn end_burst(&mut self) {
        self.latest = 0;
    }

    /// Returns the interval before the next poll; `None` before the first completion.
    pub(super) fn interval(&self, now: Duration) -> Option<Duration> {
        let (shortest, longest) = (self.gaps.iter().min()?, self.gaps.iter().max()?);
        let interval = self.interval_by_rate(now)?;
        let age = now.saturating_sub(self.burst_start);
        let earliest = shortest.mul_f64(EARLIEST_BURST);
        let interval = if self.latest >= MIN_BURST && age < self.quiet {
            interval.mul_f64(BURST_FACTOR)
        } else if self.latest > 0 || self.gaps.len() < MIN_GAPS {
            interval
        } else if age + interval.mul_f64(EXPECTED_FACTOR) < earliest {
            interval.mul_f64(QUIET_FACTOR).min(earliest.saturating_sub(age))
        } else if age < longest.mul_f64(LATEST_BURST) {
            interval.mul_f64(EXPECTED_FACTOR)
        } else {
            interval
        };
        Some(interval.clamp(MIN_INTERVAL, MAX_INTERVAL))
    }

    /// Returns the interval that fits the rate of completions in the newer half of the history, at most the interval of a single wait.
    fn interval_by_rate(&self, now: Duration) -> Option<Duration> {
        let elapsed = now.saturating_sub(self.polls.front()?.at);
        let middle = now.saturating_sub(elapsed / 2);
        let newer = self.polls.partition_point(|poll| poll.at <= middle);
        let since = self.polls.get(newer.saturating_sub(1))?;
        let completed = self.polls.back()?.completed - since.completed;
        // Without completions, the whole batch would take infinite time.
        let share = to_f64(completed) / to_f64(self.max_unfinished.max(1));
        let whole_batch = now.saturating_sub(since.at).as_secs_f64() / share;
        let limit = backoff(elapsed).as_secs_f64();
        Some(Duration::from_secs_f64((RATE_COEFFICIENT * whole_batch.sqrt()).min(limit)).max(MIN_INTERVAL))
    }
}

fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Durations of the items of a batch in seconds.
    type Durations = Vec<f64>;

    fn seconds(count: f64) -> Duration {
        Duration::from_secs_f64(count)
    }

    /// Returns the poll times of a batch that starts at time 0, without jitter.
    fn polls(durations: &[f64]) -> Vec<f64> {
        let mut history = CompletionHistory::default();
        let mut polls = Vec::new();
        let mut now = Duration::ZERO;
        loop {
            polls.push(now.as_secs_f64());
            let finished = durations.iter().filter(|duration| **duration <= now.as_secs_f64()).count();
            history.record(now, finished, durations.len() - finished);
            if finished == durations.len() {
                return polls;
            }
            now += history.interval(now).unwrap_or_else(|| backoff(now));
        }
    }

    /// Returns the mean time between the end of an item and the poll that shows it.
    fn mean_delay(durations: &[f64], polls: &[f64]) -> f64 {
        let delay = |duration: &f64| polls[polls.partition_point(|poll| poll < duration)] - duration;
        durations.iter().map(delay).sum::<f64>() / to_f64(durations.len())
    }

    /// Returns the mean delay relative to polls at a fixed interval that need as many requests up to the end of the last item. Numbers of
    /// requests close to this one are averaged, because a single fixed interval can hit or miss the bursts by chance.
    fn relative_delay(durations: &[f64]) -> f64 {
        let ours = polls(durations);
        let last = durations.iter().copied().fold(0.0, f64::max);
        let fixed = |requests: usize| {
            let interval = last / to_f64(requests - 1) * (1.0 + 1e-9);
            let polls: Vec<_> = (0..requests).map(|number| to_f64(number) * interval).collect();
            mean_delay(durations, &polls)
        };
        let around: Vec<_> = (ours.len() - 4..=ours.len() + 4).map(fixed).collect();
        mean_delay(durations, &ours) / (around.iter().sum::<f64>() / to_f64(around.len()))
    }

    /// Returns bursts of 50 items that finish within two seconds.
    fn bursts(starts: &[f64]) -> Durations {
        starts.iter().flat_map(|start| (0..50).map(move |number| start + 0.04 * f64::from(number))).collect()
    }

    #[test]
    fn polls_at_the_learned_gap_of_bursts() {
        let polls = polls(&bursts(&[20.0, 40.0, 60.0, 80.0]));
        let between = |from: f64, to: f64| polls.iter().filter(|poll| (from..to).contains(*poll)).count();
        // The third burst was seen shortly after 60 s, and the gaps were about 20 s: the fourth one is expected from about 75 s on.
        assert_eq!(between(63.0, 73.0), 1, "{polls:?}");
        assert!(between(73.0, 80.0) >= 4, "{polls:?}");
        assert!(between(60.0, 62.5) >= 4, "{polls:?}");
    }

    #[test]
    fn polls_of_bursts_have_a_shorter_delay_than_fixed_intervals() {
        let regular = relative_delay(&bursts(&[20.0, 40.0, 60.0, 80.0, 100.0]));
        let irregular = relative_delay(&bursts(&[12.3, 31.9, 44.6, 58.8, 77.1, 91.7]));
        assert!(regular < 0.8 && irregular < 0.8, "{regular} {irregular}");
    }

    #[test]
    fn polls_of_heavy_tails_have_a_shorter_delay_than_fixed_intervals() {
        // Quantiles of a Pareto distribution.
        let durations: Durations = (0..300).map(|rank| 5.0 / (1.0 - f64::from(rank) / 300.0)).collect();
        let relative = relative_delay(&durations);
        assert!(relative < 0.5, "{relative}");
    }

    #[test]
    fn steady_completions_are_polled_about_evenly() {
        let many: Durations = (1..=1000).map(|rank| 0.12 * f64::from(rank)).collect();
        let slow_queue: Durations = (1..=12).map(|rank| 15.0 * f64::from(rank)).collect();
        let relative = [relative_delay(&many), relative_delay(&slow_queue)];
        assert!(relative.iter().all(|relative| *relative < 1.25), "{relative:?}");
    }

    #[test]
    fn nothing_is_learned_before_the_first_completion() {
        let mut history = CompletionHistory::default();
        // Items that were finished before the first poll are not completions.
        for at in [0.0, 1.0, 2.0] {
            history.record(seconds(at), 5, 10);
            assert_eq!(history.interval(seconds(at)), None);
        }
        history.record(seconds(3.0), 6, 9);
        assert!(history.interval(seconds(3.0)).is_some());
    }

    #[test]
    fn intervals_grow_again_without_completions() {
        let mut history = CompletionHistory::default();
        for (at, finished) in [(0.0, 0), (10.0, 10), (20.0, 20), (21.0, 20)] {
            history.record(seconds(at), finished, 30 - finished);
        }
        let at = |now| history.interval(seconds(now)).map(|interval| interval.as_secs_f64());
        assert_eq!(at(300.0), Some(backoff(seconds(300.0)).as_secs_f64()));
        assert_eq!(at(3000.0), Some(MAX_INTERVAL.as_secs_f64()));
    }

    #[test]
    fn unseen_burst_is_not_polled_densely() {
        let mut history = CompletionHistory::default();
        for (at, finished) in [(0.0, 0), (10.0, 0), (20.0, 10)] {
            history.record(seconds(at), finished, 20 - finished);
        }
        let dense = history.interval(seconds(20.0));
        history.end_burst();
        assert!(dense.is_some() && history.interval(seconds(20.0)) > dense);
    }

    #[test]
    fn work_without_end_keeps_a_bounded_history() {
        let mut history = CompletionHistory::default();
        for number in 0..5_000_u32 {
            history.record(seconds(f64::from(number)), number as usize, 20);
        }
        assert!(history.polls.len() <= 601 && history.gaps.len() <= MAX_GAPS);
        // 20 items in progress at one completion per second: each takes 20 seconds, as in a batch of that length.
        let interval = history.interval(seconds(4_999.0)).map_or(0.0, |interval| interval.as_secs_f64());
        assert!((interval - RATE_COEFFICIENT * 20.0_f64.sqrt()).abs() < 0.01, "{interval}");
    }
}
