//! How much later than it happened something was noticed, in seconds.

/// The middle one and the one that only a twentieth exceeds.
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
