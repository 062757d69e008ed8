//! The numbers of a run in progress: a pure function of events and their times.
#![allow(clippy::format_push_string, reason = "a line is short, and writing to a text has no error to handle")]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use crate::document::{DocumentState, Step};
use crate::event::Event;

/// The time over which the rate is observed. Analyses end in bursts, so that a shorter time would make the rate jump.
const WINDOW: Duration = Duration::from_secs(300);
/// The time between two observations.
const SAMPLE: Duration = Duration::from_secs(1);

/// The numbers of a run in progress.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgressCounts {
    /// Documents to be processed in this run.
    pub(super) open: u64,
    pub(super) skipped: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    pub(super) pages: u64,
    pub(super) estimated_pages: u64,
    pub(super) uploaded_bytes: u64,
    pub(super) bytes: u64,
    retries: u64,
    state: RunState,
    /// The step of each document that is in one.
    working: HashMap<String, Step>,
    /// Times with the documents that had finished.
    samples: VecDeque<(Duration, u64)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum RunState {
    #[default]
    Listing,
    Working,
    Stopping,
    Finished,
}

impl ProgressCounts {
    /// Processes an event at a time since the beginning of the run.
    pub(super) fn observe(&mut self, now: Duration, event: &Event) {
        match event {
            Event::Listed { open, skipped, bytes, estimated_pages, .. } => {
                (self.open, self.skipped) = (*open, *skipped);
                (self.bytes, self.estimated_pages) = (*bytes, *estimated_pages);
                self.state = RunState::Working;
                self.samples = VecDeque::from([(now, 0)]);
            }
            Event::StepStarted { source, step } => {
                self.working.insert(source.clone(), *step);
            }
            Event::StepFinished { source, bytes, pages, .. } => {
                self.working.remove(source);
                self.uploaded_bytes += bytes.unwrap_or_default();
                self.pages += u64::from(pages.unwrap_or_default());
            }
            Event::StepRetried { .. } => self.retries += 1,
            Event::DocumentFinished { source, state, .. } => {
                self.working.remove(source);
                match state {
                    DocumentState::Failed => self.failed += 1,
                    _ => self.succeeded += 1,
                }
                self.sample(now);
            }
            Event::Stopping { .. } => self.state = RunState::Stopping,
            Event::RunFinished { .. } => self.state = RunState::Finished,
            _ => {}
        }
    }

    fn sample(&mut self, now: Duration) {
        if self.samples.back().is_none_or(|(time, _)| now.saturating_sub(*time) >= SAMPLE) {
            self.samples.push_back((now, self.finished()));
        }
        while self.samples.len() > 2 && self.samples.get(1).is_some_and(|(time, _)| *time + WINDOW < now) {
            self.samples.pop_front();
        }
    }

    /// Returns the documents that have finished in this run.
    pub(super) fn finished(&self) -> u64 {
        self.succeeded + self.failed
    }

    /// Returns whether the run has listed its documents.
    pub(super) fn is_running(&self) -> bool {
        self.state != RunState::Listing
    }

    /// Returns the documents per second of the last minutes; `None` before the first one.
    #[allow(clippy::cast_precision_loss, reason = "a rate needs no exact numbers")]
    fn rate(&self, now: Duration) -> Option<f64> {
        let (time, finished) = self.samples.front()?;
        let (elapsed, documents) = (now.saturating_sub(*time).as_secs_f64(), self.finished() - finished);
        (documents > 0 && elapsed > 0.0).then(|| documents as f64 / elapsed)
    }

    /// Returns the time until all documents have finished, from the rate of the last minutes.
    #[allow(clippy::cast_precision_loss, reason = "an estimate needs no exact numbers")]
    pub(super) fn remaining(&self, now: Duration) -> Option<Duration> {
        let open = self.open.saturating_sub(self.finished());
        Duration::try_from_secs_f64(open as f64 / self.rate(now)?).ok()
    }

    /// Returns the documents with rate and remaining time: `412 of 2000 (20 %), 3 failed; 31.4/s, about 1 min left`.
    pub(super) fn documents(&self, now: Duration) -> String {
        let mut text = format!("{} of {}", self.finished(), self.open);
        if let Some(percent) = self.finished().saturating_mul(100).checked_div(self.open) {
            text += &format!(" ({percent} %)");
        }
        if self.failed > 0 {
            text += &format!(", {} failed", self.failed);
        }
        if let Some(rate) = self.rate(now) {
            text += &format!("; {rate:.1}/s");
        }
        if self.state == RunState::Working
            && let Some(remaining) = self.remaining(now)
            && !remaining.is_zero()
        {
            text += &format!(", about {} left", rounded(remaining));
        }
        text
    }

    /// Returns the numbers of documents in each step: `upload 8, wait 490`.
    pub(super) fn steps(&self) -> String {
        let mut steps = BTreeMap::new();
        for step in self.working.values() {
            *steps.entry(*step).or_insert(0_u64) += 1;
        }
        let mut parts: Vec<_> = steps.iter().map(|(step, count)| format!("{} {count}", step.as_str())).collect();
        if self.retries > 0 {
            parts.push(format!("{} retries", self.retries));
        }
        parts.join(", ")
    }

    /// Returns one line.
    pub(super) fn line(&self, now: Duration) -> String {
        let mut line = match self.state {
            RunState::Stopping => "stopping: ".to_owned(),
            RunState::Finished => "finished: ".to_owned(),
            RunState::Listing | RunState::Working => String::new(),
        };
        line += &format!("documents {}", self.documents(now));
        if self.skipped > 0 {
            line += &format!("; {} done before", self.skipped);
        }
        line += &format!("; {} pages; {} uploaded", self.pages, megabytes(self.uploaded_bytes));
        let steps = self.steps();
        if !steps.is_empty() {
            line += &format!("; {steps}");
        }
        line
    }
}

/// Returns a size in MB with one decimal.
pub(super) fn megabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// Returns a duration in its largest unit: `40 s`, `12 min`, `3 h 20 min`.
fn rounded(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().ceil();
    if seconds < 90.0 {
        return format!("{seconds} s");
    }
    let minutes = duration.as_secs().div_ceil(60);
    if minutes < 90 { format!("{minutes} min") } else { format!("{} h {} min", minutes / 60, minutes % 60) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use super::*;

    fn listed(open: u64, skipped: u64) -> Event {
        let (bytes, estimated_pages) = (50_000_000, 2 * open);
        Event::Listed { documents: open + skipped, open, skipped, bytes, estimated_pages, licensed_pages_left: None }
    }

    fn started(source: &str, step: Step) -> Event {
        Event::StepStarted { source: source.to_owned(), step }
    }

    fn finished(source: &str, state: DocumentState) -> Event {
        Event::DocumentFinished { source: source.to_owned(), state, failure: None }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn counts_documents_steps_pages_and_bytes() {
        let mut counts = ProgressCounts::default();
        assert!(!counts.is_running());
        counts.observe(seconds(1), &listed(4, 6));
        counts.observe(seconds(1), &started("a", Step::Upload));
        counts.observe(seconds(1), &started("b", Step::Hash));
        counts.observe(seconds(1), &started("c", Step::Upload));
        assert_eq!(counts.steps(), "hash 1, upload 2");
        assert_eq!(
            counts.line(seconds(2)),
            "documents 0 of 4 (0 %); 6 done before; 0 pages; 0.0 MB uploaded; hash 1, upload 2"
        );
        let (bytes, pages) = (Some(1_250_000), Some(3));
        counts.observe(
            seconds(2),
            &Event::StepFinished { source: "a".to_owned(), step: Step::Upload, elapsed_ms: 10, bytes, pages },
        );
        counts.observe(seconds(2), &finished("b", DocumentState::Failed));
        counts.observe(seconds(3), &finished("a", DocumentState::Succeeded));
        assert_eq!(
            counts.line(seconds(3)),
            "documents 2 of 4 (50 %), 1 failed; 1.0/s, about 2 s left; 6 done before; 3 pages; 1.2 MB uploaded; upload 1"
        );
    }

    #[test]
    fn estimates_the_remaining_time_from_the_last_minutes() {
        let mut counts = ProgressCounts::default();
        counts.observe(seconds(0), &listed(10_000, 0));
        assert_eq!(counts.remaining(seconds(10)), None);
        // Ten documents per second at first, one per second later.
        for number in 0..1000 {
            counts.observe(Duration::from_millis(100 * number), &finished("x", DocumentState::Succeeded));
        }
        assert_eq!(counts.remaining(seconds(100)).map(|time| time.as_secs()), Some(900));
        for second in 100..1100 {
            counts.observe(seconds(second), &finished("x", DocumentState::Succeeded));
        }
        let remaining = counts.remaining(seconds(1100)).expect("an estimate").as_secs();
        assert!((7900..8100).contains(&remaining), "{remaining}");
        assert!(counts.samples.len() < 310, "the window is bounded");
    }

    #[test]
    fn names_the_state_of_the_run() {
        let mut counts = ProgressCounts::default();
        counts.observe(seconds(0), &listed(2, 0));
        let stopping = Event::Stopping { reason: crate::StopReason::Requested, cause: None };
        counts.observe(seconds(1), &finished("a", DocumentState::Succeeded));
        counts.observe(seconds(1), &stopping);
        assert_eq!(counts.line(seconds(2)), "stopping: documents 1 of 2 (50 %); 0.5/s; 0 pages; 0.0 MB uploaded");
    }

    #[test]
    fn durations_are_rounded_up() {
        let rounded: Vec<_> = [30_500, 89_000, 601_000, 5_400_000].map(|ms| rounded(Duration::from_millis(ms))).into();
        assert_eq!(rounded, ["31 s", "89 s", "11 min", "1 h 30 min"]);
    }
}
