//! When to look, and what a look means.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::trouble::WaitError;
use super::wait::{Look, State, Wait};
use crate::clock::unit_interval;
use crate::error::{Error, Result};
use crate::text::one_line;
use crate::transport::RetryAfterHint;

/// The shortest and the longest time between two looks.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);
/// Between looks lie so many times the square root of the seconds that have passed. Where nothing is known of how long work takes, it ends in the
/// first second, the next three or the next twelve with the same chance; then looks that come less often with the root of the time show the end
/// soonest for their number.
const ROOT: f64 = 0.7;
/// Before so much of the usual time is over, looking is of little use.
const EARLY: f64 = 0.6;
/// How long the last look, at the deadline itself, may take.
const LAST_LOOK: Duration = Duration::from_secs(5);
/// A pause that took so much longer than it should have: the machine was asleep.
const ASLEEP: Duration = Duration::from_secs(30);

/// For so long after it was made, the service may not know a thing everywhere.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// What one look showed, as the file of what is waited for reports it.
#[derive(Debug)]
pub(crate) enum Polled<T> {
    Working(String),
    Done(T),
    Failed { state: String, message: String },
}

/// One look's circumstances.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// How old may be what somebody else has seen.
    pub(crate) max_age: Duration,
    /// There is no time for another one.
    pub(crate) is_last: bool,
    /// Takes what the service says about the next one.
    pub(crate) asked: RetryAfterHint,
}

/// A wait under way.
pub(super) struct Engine<T> {
    wait: Wait<T>,
    look: Look<T>,
    started: Duration,
    /// What the machine slept away.
    asleep: Duration,
    /// How old what others saw may be to save a look.
    max_age: Duration,
    polls: u32,
    last_state: Option<String>,
    /// When that state was seen for the first time, as time since the beginning.
    changed: Duration,
    /// Since when it is done without a break.
    done_since: Option<Duration>,
    /// How long the service asked to be left alone.
    asked: RetryAfterHint,
}

impl<T: Send + 'static> Engine<T> {
    pub(super) fn new(wait: Wait<T>) -> Self {
        Self {
            look: (wait.plan.begin)(),
            started: wait.plan.clock.monotonic(),
            wait,
            asleep: Duration::ZERO,
            max_age: SHORTEST / 2,
            polls: 0,
            last_state: None,
            changed: Duration::ZERO,
            done_since: None,
            asked: RetryAfterHint::default(),
        }
    }

    /// Waits for the next look's turn, looks, and tells what was seen.
    pub(super) async fn next(&mut self) -> Result<State<T>, WaitError> {
        loop {
            let seen = if self.polls > 0
                && let Some(shown) = self.pause().await?
            {
                self.polls += 1;
                self.saw(shown).map(Some)
            } else {
                // A look that hangs must not hold the wait beyond its deadline: a limit in real time, like all limits on a connection.
                let limit = self.left().max(LAST_LOOK);
                let Ok(seen) = tokio::time::timeout(limit, self.look()).await else {
                    return Err(self.deadline_exceeded());
                };
                seen
            };
            match seen? {
                Some(State::Working(_)) if self.stands_still() => return Err(self.stalled()),
                Some(state) => return Ok(state),
                // What could not be seen this time may be seen the next time.
                None => {}
            }
        }
    }

    /// Looks once. Nothing, where nothing could be seen for a passing reason.
    pub(super) async fn look(&mut self) -> Result<Option<State<T>>, WaitError> {
        self.polls += 1;
        let turn = Turn { max_age: self.max_age, is_last: self.left().is_zero(), asked: self.asked.clone() };
        match (self.look.now)(turn).await {
            Ok(polled) => self.saw(polled).map(Some),
            Err(error) if error.is_not_found() && self.may_not_be_known_yet() => Ok(None),
            Err(error) if error.is_not_found() => Err(self.gone()),
            Err(error) if error.is_transient() => {
                self.asked.record(error.retry_after());
                Ok(None)
            }
            Err(error) => Err(self.not_read(error)),
        }
    }

    /// What was seen, by a look of its own or by somebody else's.
    fn saw(&mut self, polled: Polled<T>) -> Result<State<T>, WaitError> {
        match polled {
            Polled::Working(state) => {
                // A word of the service, which goes to callbacks, errors and logs.
                let state = one_line(&state);
                self.done_since = None;
                self.note(&state);
                Ok(State::Working(state))
            }
            Polled::Done(value) => {
                self.wait.plan.known.store(true, Ordering::Relaxed);
                Ok(self.done(value))
            }
            Polled::Failed { state, message } => {
                let state = one_line(&state);
                self.note(&state);
                Err(self.failed(state, message))
            }
        }
    }

    fn done(&mut self, value: T) -> State<T> {
        let elapsed = self.elapsed();
        let since = *self.done_since.get_or_insert(elapsed);
        if elapsed.saturating_sub(since) < self.wait.settle {
            let state = "settling";
            self.note(state);
            return State::Working(state.into());
        }
        // Who finds it done at once has not seen how long it takes.
        if self.polls > 1 {
            self.wait.plan.history.note(self.wait.plan.kind, since);
        }
        State::Done(value)
    }

    /// Sleeps until the next look's turn, or until somebody else's look shows something.
    async fn pause(&mut self) -> Result<Option<Polled<T>>, WaitError> {
        let left = self.left();
        if left.is_zero() {
            return Err(self.deadline_exceeded());
        }
        let clock = Arc::clone(&self.wait.plan.clock);
        let pause = self.until_next(clock.random()).min(left);
        tracing::debug!(
            target: "documine",
            // Without its id, like all that is told to a tracing backend.
            waits_for = ?self.wait.plan.kind,
            state = self.last_state.as_deref(),
            looks = self.polls,
            pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "waiting"
        );
        let before = clock.monotonic();
        let news = (self.look.news)();
        tokio::select! {
            () = clock.sleep(pause) => {}
            shown = news => return Ok(Some(shown)),
        }
        let late = clock.monotonic().saturating_sub(before).saturating_sub(pause);
        if late > ASLEEP {
            self.asleep += late;
        }
        Ok(None)
    }

    /// How long to leave the service alone.
    fn until_next(&mut self, random: f64) -> Duration {
        let elapsed = self.elapsed();
        let interval = Duration::from_secs_f64(ROOT * elapsed.as_secs_f64().sqrt()).clamp(SHORTEST, LONGEST);
        self.max_age = interval / 2;
        // Spread by a tenth, so that many that began together do not stay together.
        let mut pause = interval.mul_f64(0.9 + 0.2 * unit_interval(random));
        if let Some(since) = self.done_since {
            pause = pause.min(self.wait.settle.saturating_sub(elapsed.saturating_sub(since)));
        } else if let Some(usual) = self.wait.plan.history.usual(self.wait.plan.kind) {
            let early = usual.mul_f64(EARLY).saturating_sub(elapsed);
            pause = pause.max(early.min(LONGEST));
        }
        pause.max(self.asked.take().unwrap_or_default())
    }

    fn note(&mut self, state: &str) {
        self.wait.plan.known.store(true, Ordering::Relaxed);
        if let Some(tell) = &mut self.wait.on_state {
            tell(state);
        }
        if self.last_state.as_deref() != Some(state) {
            self.last_state = Some(state.to_owned());
            self.changed = self.elapsed();
        }
    }

    /// Right after its creation a service of several machines may not know it everywhere.
    fn may_not_be_known_yet(&self) -> bool {
        !self.wait.plan.known.load(Ordering::Relaxed) && self.elapsed() < self.wait.plan.grace
    }

    fn stands_still(&self) -> bool {
        self.wait.stall_limit.is_some_and(|limit| self.unchanged_for() >= limit)
    }

    fn unchanged_for(&self) -> Duration {
        self.elapsed().saturating_sub(self.changed)
    }

    fn elapsed(&self) -> Duration {
        self.wait.plan.clock.monotonic().saturating_sub(self.started).saturating_sub(self.asleep)
    }

    fn left(&self) -> Duration {
        self.wait.plan.deadline.saturating_sub(self.elapsed())
    }

    fn named(&self) -> (String, String) {
        (self.wait.plan.what.clone(), self.wait.plan.id.clone())
    }

    fn failed(&self, state: String, message: String) -> WaitError {
        let (what, id) = self.named();
        WaitError::Failed { what, id, state, message, elapsed: self.elapsed(), polls: self.polls }
    }

    fn deadline_exceeded(&self) -> WaitError {
        let ((what, id), last_state) = (self.named(), self.last_state.clone());
        let (unchanged_for, elapsed, polls) = (self.unchanged_for(), self.elapsed(), self.polls);
        WaitError::DeadlineExceeded { what, id, last_state, unchanged_for, elapsed, polls }
    }

    fn stalled(&self) -> WaitError {
        let ((what, id), last_state) = (self.named(), self.last_state.clone());
        let (unchanged_for, elapsed, polls) = (self.unchanged_for(), self.elapsed(), self.polls);
        WaitError::Stalled { what, id, last_state, unchanged_for, elapsed, polls }
    }

    fn gone(&self) -> WaitError {
        let ((what, id), last_state) = (self.named(), self.last_state.clone());
        WaitError::Gone { what, id, last_state, elapsed: self.elapsed(), polls: self.polls }
    }

    fn not_read(&self, error: Error) -> WaitError {
        let ((what, id), last_state) = (self.named(), self.last_state.clone());
        WaitError::Poll { what, id, error, last_state, elapsed: self.elapsed(), polls: self.polls }
    }
}
