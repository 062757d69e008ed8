//! Polls a handle until its condition holds: schedule, deadline, stall and suspend detection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::backoff::{MAX_INTERVAL, MIN_INTERVAL, backoff};
use super::condition::Condition;
use super::error::{WaitError, WaitErrorKind, WaitReport};
use super::open_files::OpenFiles;
use super::pollable::{PollOutcome, Pollable};
use super::shared_poll::{PollContext, SharedPoll, Subscription};
use crate::clock::{BoxFuture, unit_interval};
use crate::error::{Error, Result};
use crate::text::one_line;
use crate::transport::{RequestOptions, RetryAfterHint};

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

/// A handle, the condition to wait for, and the result of the wait.
pub(crate) struct PollConfig<P: Pollable, T> {
    handle: P,
    condition: Condition<P::Status>,
    /// Converts the final status into the result.
    output: fn(&P, P::Status) -> T,
    /// Creation of this configuration, by the clock of the client.
    created: Duration,
    /// Time after `created` during which a 404 does not mean that the work is gone.
    grace: Duration,
    /// Set once the work ended or was cancelled. From then on a 404 means that the work is gone.
    has_ended: AtomicBool,
}

impl<P: Pollable, T> PollConfig<P, T> {
    pub(crate) fn new(handle: P, condition: impl Into<Condition<P::Status>>, output: fn(&P, P::Status) -> T) -> Self {
        let created = handle.waits().clock.monotonic();
        let (condition, grace) = (condition.into(), Duration::ZERO);
        Self { handle, condition, output, created, grace, has_ended: AtomicBool::new(false) }
    }

    /// Sets the time from now on during which some machines of the service may not know the work yet.
    pub(crate) fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    pub(crate) fn handle(&self) -> &P {
        &self.handle
    }

    /// Records that the work ended or was cancelled.
    pub(crate) fn mark_ended(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Returns whether a 404 may come from a machine of the service that does not know the new id yet, even if another machine does.
    fn may_be_unknown(&self) -> bool {
        let age = self.handle.waits().clock.monotonic().saturating_sub(self.created);
        !self.has_ended.load(Ordering::Relaxed) && age < self.grace
    }
}

/// Receives the service's name of the state after each poll.
pub(super) type StateCallback = Box<dyn FnMut(&str) + Send>;

/// Options of one wait.
#[derive(Default)]
pub(super) struct WaitOptions {
    /// Options of each poll. The deadline is that of the wait.
    pub(super) request: RequestOptions,
    pub(super) stable_for: Duration,
    pub(super) stall_timeout: Option<Duration>,
    pub(super) on_state: Option<StateCallback>,
}

/// A wait in progress, independent of the type of its handle.
pub(super) trait PollStates<T>: Send {
    /// Waits for the next poll and returns its state.
    fn next_state(&mut self) -> BoxFuture<'_, Result<PollState<T>, WaitError>>;

    /// Polls now and returns the state; a temporary error is an error.
    fn poll_once(&mut self) -> BoxFuture<'_, Result<PollState<T>, WaitError>>;
}

/// A wait in progress.
pub(super) struct Poller<P: Pollable, T> {
    config: Arc<PollConfig<P, T>>,
    options: WaitOptions,
    deadline: Duration,
    subscription: Option<Subscription<P>>,
    id: String,
    started: Duration,
    /// Time during which the machine was suspended.
    suspended: Duration,
    /// Maximum age of a shared list that replaces a poll.
    max_age: Duration,
    polls: u32,
    last_state: Option<String>,
    /// The files that were not processed at the last successful poll.
    open_files: OpenFiles,
    /// Elapsed time at which `last_state` was first seen.
    changed_at: Duration,
    /// Set once a poll has found the work in progress.
    was_pending: bool,
    /// Elapsed time from which the condition has held without interruption.
    done_since: Option<Duration>,
    /// The error of the last poll, if it failed.
    poll_error: Option<Error>,
    /// The pause that the service requested with the last response.
    retry_after: RetryAfterHint,
    /// Elapsed time before which the service requested no poll.
    paused_until: Duration,
}

impl<P: Pollable, T: Send + 'static> PollStates<T> for Poller<P, T> {
    fn next_state(&mut self) -> BoxFuture<'_, Result<PollState<T>, WaitError>> {
        Box::pin(self.next())
    }

    fn poll_once(&mut self) -> BoxFuture<'_, Result<PollState<T>, WaitError>> {
        Box::pin(async move { Ok(self.poll().await?.unwrap_or_else(|| PollState::Working("UNKNOWN".into()))) })
    }
}

impl<P: Pollable, T: Send + 'static> Poller<P, T> {
    pub(super) fn new(config: Arc<PollConfig<P, T>>, mut options: WaitOptions) -> Self {
        let deadline = options.request.call.deadline.take().or(config.handle.waits().deadline).unwrap_or(P::DEADLINE);
        // A shared list request has the options of the client, so a wait with options of its own takes no part.
        let shared_poll = if options.request.is_unset() { SharedPoll::of(&config.handle) } else { None };
        Self {
            subscription: shared_poll.map(SharedPoll::subscribe),
            id: config.handle.id(),
            started: config.handle.waits().clock.monotonic(),
            config,
            options,
            deadline,
            suspended: Duration::ZERO,
            max_age: MIN_INTERVAL / 2,
            polls: 0,
            last_state: None,
            open_files: OpenFiles::default(),
            changed_at: Duration::ZERO,
            was_pending: false,
            done_since: None,
            poll_error: None,
            retry_after: RetryAfterHint::default(),
            paused_until: Duration::ZERO,
        }
    }

    async fn next(&mut self) -> Result<PollState<T>, WaitError> {
        loop {
            let state = match self.pause().await? {
                Some(status) => {
                    self.polls += 1;
                    self.on_poll(status).map(Some)
                }
                None => self.poll().await,
            };
            match state {
                Ok(Some(PollState::Working(_))) if self.is_stalled() => {
                    return Err(self.error(WaitErrorKind::Stalled));
                }
                Ok(Some(state)) => return Ok(state),
                Ok(None) => {}
                Err(error) if error.kind() == WaitErrorKind::Poll && error.is_transient() => {
                    self.retry_after.record(error.poll_error().and_then(Error::retry_after));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Polls once. `None` if the service does not know the work yet.
    async fn poll(&mut self) -> Result<Option<PollState<T>>, WaitError> {
        self.polls += 1;
        // A poll that hangs extends the wait by at most `LAST_POLL_TIMEOUT`. The limit is real time, like all limits on a connection.
        let limit = self.remaining().max(LAST_POLL_TIMEOUT);
        let error = match tokio::time::timeout(limit, self.fetch()).await {
            Ok(Ok(status)) => return self.on_poll(status).map(Some),
            Ok(Err(error)) => error,
            Err(_) => return Err(self.error(WaitErrorKind::DeadlineExceeded)),
        };
        let is_not_found = error.is_not_found();
        self.poll_error = Some(error);
        match is_not_found {
            true if self.config.may_be_unknown() => Ok(None),
            true => Err(self.error(WaitErrorKind::Gone)),
            false => Err(self.error(WaitErrorKind::Poll)),
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
        self.config.handle.fetch(self.options.request.clone(), &self.retry_after).await
    }

    /// Evaluates a status from a poll of this wait or of another one.
    fn on_poll(&mut self, status: P::Status) -> Result<PollState<T>, WaitError> {
        self.poll_error = None;
        match self.config.handle.decide(status, &self.config.condition) {
            PollOutcome::Pending(state, open_files) => {
                // The service's text goes to callbacks, errors and logs.
                let state = one_line(&state);
                self.was_pending = true;
                self.open_files = open_files;
                self.done_since = None;
                self.record_state(&state);
                Ok(PollState::Working(state))
            }
            PollOutcome::Done(status) => {
                self.config.mark_ended();
                Ok(self.on_done(status))
            }
            PollOutcome::Failed(failure) => {
                self.config.mark_ended();
                self.record_state(&one_line(&failure.state));
                Err(WaitError::failed(self.report(), failure))
            }
        }
    }

    fn on_done(&mut self, status: P::Status) -> PollState<T> {
        self.open_files = OpenFiles::default();
        let elapsed = self.elapsed();
        let since = *self.done_since.get_or_insert(elapsed);
        if elapsed.saturating_sub(since) < self.options.stable_for {
            let state = "settling";
            self.record_state(state);
            return PollState::Working(state.into());
        }
        // The duration of work that no poll found in progress is unknown.
        if self.was_pending && self.has_typical_duration() {
            self.config.handle.waits().stats.record(P::KIND, since);
        }
        PollState::Done((self.config.output)(&self.config.handle, status))
    }

    /// Sleeps until the next poll is due; not before the first poll. Returns a status as soon as another wait has polled the shared list.
    async fn pause(&mut self) -> Result<Option<P::Status>, WaitError> {
        if self.polls == 0 {
            return Ok(None);
        }
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
        let update = async {
            match &self.subscription {
                Some(subscription) => subscription.updated(&self.id).await,
                None => std::future::pending().await,
            }
        };
        let updated = tokio::select! {
            () = clock.sleep(pause) => None,
            status = update => Some(status),
        };
        let late = clock.monotonic().saturating_sub(before).saturating_sub(pause);
        if late > SUSPEND_THRESHOLD {
            self.suspended += late;
        }
        Ok(updated)
    }

    /// Returns the pause before the next poll.
    fn next_interval(&mut self, random: f64) -> Duration {
        let elapsed = self.elapsed();
        // Other conditions hold sooner or later than the end of the work.
        let learned = self.subscription.as_ref().filter(|_| self.has_typical_duration());
        let learned = learned.and_then(Subscription::interval);
        let interval = learned.unwrap_or_else(|| backoff(elapsed));
        self.max_age = interval / 2;
        // Jitter of 10 %, so that waits that start together spread out.
        let mut pause = interval.mul_f64(0.9 + 0.2 * unit_interval(random));
        if let Some(since) = self.done_since {
            pause = pause.min(self.options.stable_for.saturating_sub(elapsed.saturating_sub(since)));
        } else if learned.is_none()
            && self.has_typical_duration()
            && let Some(median) = self.config.handle.waits().stats.median(P::KIND)
        {
            let until_earliest = median.mul_f64(EARLIEST_POLL_FRACTION).saturating_sub(elapsed);
            pause = pause.max(until_earliest.min(MAX_INTERVAL));
        }
        if let Some(requested) = self.retry_after.take() {
            self.paused_until = elapsed.saturating_add(requested);
        }
        pause.max(self.paused_until.saturating_sub(elapsed))
    }

    fn record_state(&mut self, state: &str) {
        if let Some(on_state) = &mut self.options.on_state {
            on_state(state);
        }
        if self.last_state.as_deref() != Some(state) {
            self.last_state = Some(state.to_owned());
            self.changed_at = self.elapsed();
        }
    }

    /// Returns whether the wait is for the end of the work. Other conditions hold sooner or later than that.
    fn has_typical_duration(&self) -> bool {
        self.config.condition.requires_success()
    }

    fn is_stalled(&self) -> bool {
        self.done_since.is_none() && self.options.stall_timeout.is_some_and(|timeout| self.unchanged_for() >= timeout)
    }

    fn unchanged_for(&self) -> Duration {
        self.elapsed().saturating_sub(self.changed_at)
    }

    fn elapsed(&self) -> Duration {
        self.config.handle.waits().clock.monotonic().saturating_sub(self.started).saturating_sub(self.suspended)
    }

    fn remaining(&self) -> Duration {
        self.deadline.saturating_sub(self.elapsed())
    }

    fn error(&mut self, kind: WaitErrorKind) -> WaitError {
        let mut report = self.report();
        if matches!(kind, WaitErrorKind::DeadlineExceeded | WaitErrorKind::Stalled) {
            report.open_files = std::mem::take(&mut self.open_files);
        }
        WaitError::new(kind, report)
    }

    fn report(&self) -> WaitReport {
        WaitReport {
            target: self.config.handle.description(),
            id: self.id.clone(),
            last_state: self.last_state.clone(),
            open_files: OpenFiles::default(),
            unchanged_for: self.unchanged_for(),
            elapsed: self.elapsed(),
            polls: self.polls,
            poll_error: self.poll_error.clone(),
        }
    }
}
