//! Polls a handle until its condition holds: schedule, deadline, stall and suspend detection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::condition::Condition;
use super::error::{WaitError, WaitErrorKind, WaitReport};
use super::pollable::{PollOutcome, Pollable};
use super::shared_poll::{PollContext, SharedPoll, Subscription};
use crate::clock::unit_interval;
use crate::error::Result;
use crate::text::one_line;
use crate::transport::RetryAfterHint;

/// Bounds of the interval between two polls.
const MIN_INTERVAL: Duration = Duration::from_millis(500);
const MAX_INTERVAL: Duration = Duration::from_secs(15);
/// Polling interval in seconds, relative to the square root of the elapsed seconds.
///
/// With an unknown duration, the work is equally likely to end in seconds 0 to 1, 1 to 4 or 4 to 16. Intervals that grow
/// with the square root of the elapsed time then detect the end soonest for their number.
const BACKOFF_COEFFICIENT: f64 = 0.7;
/// Fraction of the median duration before which a poll is unlikely to find the work finished.
const EARLIEST_POLL_FRACTION: f64 = 0.6;
/// Shortest time limit of a poll, also at the deadline itself.
const LAST_POLL_TIMEOUT: Duration = Duration::from_secs(5);
/// Delay of a timer above which the machine is assumed to have been suspended.
const SUSPEND_THRESHOLD: Duration = Duration::from_secs(30);

/// Time after a creation during which some machines of the service may not know the new id yet.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The state of the work after one poll.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollState<T> {
    /// Not finished; the service's name of the state.
    Working(String),
    /// Finished.
    Done(T),
}

/// A handle and the condition to wait for.
pub(crate) struct PollConfig<P: Pollable> {
    pub(super) handle: P,
    condition: Condition<P::Status>,
    /// Creation of this configuration, by the clock of the client.
    created: Duration,
    /// Time after `created` during which a 404 does not mean that the work is gone.
    grace: Duration,
    /// Set once the service has reported the work, or once the work was cancelled. From then on a 404 means that the work is gone.
    pub(super) is_known: AtomicBool,
}

impl<P: Pollable> PollConfig<P> {
    pub(crate) fn new(handle: P, condition: Condition<P::Status>, grace: Duration) -> Self {
        let created = handle.waits().clock.monotonic();
        Self { handle, condition, created, grace, is_known: AtomicBool::new(false) }
    }
}

/// Receives the service's name of the state after each poll.
pub(super) type StateCallback = Box<dyn FnMut(&str) + Send>;

/// Options of one wait.
pub(crate) struct WaitOptions {
    pub(super) deadline: Duration,
    pub(super) settle: Duration,
    pub(super) stall_limit: Option<Duration>,
    pub(super) on_state: Option<StateCallback>,
}

impl WaitOptions {
    pub(super) fn new(deadline: Duration) -> Self {
        Self { deadline, settle: Duration::ZERO, stall_limit: None, on_state: None }
    }
}

/// A wait in progress.
pub(super) struct Poller<P: Pollable> {
    config: Arc<PollConfig<P>>,
    options: WaitOptions,
    subscription: Option<Subscription<P>>,
    id: String,
    started: Duration,
    /// Time during which the machine was suspended.
    suspended: Duration,
    /// Maximum age of a shared list that replaces a poll.
    max_age: Duration,
    polls: u32,
    last_state: Option<String>,
    /// Elapsed time at which `last_state` was first seen.
    changed_at: Duration,
    /// Elapsed time from which the condition has held without interruption.
    done_since: Option<Duration>,
    /// The pause that the service requested.
    retry_after: RetryAfterHint,
}

impl<P: Pollable> Poller<P> {
    pub(super) fn new(config: Arc<PollConfig<P>>, options: WaitOptions) -> Self {
        Self {
            subscription: SharedPoll::of(&config.handle).map(SharedPoll::subscribe),
            id: config.handle.id(),
            started: config.handle.waits().clock.monotonic(),
            config,
            options,
            suspended: Duration::ZERO,
            max_age: MIN_INTERVAL / 2,
            polls: 0,
            last_state: None,
            changed_at: Duration::ZERO,
            done_since: None,
            retry_after: RetryAfterHint::default(),
        }
    }

    /// Waits for the next poll and returns its state.
    pub(super) async fn next(&mut self) -> Result<PollState<P::Status>, WaitError> {
        loop {
            let state = if self.polls > 0
                && let Some(status) = self.pause().await?
            {
                self.polls += 1;
                self.on_poll(status).map(Some)
            } else {
                // A poll that hangs extends the wait by at most `LAST_POLL_TIMEOUT`. The limit is real time, like all limits on a connection.
                let limit = self.remaining().max(LAST_POLL_TIMEOUT);
                let Ok(state) = tokio::time::timeout(limit, self.poll()).await else {
                    return Err(self.error(WaitErrorKind::DeadlineExceeded));
                };
                state
            };
            match state? {
                Some(PollState::Working(_)) if self.is_stalled() => return Err(self.error(WaitErrorKind::Stalled)),
                Some(state) => return Ok(state),
                None => {}
            }
        }
    }

    /// Polls once. `None` after a temporary error.
    pub(super) async fn poll(&mut self) -> Result<Option<PollState<P::Status>>, WaitError> {
        self.polls += 1;
        match self.fetch().await {
            Ok(status) => self.on_poll(status).map(Some),
            Err(error) if error.is_not_found() && self.may_be_unknown() => Ok(None),
            Err(error) if error.is_not_found() => Err(self.error(WaitErrorKind::Gone)),
            Err(error) if error.is_transient() => {
                self.retry_after.record(error.retry_after());
                Ok(None)
            }
            Err(error) => Err(WaitError::poll(self.report(), error)),
        }
    }

    /// Returns the status from the shared list, or fetches it.
    async fn fetch(&mut self) -> Result<P::Status> {
        let context = PollContext { max_age: self.max_age, is_last: self.remaining().is_zero() };
        if let Some(subscription) = &self.subscription
            && let Some(status) = subscription.status(&self.id, context).await?
        {
            return Ok(status);
        }
        self.config.handle.fetch(&self.retry_after).await
    }

    /// Evaluates a status from a poll of this wait or of another one.
    fn on_poll(&mut self, status: P::Status) -> Result<PollState<P::Status>, WaitError> {
        match self.config.handle.decide(status, &self.config.condition) {
            PollOutcome::Pending(state) => {
                // The service's text goes to callbacks, errors and logs.
                let state = one_line(&state);
                self.done_since = None;
                self.record_state(&state);
                Ok(PollState::Working(state))
            }
            PollOutcome::Done(status) => {
                self.config.is_known.store(true, Ordering::Relaxed);
                Ok(self.on_done(status))
            }
            PollOutcome::Failed { state, message } => {
                self.record_state(&one_line(&state));
                Err(WaitError::failed(self.report(), message))
            }
        }
    }

    fn on_done(&mut self, status: P::Status) -> PollState<P::Status> {
        let elapsed = self.elapsed();
        let since = *self.done_since.get_or_insert(elapsed);
        if elapsed.saturating_sub(since) < self.options.settle {
            let state = "settling";
            self.record_state(state);
            return PollState::Working(state.into());
        }
        // If the first poll finds the work finished, its duration is unknown.
        if self.polls > 1 {
            self.config.handle.waits().stats.record(P::KIND, since);
        }
        PollState::Done(status)
    }

    /// Sleeps until the next poll is due. Returns a status as soon as another wait has polled the shared list.
    async fn pause(&mut self) -> Result<Option<P::Status>, WaitError> {
        let remaining = self.remaining();
        if remaining.is_zero() {
            return Err(self.error(WaitErrorKind::DeadlineExceeded));
        }
        let clock = Arc::clone(&self.config.handle.waits().clock);
        let pause = self.next_interval(clock.random()).min(remaining);
        tracing::debug!(
            target: "documine",
            // Without the id, like all events.
            waits_for = ?P::KIND,
            state = self.last_state.as_deref(),
            polls = self.polls,
            pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "waiting"
        );
        let before = clock.monotonic();
        let updated = async {
            match &self.subscription {
                Some(subscription) => subscription.updated(&self.id).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = clock.sleep(pause) => {}
            status = updated => return Ok(Some(status)),
        }
        let late = clock.monotonic().saturating_sub(before).saturating_sub(pause);
        if late > SUSPEND_THRESHOLD {
            self.suspended += late;
        }
        Ok(None)
    }

    /// Returns the pause before the next poll.
    fn next_interval(&mut self, random: f64) -> Duration {
        let elapsed = self.elapsed();
        let interval = Duration::from_secs_f64(BACKOFF_COEFFICIENT * elapsed.as_secs_f64().sqrt())
            .clamp(MIN_INTERVAL, MAX_INTERVAL);
        self.max_age = interval / 2;
        // Jitter of 10 %, so that waits that start together spread out.
        let mut pause = interval.mul_f64(0.9 + 0.2 * unit_interval(random));
        if let Some(since) = self.done_since {
            pause = pause.min(self.options.settle.saturating_sub(elapsed.saturating_sub(since)));
        } else if let Some(median) = self.config.handle.waits().stats.median(P::KIND) {
            let until_earliest = median.mul_f64(EARLIEST_POLL_FRACTION).saturating_sub(elapsed);
            pause = pause.max(until_earliest.min(MAX_INTERVAL));
        }
        pause.max(self.retry_after.take().unwrap_or_default())
    }

    fn record_state(&mut self, state: &str) {
        self.config.is_known.store(true, Ordering::Relaxed);
        if let Some(on_state) = &mut self.options.on_state {
            on_state(state);
        }
        if self.last_state.as_deref() != Some(state) {
            self.last_state = Some(state.to_owned());
            self.changed_at = self.elapsed();
        }
    }

    /// Returns whether a 404 may come from a machine of the service that does not know the new id yet.
    fn may_be_unknown(&self) -> bool {
        let age = self.started.saturating_sub(self.config.created) + self.elapsed();
        !self.config.is_known.load(Ordering::Relaxed) && age < self.config.grace
    }

    fn is_stalled(&self) -> bool {
        self.options.stall_limit.is_some_and(|limit| self.unchanged_for() >= limit)
    }

    fn unchanged_for(&self) -> Duration {
        self.elapsed().saturating_sub(self.changed_at)
    }

    fn elapsed(&self) -> Duration {
        self.config.handle.waits().clock.monotonic().saturating_sub(self.started).saturating_sub(self.suspended)
    }

    fn remaining(&self) -> Duration {
        self.options.deadline.saturating_sub(self.elapsed())
    }

    fn error(&self, kind: WaitErrorKind) -> WaitError {
        WaitError::new(kind, self.report())
    }

    fn report(&self) -> WaitReport {
        WaitReport {
            target: self.config.handle.description(),
            id: self.id.clone(),
            last_state: self.last_state.clone(),
            unchanged_for: self.unchanged_for(),
            elapsed: self.elapsed(),
            polls: self.polls,
        }
    }
}
