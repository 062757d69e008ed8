//! Delays in seconds between the end of an analysis and its detection.

/// Median and 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Delays {
    pub(super) median: f64,
    pub(super) p95: f64,
}

impl Delays {
    pub(super) fn of(mut delays: Vec<f64>) -> Self {
        delays.sort_by(f64::total_cmp);
        let at = |hundredths: usize| {
            delays.get((delays.len() * hundredths / 100).min(delays.len().saturating_sub(1))).copied().unwrap_or(0.0)
        };
        Self { median: at(50), p95: at(95) }
    }
}
