//! How long simulated work takes.

use std::time::Duration;

/// How long the simulated service works on things; `speed` divides all of it.
///
/// The clock itself is not touched: tokens, trash and packages live as long as they say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timing {
    /// Divides the working times below.
    pub speed: f64,
    /// How long a new file waits until somebody looks at it.
    pub queue: Duration,
    /// Reading the structure of one page.
    pub structure_per_page: Duration,
    /// Recognising the text of one page that is only a picture.
    pub ocr_per_page: Duration,
    /// Applying the rules to one page.
    pub analysis_per_page: Duration,
    /// Making a file findable.
    pub indexing: Duration,
    /// How long a package waits until somebody begins with it.
    pub package_queue: Duration,
    /// Making a package, whatever is in it.
    pub package: Duration,
    /// Making a package, for each file in it.
    pub package_per_file: Duration,
    /// How long a package is kept after it was asked for.
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
    /// `each` for every one of `count` things at the given speed; at least a millisecond, so that states stay apart.
    pub(crate) fn work(&self, each: Duration, count: usize) -> Duration {
        let speed = if self.speed.is_finite() && self.speed > 0.0 { self.speed } else { 1.0 };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let seconds = each.as_secs_f64() * f64::from(count) / speed;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(86_400)).max(Duration::from_millis(1))
    }
}
