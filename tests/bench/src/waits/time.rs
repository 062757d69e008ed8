//! A clock that goes on only when everybody sleeps: then it is the time at which the first one wakes.

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
    /// Called when the last one has fallen asleep.
    all_asleep: Notify,
}

struct State {
    now: Duration,
    /// How many there are that do not sleep.
    awake: usize,
    /// Who sleeps, by the time to wake and the order in which they fell asleep.
    sleeping: BTreeMap<Key, oneshot::Sender<()>>,
    count: u64,
    random: fastrand::Rng,
}

type Key = (Duration, u64);

impl Time {
    /// For so many that wait.
    pub(super) fn new(waiting: usize, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let state = State { now: Duration::ZERO, awake: waiting, sleeping: BTreeMap::new(), count: 0, random };
        Self(Arc::new(Shared { state: Mutex::new(state), all_asleep: Notify::new() }))
    }

    /// Lets time go on, for as long as this is polled. In the runtime's one thread with all others.
    pub(super) async fn go_on(&self) {
        loop {
            self.0.all_asleep.notified().await;
            // Those who were woken by something else have their turn first, and sleep no more.
            tokio::task::yield_now().await;
            let mut state = self.state();
            if state.awake == 0
                && let Some(((at, _), call)) = state.sleeping.pop_first()
            {
                state.now = at;
                state.awake = 1;
                // Whoever has gone meanwhile is awake all the same.
                let _ = call.send(());
            }
        }
    }

    /// One of them has what it waited for.
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

/// Somebody sleeps. Whoever is not woken but gives it up is awake again, too.
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
