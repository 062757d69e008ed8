//! The clock of a scenario's client: the real one, which can be set ahead, so that a token of five minutes is old at once; and pauses that can
//! be cut short.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use documine::{BoxFuture, Clock, SystemClock};

/// Clones share one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScenarioClock {
    real: SystemClock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    ahead: Duration,
    /// Real durations of the next pauses; later pauses take their full time.
    cuts: Vec<Duration>,
    pauses: Vec<Duration>,
}

impl ScenarioClock {
    /// Sets the clock ahead.
    pub(crate) fn ahead(&self, by: Duration) {
        self.with(|state| state.ahead += by);
    }

    /// Sets the real durations of the next pauses, independent of the requested ones.
    pub(crate) fn cut(&self, mut lengths: Vec<Duration>) {
        lengths.reverse();
        self.with(|state| state.cuts = lengths);
    }

    /// Returns the requested pauses so far.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.with(|state| state.pauses.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for ScenarioClock {
    fn now(&self) -> SystemTime {
        self.real.now() + self.with(|state| state.ahead)
    }

    fn monotonic(&self) -> Duration {
        self.real.monotonic() + self.with(|state| state.ahead)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let really = self.with(|state| {
            state.pauses.push(duration);
            state.cuts.pop().unwrap_or(duration)
        });
        self.real.sleep(really)
    }

    fn random(&self) -> f64 {
        0.5
    }
}
