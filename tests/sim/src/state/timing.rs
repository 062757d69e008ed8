//! Durations of simulated work.

use std::time::Duration;

/// Durations of the service's work on files and packages. `speed` divides all of them.
///
/// The clock keeps its speed: the lifetimes of tokens, trash and packages do not change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timing {
    /// The factor that divides the durations below.
    pub speed: f64,
    /// The time that a new file is queued.
    pub queue: Duration,
    /// Reading the structure of one page.
    pub structure_per_page: Duration,
    /// Text recognition of one page that is only an image.
    pub ocr_per_page: Duration,
    /// Applying the rules to one page.
    pub analysis_per_page: Duration,
    /// Indexing a file.
    pub indexing: Duration,
    /// The time that a package is queued.
    pub package_queue: Duration,
    /// Building a package of any size.
    pub package: Duration,
    /// Building a package, for each file in it.
    pub package_per_file: Duration,
    /// The time that a package is kept after its request.
    pub package_life: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            speed: 1.0,
            queue: Duration::from_millis(300),
            structure_per_page: Duration::from_millis(60),
            ocr_per_page: Duration::from_millis(500),
            analysis_per_page: Duration::from_millis(120),
            indexing: Duration::from_millis(250),
            package_queue: Duration::from_millis(300),
            package: Duration::from_millis(500),
            package_per_file: Duration::from_millis(200),
            package_life: Duration::from_secs(48 * 3600),
        }
    }
}

impl Timing {
    /// Creates a timing in which every analysis takes `analysis` and every package `package`, independent of pages and files, plus a few
    /// milliseconds for the states in between. Other durations: the defaults.
    pub fn fixed(analysis: Duration, package: Duration) -> Self {
        let none = Duration::ZERO;
        let work = Self { queue: none, structure_per_page: none, ocr_per_page: none, ..Self::default() };
        Self {
            analysis_per_page: none,
            indexing: analysis,
            package_queue: none,
            package,
            package_per_file: none,
            ..work
        }
    }

    /// Returns the duration of `count` times `each` at the given speed. At least 1 ms, so that states remain distinct.
    pub(crate) fn work(&self, each: Duration, count: usize) -> Duration {
        let speed = if self.speed.is_finite() && self.speed > 0.0 { self.speed } else { 1.0 };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let seconds = each.as_secs_f64() * f64::from(count) / speed;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(86_400)).max(Duration::from_millis(1))
    }
}
