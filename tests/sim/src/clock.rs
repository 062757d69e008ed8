//! The simulated clock.
//!
//! Everything that depends on time (tokens, analysis, packages, trash) reads a [`SimClock`], so a test can stop the time, advance it by 96 hours, or
//! let an hour pass in a second. A sleeper wakes as soon as the clock reaches its deadline, by running or by being advanced.
//!
//! [`SimClock`] is also a [`Clock`] for a client, so that client and service share one time.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use documine_api::BoxFuture;
use documine_api::clock::Clock;
use tokio::sync::watch;
use tokio::time::Instant;

/// The start of a manual clock: 2025-01-15T09:00:00Z. A fixed start makes two runs produce the same bytes.
const MANUAL_START_SECONDS: u64 = 1_736_931_600;

/// The number of times that other tasks may run before an automatic clock passes a due sleep that is not polled.
const DUE_SLEEP_ROUNDS: u32 = 64;

/// The longest single sleep of a running clock. Keeps long waits within the range of timers.
const LONGEST_NAP: Duration = Duration::from_secs(3600);

/// The simulator's clock: real time, possibly faster; a manual clock that only moves when advanced; or an automatic clock that jumps over sleeps.
///
/// Clones share one clock. The clock implements [`Clock`], so a client and the simulator can share it:
/// `Client::builder(…).clock(sim.clock())`.
///
/// | clock | a sleep of the client (poll, backoff) | for |
/// |---|---|---|
/// | [`auto`](Self::auto) | advances the clock and ends at once | most tests: waits take no real time and the delays are exact |
/// | [`manual`](Self::manual) | ends when the test advances the clock, and otherwise **never** | tests of single states and timeouts |
/// | [`real`](Self::real) | takes its duration, divided by the speed | trying things out |
///
/// ```
/// use std::time::Duration;
/// use documine_sim::SimClock;
///
/// let clock = SimClock::manual();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(96 * 3600));
/// assert_eq!(clock.now().duration_since(before).unwrap(), Duration::from_secs(345_600));
///
/// // An automatic clock advances by itself.
/// let clock = SimClock::auto();
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// clock.sleep(Duration::from_secs(3600)).await;
/// assert_eq!(clock.sleeps(), [Duration::from_secs(3600)]);
/// # });
/// ```
#[derive(Clone)]
pub struct SimClock {
    shared: Arc<ClockState>,
}

struct ClockState {
    start: SystemTime,
    /// `None` for a manual clock.
    run: Option<RunningClock>,
    /// True if a sleep advances the clock.
    is_auto: bool,
    advanced: Mutex<Duration>,
    sleepers: Mutex<Sleepers>,
    /// `None`: drawn from the process's generator by a running clock, and 0.5 from any other clock.
    random: Mutex<Option<fastrand::Rng>>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Sleepers {
    /// The deadlines of the current sleeps of an automatic clock, with a number that makes them distinct.
    deadlines: BTreeSet<(SystemTime, u64)>,
    count: u64,
    /// The durations of the sleeps so far.
    durations: Vec<Duration>,
}

/// A sleep on an automatic clock. Dropping it removes the deadline.
struct AutoSleep<'a> {
    clock: &'a SimClock,
    key: (SystemTime, u64),
}

impl Drop for AutoSleep<'_> {
    fn drop(&mut self) {
        self.clock.sleepers().deadlines.remove(&self.key);
    }
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
        Self::build(SystemTime::now(), Some(RunningClock { speed, since: Instant::now() }), false)
    }

    /// Creates a clock that stays at 2025-01-15T09:00:00Z until [`advance`](Self::advance) moves it.
    pub fn manual() -> Self {
        Self::manual_at(SystemTime::UNIX_EPOCH + Duration::from_secs(MANUAL_START_SECONDS))
    }

    /// Creates a clock that stays at `start` until [`advance`](Self::advance) moves it.
    pub fn manual_at(start: SystemTime) -> Self {
        Self::build(start, None, false)
    }

    /// Creates a clock that starts at 2025-01-15T09:00:00Z and that every sleep advances to the end of the sleep. [`advance`](Self::advance) moves it
    /// as well.
    ///
    /// Concurrent sleeps end in the order of their deadlines. Sleeps are those of a client with this clock, and the simulated delays of faults
    /// ([`Fault::delay_ms`](crate::Fault::delay_ms)).
    pub fn auto() -> Self {
        Self::build(SystemTime::UNIX_EPOCH + Duration::from_secs(MANUAL_START_SECONDS), None, true)
    }

    fn build(start: SystemTime, run: Option<RunningClock>, is_auto: bool) -> Self {
        let (changed, _) = watch::channel(());
        Self {
            shared: Arc::new(ClockState {
                start,
                run,
                is_auto,
                advanced: Mutex::default(),
                sleepers: Mutex::default(),
                random: Mutex::default(),
                changed,
            }),
        }
    }

    /// Sets the seed of the random numbers that a client draws for jitter.
    ///
    /// Without a seed, a manual or automatic clock always returns 0.5, the middle of every jitter, so that delays are exact. A real clock draws.
    pub fn seed(&self, seed: u64) {
        *self.rng() = Some(fastrand::Rng::with_seed(seed));
    }

    /// Returns the durations of all sleeps so far, in the order in which they began: polls, backoff, `Retry-After`. Empty for a running clock.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.sleepers().durations.clone()
    }

    /// Returns the simulated time.
    pub fn now(&self) -> SystemTime {
        self.shared.start.checked_add(self.passed()).unwrap_or(self.shared.start)
    }

    /// Returns the simulated time since the start of the clock.
    fn passed(&self) -> Duration {
        let running = self.shared.run.as_ref().map_or(Duration::ZERO, |run| scaled(run.since.elapsed(), run.speed));
        running.saturating_add(*self.advanced())
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

    /// Returns whether the clock only moves by [`advance`](Self::advance) or by the sleeps of an automatic clock.
    pub fn is_manual(&self) -> bool {
        self.shared.run.is_none()
    }

    /// Waits until the clock shows `moment` or later.
    pub async fn sleep_until(&self, moment: SystemTime) {
        if self.shared.is_auto {
            return self.jump_to(moment).await;
        }
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

    /// Advances an automatic clock to `moment`, after the earlier deadlines of concurrent sleeps.
    async fn jump_to(&self, moment: SystemTime) {
        let sleep = {
            let mut sleepers = self.sleepers();
            sleepers.count += 1;
            let key = (moment, sleepers.count);
            sleepers.deadlines.insert(key);
            AutoSleep { clock: self, key }
        };
        let mut rounds_with_due_sleep = 0;
        loop {
            // Concurrent tasks begin their sleeps first, and woken tasks continue.
            tokio::task::yield_now().await;
            let now = self.now();
            let deadlines: Vec<SystemTime> = self.sleepers().deadlines.iter().map(|(at, _)| *at).collect();
            let is_due = deadlines.first().is_some_and(|first| *first <= now);
            rounds_with_due_sleep = if is_due { rounds_with_due_sleep + 1 } else { 0 };
            // A due sleep continues first, unless it is kept without being polled.
            if is_due && sleep.key.0 > now && rounds_with_due_sleep < DUE_SLEEP_ROUNDS {
                continue;
            }
            let earliest = deadlines.into_iter().find(|at| *at > now).map_or(moment, |earliest| earliest.min(moment));
            if let Ok(left) = earliest.duration_since(now) {
                self.advance(left);
            }
            if sleep.key.0 <= self.now() {
                return;
            }
        }
    }

    /// Waits for `duration` of simulated time.
    pub async fn sleep(&self, duration: Duration) {
        // A running clock may serve for weeks, so it records nothing.
        if self.shared.run.is_none() {
            self.sleepers().durations.push(duration);
        }
        if let Some(moment) = self.now().checked_add(duration) {
            self.sleep_until(moment).await;
        }
    }

    fn advanced(&self) -> MutexGuard<'_, Duration> {
        self.shared.advanced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.shared.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rng(&self) -> MutexGuard<'_, Option<fastrand::Rng>> {
        self.shared.random.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimClock {
    fn now(&self) -> SystemTime {
        self.now()
    }

    fn monotonic(&self) -> Duration {
        self.passed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.sleep(duration))
    }

    fn random(&self) -> f64 {
        match &mut *self.rng() {
            Some(random) => random.f64(),
            None if self.is_manual() => 0.5,
            None => fastrand::f64(),
        }
    }
}

impl Default for SimClock {
    fn default() -> Self {
        Self::real(1.0)
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match &self.shared.run {
            Some(run) => format!("real x{}", run.speed),
            None if self.shared.is_auto => "auto".to_owned(),
            None => "manual".to_owned(),
        };
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

    #[tokio::test]
    async fn automatic_clock_ends_concurrent_sleeps_in_the_order_of_their_deadlines() {
        let clock = SimClock::auto();
        let start = clock.now();
        let order = Mutex::new(Vec::new());
        let sleep = async |seconds: u64| {
            clock.sleep(Duration::from_secs(seconds)).await;
            order
                .lock()
                .expect("no panic")
                .push((seconds, clock.now().duration_since(start).expect("later").as_secs()));
        };
        tokio::join!(sleep(30), sleep(10), async {
            sleep(5).await;
            sleep(5).await;
        });
        // Concurrent sleeps overlap instead of adding up.
        let order = order.lock().expect("no panic");
        assert_eq!(order.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [5, 10, 10, 30]);
        assert_eq!((order[0].0, order[3].0), (5, 30));
    }

    #[tokio::test]
    async fn dropped_sleep_of_an_automatic_clock_does_not_advance_it() {
        let clock = SimClock::auto();
        let start = clock.now();
        tokio::select! {
            biased;
            () = clock.sleep(Duration::from_secs(60)) => panic!("the other branch is ready first"),
            () = std::future::ready(()) => {}
        }
        clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(clock.now().duration_since(start).expect("later"), Duration::from_secs(1));
    }

    #[test]
    fn random_numbers_follow_the_seed() {
        let draw = |clock: &SimClock| Clock::random(clock);
        let (middle, one, other) = (SimClock::auto(), SimClock::auto(), SimClock::manual());
        assert!((draw(&middle) - 0.5).abs() < f64::EPSILON);
        one.seed(7);
        other.seed(7);
        let bits = |clock: &SimClock| [draw(clock).to_bits(), draw(clock).to_bits()];
        assert_eq!(bits(&one), bits(&other));
    }

    #[tokio::test]
    async fn automatic_clock_passes_a_sleep_that_nobody_polls() {
        let clock = SimClock::auto();
        let mut kept = Box::pin(clock.sleep(Duration::from_secs(1)));
        assert!(futures_util::poll!(&mut kept).is_pending());
        clock.sleep(Duration::from_secs(2)).await;
        clock.sleep(Duration::from_secs(2)).await;
        kept.await;
        assert_eq!(clock.sleeps().len(), 3);
    }

    #[test]
    fn huge_steps_do_not_panic() {
        let clock = SimClock::manual();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.now() >= SystemTime::UNIX_EPOCH);
    }
}
