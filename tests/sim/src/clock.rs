//! The simulated clock.
//!
//! Everything that depends on time (tokens, analysis, packages, trash) reads a [`SimClock`], so a test can stop the time, advance it by 96 hours, or
//! let an hour pass in a second. A sleeper wakes as soon as the clock reaches its deadline, by running or by being advanced.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::Instant;

/// The start of a manual clock: 2025-01-15T09:00:00Z. A fixed start makes two runs produce the same bytes.
const MANUAL_START_SECONDS: u64 = 1_736_931_600;

/// The longest single sleep of a running clock. Keeps long waits within the range of timers.
const LONGEST_NAP: Duration = Duration::from_secs(3600);

/// The simulator's clock: real time, possibly faster, or a manual clock that only moves when advanced.
///
/// Clones share one clock.
///
/// ```
/// use std::time::Duration;
/// use documine_sim::SimClock;
///
/// let clock = SimClock::manual();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(96 * 3600));
/// assert_eq!(clock.now().duration_since(before).unwrap(), Duration::from_secs(345_600));
/// ```
#[derive(Clone)]
pub struct SimClock {
    shared: Arc<ClockState>,
}

struct ClockState {
    start: SystemTime,
    /// `None` for a manual clock.
    run: Option<RunningClock>,
    advanced: Mutex<Duration>,
    changed: watch::Sender<()>,
}

struct RunningClock {
    speed: f64,
    since: Instant,
}

impl SimClock {
    /// Creates a clock that starts at the real time and runs `speed` times as fast.
    ///
    /// A `speed` that is not a positive number counts as 1.
    pub fn real(speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self::build(SystemTime::now(), Some(RunningClock { speed, since: Instant::now() }))
    }

    /// Creates a clock that stays at 2025-01-15T09:00:00Z until [`advance`](Self::advance) moves it.
    pub fn manual() -> Self {
        Self::manual_at(SystemTime::UNIX_EPOCH + Duration::from_secs(MANUAL_START_SECONDS))
    }

    /// Creates a clock that stays at `start` until [`advance`](Self::advance) moves it.
    pub fn manual_at(start: SystemTime) -> Self {
        Self::build(start, None)
    }

    fn build(start: SystemTime, run: Option<RunningClock>) -> Self {
        let (changed, _) = watch::channel(());
        Self { shared: Arc::new(ClockState { start, run, advanced: Mutex::new(Duration::ZERO), changed }) }
    }

    /// Returns the simulated time.
    pub fn now(&self) -> SystemTime {
        let running = self.shared.run.as_ref().map_or(Duration::ZERO, |run| scaled(run.since.elapsed(), run.speed));
        let passed = running.saturating_add(*self.advanced());
        self.shared.start.checked_add(passed).unwrap_or(self.shared.start)
    }

    /// Advances the clock and wakes the sleepers whose deadline has passed.
    ///
    /// A step beyond the range of [`SystemTime`] is ignored.
    pub fn advance(&self, by: Duration) {
        {
            let mut advanced = self.advanced();
            let next = advanced.saturating_add(by);
            // A hundred years stay free for the running part and for deadlines counted from now.
            let room = Duration::from_secs(100 * 366 * 86_400);
            if self.shared.start.checked_add(next.saturating_add(room)).is_none() {
                return;
            }
            *advanced = next;
        }
        self.shared.changed.send_replace(());
    }

    /// Returns whether the clock only moves by [`advance`](Self::advance).
    pub fn is_manual(&self) -> bool {
        self.shared.run.is_none()
    }

    /// Waits until the clock shows `moment` or later.
    pub async fn sleep_until(&self, moment: SystemTime) {
        let mut changed = self.shared.changed.subscribe();
        loop {
            // Marked as seen before the time is read, so that a step in between wakes the loop again.
            changed.borrow_and_update();
            let Ok(left) = moment.duration_since(self.now()) else { return };
            if left.is_zero() {
                return;
            }
            match &self.shared.run {
                None => drop(changed.changed().await),
                Some(run) => {
                    let nap = scaled(left, 1.0 / run.speed).min(LONGEST_NAP).max(Duration::from_millis(1));
                    tokio::select! {
                        _ = changed.changed() => {}
                        () = tokio::time::sleep(nap) => {}
                    }
                }
            }
        }
    }

    /// Waits for `duration` of simulated time.
    pub async fn sleep(&self, duration: Duration) {
        if let Some(moment) = self.now().checked_add(duration) {
            self.sleep_until(moment).await;
        }
    }

    fn advanced(&self) -> MutexGuard<'_, Duration> {
        self.shared.advanced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for SimClock {
    fn default() -> Self {
        Self::real(1.0)
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.shared.run.as_ref().map_or_else(|| "manual".to_owned(), |run| format!("real x{}", run.speed));
        f.debug_struct("SimClock").field("mode", &mode).field("now", &self.now()).finish()
    }
}

fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(LONGEST_NAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn manual_clock_wakes_sleepers_at_their_deadline() {
        let clock = SimClock::manual();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_secs(10)).await;
                clock.now()
            }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(4));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(6));
        let woke = sleeper.await.expect("the sleeper ends");
        assert_eq!(woke, SystemTime::UNIX_EPOCH + Duration::from_secs(MANUAL_START_SECONDS + 10));
    }

    #[tokio::test]
    async fn fast_clock_runs_fast() {
        let clock = SimClock::real(1000.0);
        let before = clock.now();
        clock.sleep(Duration::from_secs(20)).await;
        assert!(
            clock.now().duration_since(before).expect("the clock does not run backwards") >= Duration::from_secs(20)
        );
    }

    #[test]
    fn huge_steps_do_not_panic() {
        let clock = SimClock::manual();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.now() >= SystemTime::UNIX_EPOCH);
    }
}
