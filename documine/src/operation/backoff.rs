//! The polling interval of work whose duration is unknown.

use std::time::Duration;

/// Bounds of the interval between two polls.
pub(super) const MIN_INTERVAL: Duration = Duration::from_millis(500);
pub(super) const MAX_INTERVAL: Duration = Duration::from_secs(15);
/// Polling interval in seconds, relative to the square root of the elapsed seconds.
///
/// With an unknown duration, the work is equally likely to end in seconds 0 to 1, 1 to 4 or 4 to 16. Intervals that grow
/// with the square root of the elapsed time then detect the end soonest for their number.
const BACKOFF_COEFFICIENT: f64 = 0.7;

/// Returns the interval between two polls of work whose duration is unknown.
pub(super) fn backoff(elapsed: Duration) -> Duration {
    Duration::from_secs_f64(BACKOFF_COEFFICIENT * elapsed.as_secs_f64().sqrt()).clamp(MIN_INTERVAL, MAX_INTERVAL)
}
