//! The clock of the system. The trait is in `documine-api`, so that the simulator's clock implements it, too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub use documine_api::BoxFuture;
pub use documine_api::clock::Clock;

/// The clock of the system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Creates the system clock.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn random(&self) -> f64 {
        fastrand::f64()
    }
}

/// A clock for tests: a sleep ends at once and advances the clock by its duration. Starts at 1970-01-01T00:00:00Z.
///
/// Clones share their time. Sleeps of concurrent tasks add up, so times are exact only in a test that sleeps in one task at a time.
#[derive(Debug, Clone, Default)]
pub struct TestClock(Arc<Mutex<TestTime>>);

#[derive(Debug, Default)]
struct TestTime {
    now: Duration,
    sleeps: Vec<Duration>,
}

impl TestClock {
    /// Creates a clock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Advances the clock.
    pub fn advance(&self, time: Duration) {
        let mut state = self.time();
        state.now = state.now.saturating_add(time);
    }

    /// Returns the sleeps so far, for example the pauses between attempts or polls.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.time().sleeps.clone()
    }

    fn time(&self) -> MutexGuard<'_, TestTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        // A clock that was advanced beyond all times stays at its start, because a later time cannot be represented.
        SystemTime::UNIX_EPOCH.checked_add(self.monotonic()).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn monotonic(&self) -> Duration {
        self.time().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            {
                let mut time = self.time();
                time.now = time.now.saturating_add(duration);
                time.sleeps.push(duration);
            }
            // Other tasks run as they would during a real sleep.
            tokio::task::yield_now().await;
        })
    }

    /// Returns 0.5, so that the jitter of a test is constant.
    fn random(&self) -> f64 {
        0.5
    }
}

/// Clamps a random number of a custom clock to 0..=1; a number that is not finite becomes 0.5.
pub(crate) fn unit_interval(random: f64) -> f64 {
    if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 }
}
