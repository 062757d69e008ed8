//! The clock of the system. The trait is in `documine-api`, so that the simulator's clock implements it, too.

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

/// Clamps a random number of a custom clock to 0..=1; a number that is not finite becomes 0.5.
pub(crate) fn unit_interval(random: f64) -> f64 {
    if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 }
}
