//! A wait before it starts: a handle, a condition and options.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};

use super::error::WaitError;
use super::pollable::Pollable;
use super::poller::{PollConfig, PollState, Poller, WaitOptions};
use crate::clock::BoxFuture;

/// A handle and a condition, independent of the type of the handle.
pub(crate) trait WaitTarget<T>: Send + Sync {
    fn description(&self) -> String;
    fn default_deadline(&self) -> Duration;
    /// Waits until the condition holds.
    fn run(&self, options: WaitOptions) -> BoxFuture<'static, Result<T, WaitError>>;
    /// Waits until the condition holds and yields each state.
    fn states(&self, options: WaitOptions) -> BoxStream<'static, Result<PollState<T>, WaitError>>;
    /// Polls once. `None` after a temporary error.
    fn poll_once(&self) -> BoxFuture<'static, Result<Option<PollState<T>>, WaitError>>;
}

/// The [`WaitTarget`] of one type of handle.
pub(crate) struct PollTarget<P: Pollable, T> {
    pub(super) config: Arc<PollConfig<P>>,
    /// Converts the final status into the result of the wait.
    output: fn(&P, P::Status) -> T,
}

impl<P: Pollable, T: Send + 'static> PollTarget<P, T> {
    pub(crate) fn new(config: PollConfig<P>, output: fn(&P, P::Status) -> T) -> Self {
        Self { config: Arc::new(config), output }
    }

    pub(crate) fn handle(&self) -> &P {
        &self.config.handle
    }

    /// Records that the service knows the work, or that the work was deleted: from now on a 404 means that it is gone.
    pub(crate) fn mark_known(&self) {
        self.config.is_known.store(true, Ordering::Relaxed);
    }

    fn start(
        &self,
        options: WaitOptions,
    ) -> (Poller<P>, impl Fn(PollState<P::Status>) -> PollState<T> + Send + use<P, T>) {
        let (config, output) = (Arc::clone(&self.config), self.output);
        let convert = move |state| match state {
            PollState::Working(state) => PollState::Working(state),
            PollState::Done(status) => PollState::Done(output(&config.handle, status)),
        };
        (Poller::new(Arc::clone(&self.config), options), convert)
    }
}

impl<P: Pollable, T: Send + 'static> WaitTarget<T> for PollTarget<P, T> {
    fn description(&self) -> String {
        self.config.handle.description()
    }

    fn default_deadline(&self) -> Duration {
        P::DEADLINE
    }

    fn run(&self, options: WaitOptions) -> BoxFuture<'static, Result<T, WaitError>> {
        let (mut poller, convert) = self.start(options);
        Box::pin(async move {
            loop {
                if let PollState::Done(value) = convert(poller.next().await?) {
                    return Ok(value);
                }
            }
        })
    }

    fn states(&self, options: WaitOptions) -> BoxStream<'static, Result<PollState<T>, WaitError>> {
        stream::try_unfold(Some(self.start(options)), |wait| async move {
            let Some((mut poller, convert)) = wait else {
                return Ok(None);
            };
            let state = convert(poller.next().await?);
            let next = matches!(state, PollState::Working(_)).then_some((poller, convert));
            Ok(Some((state, next)))
        })
        .boxed()
    }

    fn poll_once(&self) -> BoxFuture<'static, Result<Option<PollState<T>>, WaitError>> {
        let (mut poller, convert) = self.start(WaitOptions::new(P::DEADLINE));
        Box::pin(async move { Ok(poller.poll().await?.map(convert)) })
    }
}

/// A wait that has not started: await it for the result, or read the [`states`](Self::states) one by one.
///
/// The first poll is immediate. The interval between polls then grows with the square root of the elapsed time, from 0.5 s to 15 s (2 s after 10 s,
/// 5 s after a minute), with a jitter of 10 %. The service's `Retry-After` is respected. Once earlier waits of the client have shown typical
/// durations, polls that would come too early are skipped. Every wait has a deadline and polls once more at the deadline. An unknown state counts as
/// work in progress, and so does a temporary error of a poll. Time spent in system suspend does not count against the deadline.
#[must_use = "a wait does nothing unless awaited"]
pub struct Wait<T> {
    target: Arc<dyn WaitTarget<T>>,
    options: WaitOptions,
}

impl<T: Send + 'static> Wait<T> {
    pub(crate) fn new<P: Pollable>(config: PollConfig<P>, output: fn(&P, P::Status) -> T) -> Self {
        Self::on(Arc::new(PollTarget::new(config, output)))
    }

    pub(crate) fn on(target: Arc<dyn WaitTarget<T>>) -> Self {
        Self { options: WaitOptions::new(target.default_deadline()), target }
    }

    /// Sets the deadline, counted from the start of the wait. Default: 10 minutes for a package, 30 minutes for files. The last poll is at the
    /// deadline.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// Sets the time without a change of the state after which the wait ends with [`WaitErrorKind::Stalled`](crate::wait::WaitErrorKind::Stalled).
    /// Default: no limit.
    pub fn with_stall_timeout(mut self, limit: Duration) -> Self {
        self.options.stall_limit = Some(limit);
        self
    }

    /// Requires the condition to hold for `duration` without interruption. Default: zero.
    ///
    /// Changed rules or attributes send a processed file back to processing, possibly a moment after it was processed.
    pub fn stable_for(mut self, duration: Duration) -> Self {
        self.options.settle = duration;
        self
    }

    /// Sets a callback that receives the service's name of the state after each poll.
    pub fn on_state(mut self, callback: impl FnMut(&str) + Send + 'static) -> Self {
        self.options.on_state = Some(Box::new(callback));
        self
    }

    /// Starts the wait and returns its states: any number of `Working`, then one `Done`. Polling stops when the stream is dropped.
    pub fn states(self) -> impl Stream<Item = Result<PollState<T>, WaitError>> + Send + 'static {
        self.target.states(self.options)
    }
}

impl<T: Send + 'static> IntoFuture for Wait<T> {
    type Output = Result<T, WaitError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.target.run(self.options).await })
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("target", &self.target.description())
            .field("deadline", &self.options.deadline)
            .finish_non_exhaustive()
    }
}
