//! Durations of the steps, and the number of documents in each step over time.

use crate::document::Times;
use crate::journal::RunInfo;

/// Points of a plot over time.
pub(super) const BINS: usize = 240;

/// The steps of a document in the plot: name and CSS class.
pub(super) const PHASES: [(&str, &str); 3] =
    [("uploading", "upload"), ("waiting for the analysis", "wait"), ("reading values", "fetch")];

/// The ends of the steps of one document, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// Start of the upload, and the ends of the three phases. A step that did not end has the end of the one before it.
    marks: [i64; 4],
    is_uploaded: bool,
    is_processed: bool,
}

/// Collects the times of all documents: 40 bytes for each.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    spans: Vec<Span>,
}

/// Sorted durations in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Durations {
    pub(super) upload: Vec<f64>,
    pub(super) analysis: Vec<f64>,
    /// Documents that were interrupted by the end of a run. Their durations are not meaningful.
    pub(super) interrupted: u64,
}

/// The mean number of documents in each phase, for each bin.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) bins: Vec<[f64; 3]>,
    /// The whole time in milliseconds, without the pauses between runs.
    pub(super) length: f64,
    /// The ends of runs before the last, in milliseconds from the start.
    pub(super) breaks: Vec<f64>,
}

impl Timeline {
    pub(super) fn add(&mut self, times: &Times) {
        let Some(start) = times.upload_started else { return };
        // A repeated upload can leave the marks of an earlier attempt behind.
        let after = |mark: Option<i64>, before: i64| mark.filter(|mark| *mark >= before);
        let uploaded = after(times.uploaded, start);
        let processed = uploaded.and_then(|uploaded| after(times.processed, uploaded));
        let last = processed.or(uploaded).unwrap_or(start);
        let ended = after(times.ended, last).unwrap_or(last);
        let marks = match (uploaded, processed) {
            (None, _) => [start, ended, ended, ended],
            (Some(uploaded), None) => [start, uploaded, ended, ended],
            (Some(uploaded), Some(processed)) => [start, uploaded, processed, ended],
        };
        self.spans.push(Span { marks, is_uploaded: uploaded.is_some(), is_processed: processed.is_some() });
    }

    /// Returns the durations of uploads and analyses that began and ended in the same run.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn durations(&self, runs: &[RunInfo]) -> Durations {
        let run_of = |time: i64| runs.partition_point(|run| run.started_at <= time);
        let mut durations = Durations::default();
        for span in &self.spans {
            let [start, uploaded, processed, _] = span.marks;
            if !span.is_uploaded {
                continue;
            }
            if run_of(start) != run_of(if span.is_processed { processed } else { uploaded }) {
                durations.interrupted += 1;
                continue;
            }
            durations.upload.push((uploaded - start) as f64);
            if span.is_processed {
                durations.analysis.push((processed - uploaded) as f64);
            }
        }
        durations.upload.sort_by(f64::total_cmp);
        durations.analysis.sort_by(f64::total_cmp);
        durations
    }

    /// Returns the documents in flight. The pauses between runs are left out.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn in_flight(&self, runs: &[RunInfo]) -> Option<InFlight> {
        let active = self.active(runs);
        let length = active.iter().map(|(first, last)| last - first).sum::<i64>();
        if length <= 0 {
            return None;
        }
        let offset =
            |time: i64| active.iter().map(|(first, last)| time.clamp(*first, *last) - first).sum::<i64>() as f64;
        let width = length as f64 / BINS as f64;
        let mut bins = vec![[0.0; 3]; BINS];
        for span in &self.spans {
            for phase in 0..3 {
                let (start, end) = (offset(span.marks[phase]), offset(span.marks[phase + 1]));
                let first = (start / width) as usize;
                for (bin, counts) in bins.iter_mut().enumerate().skip(first) {
                    let left = bin as f64 * width;
                    if left >= end {
                        break;
                    }
                    counts[phase] += ((end.min(left + width) - start.max(left)) / width).max(0.0);
                }
            }
        }
        let mut breaks = Vec::new();
        let mut passed = 0;
        for (first, last) in &active[..active.len() - 1] {
            passed += last - first;
            breaks.push(passed as f64);
        }
        Some(InFlight { bins, length: length as f64, breaks })
    }

    /// Returns the first and the last mark of each run with marks.
    fn active(&self, runs: &[RunInfo]) -> Vec<(i64, i64)> {
        let mut active = vec![None::<(i64, i64)>; runs.len() + 1];
        for mark in self.spans.iter().flat_map(|span| span.marks) {
            let run = &mut active[runs.partition_point(|run| run.started_at <= mark)];
            let (first, last) = run.unwrap_or((mark, mark));
            *run = Some((first.min(mark), last.max(mark)));
        }
        active.into_iter().flatten().collect()
    }
}
