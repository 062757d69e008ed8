//! A wait before it starts: a handle, a condition and options.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};

use super::error::WaitError;
use super::pollable::Pollable;
use super::poller::{PollConfig, PollState, PollStates, Poller, WaitOptions};
use crate::clock::BoxFuture;
use crate::transport::request_options;

/// Starts the polling of one wait.
type StartPolling<T> = Box<dyn FnOnce(WaitOptions) -> Box<dyn PollStates<T>> + Send>;

/// A wait for work of the service. Created by [`FileHandle::wait_until_processed`](crate::FileHandle::wait_until_processed),
/// [`PackageJob::wait`](crate::PackageJob::wait) and similar methods.
///
/// ```
/// # async fn f(file: documine::FileHandle) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// file.wait_until_processed().with_deadline(Duration::from_secs(600)).on_state(|state| println!("{state}")).await?;
/// # Ok(()) }
/// ```
///
/// The wait starts when the builder is awaited, by [`send`](Self::send), or when its [`states`](Self::states) are read. Dropping the future ends
/// the wait; the service continues its work.
///
/// # Polling
/// The first poll is immediate. The interval between polls then grows with the square root of the elapsed time, from 0.5 s to 15 s (2 s after 10 s,
/// 5 s after a minute), with a jitter of 10 %. The service's `Retry-After` is respected. Once earlier waits of the client have shown typical
/// durations of the same work, polls that would come too early are skipped. Waits that share a list request learn from the items of the list that
/// are finished when to expect the others (see the [guide](crate::guide::waiting)). An unknown state counts as work in progress, and so does a temporary
/// error of a poll. Time spent in system suspend does not count against the deadline.
///
/// Every wait has a deadline and polls once more at the deadline. Default: 10 minutes for a package, 30 minutes for files.
///
/// # Options
/// The [`RequestOptions`](crate::RequestOptions) apply to each poll, except the deadline, which limits the whole wait. A poll retries for at most 20 s; after a longer
/// outage the wait continues with the next poll. Concurrent waits share list requests only if they set no such option besides the deadline: a
/// wait with a timeout or a header of its own sends its own requests.
///
/// # Errors
/// [`WaitError`] with its [`kind`](WaitError::kind). `?` converts it into the [`Error`](crate::Error) of this crate.
#[must_use = "a wait does nothing unless awaited"]
pub struct Wait<T> {
    start: StartPolling<T>,
    /// The name of the work.
    description: String,
    options: WaitOptions,
}

request_options!(
    Wait<T>,
    options.request,
    deadline: "For a wait, the deadline is counted from its start. Default: 10 minutes for a package, 30 minutes for files. The last poll is at \
               the deadline, so a deadline of zero polls once."
);

impl<T: Send + 'static> Wait<T> {
    pub(crate) fn new<P: Pollable>(config: impl Into<Arc<PollConfig<P, T>>>) -> Self {
        let config = config.into();
        Self {
            description: config.handle().description(),
            start: Box::new(move |options| Box::new(Poller::new(config, options))),
            options: WaitOptions::default(),
        }
    }

    /// Sets the time without a change of the state after which the wait ends with [`WaitErrorKind::Stalled`](crate::wait::WaitErrorKind::Stalled).
    /// Default: no limit.
    ///
    /// While the condition holds, but not yet for the time of [`stable_for`](Self::stable_for), the wait is not stalled.
    pub fn with_stall_timeout(mut self, timeout: Duration) -> Self {
        self.options.stall_timeout = Some(timeout);
        self
    }

    /// Requires the condition to hold for `duration` without interruption. Default: zero.
    ///
    /// Changed rules or attributes send a processed file back to processing, possibly a moment after it was processed.
    pub fn stable_for(mut self, duration: Duration) -> Self {
        self.options.stable_for = duration;
        self
    }

    /// Sets a callback that receives the service's name of the state after each poll that does not end the wait, and of failed work.
    ///
    /// While the condition holds, but not yet for the time of [`stable_for`](Self::stable_for), the name is `settling`.
    pub fn on_state(mut self, callback: impl FnMut(&str) + Send + 'static) -> Self {
        self.options.on_state = Some(Box::new(callback));
        self
    }

    /// Starts the wait. Like `.await`, for code that spawns, joins or stores the future.
    ///
    /// # Errors
    /// [`WaitError`]; see [`WaitErrorKind`](crate::wait::WaitErrorKind).
    pub fn send(self) -> BoxFuture<'static, Result<T, WaitError>> {
        let Self { start, options, .. } = self;
        Box::pin(async move {
            let mut polling = start(options);
            loop {
                if let PollState::Done(value) = polling.next_state().await? {
                    return Ok(value);
                }
            }
        })
    }

    /// Returns the states of the wait: any number of `Working`, then one `Done`. The wait starts when the stream is first polled, and ends when the
    /// stream is dropped.
    pub fn states(self) -> States<T> {
        let Self { start, options, .. } = self;
        let states = stream::once(async move { start(options) }).flat_map(|polling| {
            stream::try_unfold(Some(polling), |polling| async move {
                let Some(mut polling) = polling else { return Ok(None) };
                let state = polling.next_state().await?;
                let next = matches!(state, PollState::Working(_)).then_some(polling);
                Ok(Some((state, next)))
            })
        });
        States { inner: states.boxed() }
    }

    /// Polls once. `Working("UNKNOWN")`: the service does not know the new id yet.
    ///
    /// # Errors
    /// As for [`send`](Self::send). A temporary error of the poll is an error too: [`WaitErrorKind::Poll`](crate::wait::WaitErrorKind::Poll), with
    /// [`is_transient`](WaitError::is_transient).
    pub fn poll_once(self) -> BoxFuture<'static, Result<PollState<T>, WaitError>> {
        let Self { start, options, .. } = self;
        Box::pin(async move { start(options).poll_once().await })
    }
}

impl<T: Send + 'static> IntoFuture for Wait<T> {
    type Output = Result<T, WaitError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.send()
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("target", &self.description)
            .field("options", &self.options.request)
            .finish_non_exhaustive()
    }
}

/// A stream of the states of a wait. Created by [`Wait::states`].
///
/// ```
/// # async fn f(file: documine::FileHandle) -> Result<(), Box<dyn std::error::Error>> {
/// use documine::wait::PollState;
/// use futures_util::TryStreamExt;
///
/// let mut states = file.wait_until_processed().states();
/// while let Some(state) = states.try_next().await? {
///     if let PollState::Working(name) = state {
///         println!("{name}");
///     }
/// }
/// # Ok(()) }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct States<T> {
    inner: BoxStream<'static, Result<PollState<T>, WaitError>>,
}

impl<T> Stream for States<T> {
    type Item = Result<PollState<T>, WaitError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for States<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").finish_non_exhaustive()
    }
}
