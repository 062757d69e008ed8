//! Durations of finished waits, used to skip polls that would come too early.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Number of durations kept per kind of work.
const MAX_SAMPLES: usize = 32;
/// Number of durations from which a median is reported.
const MIN_SAMPLES: usize = 3;

/// The kind of work that a wait observes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkKind {
    File,
    Dossier,
    Package,
}

/// Durations of the latest waits of a client and its clones.
#[derive(Debug, Default)]
pub(super) struct DurationStats(Mutex<[VecDeque<Duration>; 3]>);

impl DurationStats {
    /// Records the duration of work that was observed in progress.
    pub(super) fn record(&self, kind: WorkKind, duration: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = &mut all[kind as usize];
        if samples.len() == MAX_SAMPLES {
            samples.pop_front();
        }
        samples.push_back(duration);
    }

    /// Returns the median duration; `None` below three samples.
    pub(super) fn median(&self, kind: WorkKind) -> Option<Duration> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut samples: Vec<_> = all[kind as usize].iter().copied().collect();
        samples.sort_unstable();
        samples.get(samples.len() / 2).copied().filter(|_| samples.len() >= MIN_SAMPLES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_median_from_three_samples_on_and_drops_old_samples() {
        let stats = DurationStats::default();
        let seconds = Duration::from_secs;
        stats.record(WorkKind::File, seconds(1));
        stats.record(WorkKind::File, seconds(100));
        assert_eq!(stats.median(WorkKind::File), None);
        stats.record(WorkKind::File, seconds(3));
        assert_eq!(stats.median(WorkKind::File), Some(seconds(3)));
        assert_eq!(stats.median(WorkKind::Package), None);
        for _ in 0..MAX_SAMPLES {
            stats.record(WorkKind::File, seconds(7));
        }
        assert_eq!(stats.median(WorkKind::File), Some(seconds(7)));
    }
}
