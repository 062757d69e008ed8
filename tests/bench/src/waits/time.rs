//! A clock that advances only when all waits sleep, to the time at which the first one wakes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use documine::{BoxFuture, Clock};
use tokio::sync::{Notify, oneshot};

#[derive(Clone)]
pub(super) struct Time(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Notified when the last wait falls asleep.
    all_asleep: Notify,
}

struct State {
    now: Duration,
    /// Number of waits that are awake.
    awake: usize,
    /// Sleeping waits, by wake time and order of falling asleep.
    sleeping: BTreeMap<Key, oneshot::Sender<()>>,
    count: u64,
    random: fastrand::Rng,
}

type Key = (Duration, u64);

impl Time {
    /// Makes a clock for this number of waits.
    pub(super) fn new(waiting: usize, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let state = State { now: Duration::ZERO, awake: waiting, sleeping: BTreeMap::new(), count: 0, random };
        Self(Arc::new(Shared { state: Mutex::new(state), all_asleep: Notify::new() }))
    }

    /// Advances the time while this future is polled, in the only thread of the runtime.
    pub(super) async fn advance(&self) {
        loop {
            self.0.all_asleep.notified().await;
            // Tasks that other events woke run first.
            tokio::task::yield_now().await;
            let mut state = self.state();
            if state.awake == 0
                && let Some(((at, _), call)) = state.sleeping.pop_first()
            {
                state.now = at;
                state.awake = 1;
                // A wait that has ended in the meantime counts as awake, too.
                let _ = call.send(());
            }
        }
    }

    /// Removes a wait that has ended.
    pub(super) fn leave(&self) {
        self.fall_asleep(&mut self.state());
    }

    fn fall_asleep(&self, state: &mut State) {
        state.awake -= 1;
        if state.awake == 0 {
            self.0.all_asleep.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Time {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.state().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let (call, woken) = oneshot::channel();
            let sleep = {
                let mut state = self.state();
                let key = (state.now + duration, state.count);
                state.count += 1;
                state.sleeping.insert(key, call);
                self.fall_asleep(&mut state);
                Sleep { time: self, key }
            };
            let _ = woken.await;
            drop(sleep);
        })
    }

    fn random(&self) -> f64 {
        self.state().random.f64()
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

/// A sleeping wait. Dropping the value before the wake time wakes the wait, too.
struct Sleep<'a> {
    time: &'a Time,
    key: Key,
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        let mut state = self.time.state();
        if state.sleeping.remove(&self.key).is_some() {
            state.awake += 1;
        }
    }
}
