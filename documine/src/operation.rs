//! Work that takes long: one engine that waits for packages, files and dossiers.
//!
//! The first state is read at once; then the time between two reads grows. There is always a deadline, with one last read at it. A state
//! that this crate does not know counts as work in progress, and so does a read that failed for a passing reason.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use http::StatusCode;

use crate::clock::{BoxFuture, Clock, unit};
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};
use crate::text::one_line;

/// What one look at the work showed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State<T> {
    /// Not finished; the service's own word for where it stands.
    Working(String),
    /// Finished.
    Done(T),
}

/// What one look showed, as an operation's file reports it to the engine.
pub(crate) enum Polled<T> {
    Working(String),
    Done(T),
    Failed { state: String, message: String },
}

/// Why a wait ended without what was waited for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum WaitError {
    /// The work ended, without success.
    Failed {
        /// What was waited for, for example `package 1b2c…`.
        what: String,
        /// The state it ended in.
        state: String,
        /// The service's reason.
        message: String,
    },
    /// The deadline came first. The work goes on at the service: wait again, or look later.
    DeadlineExceeded {
        /// What was waited for.
        what: String,
        /// The last state that was seen, if any.
        last_state: Option<String>,
        /// How long the wait took.
        elapsed: Duration,
        /// How many times the state was read.
        polls: u32,
    },
    /// The service does not know it (any more): deleted, expired, or never there.
    Gone {
        /// What was waited for.
        what: String,
        /// The last state that was seen, if any.
        last_state: Option<String>,
    },
    /// The state could not be read.
    Poll {
        /// What was waited for.
        what: String,
        /// Why not.
        error: Error,
    },
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { what, state, message } => write!(f, "{what} ended as {state}: {}", one_line(message)),
            Self::DeadlineExceeded { what, last_state, elapsed, polls } => write!(
                f,
                "{what} was not ready after {elapsed:.0?} and {polls} looks (last state: {}); it goes on at the service, wait again with a later deadline",
                last_state.as_deref().unwrap_or("unknown")
            ),
            Self::Gone { what, last_state } => {
                write!(f, "{what} is not there any more (last state: {})", last_state.as_deref().unwrap_or("unknown"))
            }
            Self::Poll { what, .. } => write!(f, "the state of {what} could not be read"),
        }
    }
}

impl std::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Poll { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<WaitError> for Error {
    fn from(error: WaitError) -> Self {
        let kind = match &error {
            WaitError::Poll { error, .. } => return error.clone(),
            WaitError::DeadlineExceeded { .. } => ErrorKind::Timeout,
            WaitError::Failed { .. } | WaitError::Gone { .. } => ErrorKind::Operation,
        };
        let outer = Self::new(kind, error.to_string());
        let outer =
            if matches!(error, WaitError::Gone { .. }) { outer.with_status(StatusCode::NOT_FOUND) } else { outer };
        let outer = if kind == ErrorKind::Timeout { outer.with_phase(TimeoutPhase::Wait) } else { outer };
        outer.with_detail(error)
    }
}

pub(crate) type Look<T> = Arc<dyn Fn() -> BoxFuture<'static, Result<Polled<T>>> + Send + Sync>;

/// How long the last look, at the deadline itself, may take.
const LAST_LOOK: Duration = Duration::from_secs(5);

type OnState = Box<dyn FnMut(&str) + Send>;

/// A wait that has not begun: await it for the result, or take the [`states`](Self::states) one by one.
#[must_use = "nothing is waited for until this is awaited"]
pub struct Wait<T> {
    what: String,
    clock: Arc<dyn Clock>,
    look: Look<T>,
    deadline: Duration,
    on_state: Option<OnState>,
}

impl<T: Send + 'static> Wait<T> {
    /// Between the first two looks.
    const FIRST_INTERVAL: Duration = Duration::from_millis(500);
    /// The longest time between two looks.
    const MAX_INTERVAL: Duration = Duration::from_secs(15);
    /// Each interval is this many times the one before.
    const GROWTH: f64 = 1.5;

    pub(crate) fn new(what: String, clock: Arc<dyn Clock>, deadline: Duration, look: Look<T>) -> Self {
        Self { what, clock, look, deadline, on_state: None }
    }

    /// How long to wait at most. Default: 10 minutes for a package, 30 minutes for files. There is one last look at the deadline itself.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Is told the service's word for each state that is seen, for example to show it.
    pub fn on_state(mut self, tell: impl FnMut(&str) + Send + 'static) -> Self {
        self.on_state = Some(Box::new(tell));
        self
    }

    /// The states as they are seen: `Working` any number of times, then `Done` once. Stop polling the stream and the waiting stops.
    pub fn states(self) -> impl Stream<Item = Result<State<T>, WaitError>> + Send + 'static {
        stream::try_unfold(Some(Progress::new(self)), |progress| async move {
            let Some(mut progress) = progress else {
                return Ok(None);
            };
            let state = progress.next().await?;
            let rest = matches!(state, State::Working(_)).then_some(progress);
            Ok(Some((state, rest)))
        })
    }
}

impl<T: Send + 'static> IntoFuture for Wait<T> {
    type Output = Result<T, WaitError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut progress = Progress::new(self);
            loop {
                if let State::Done(value) = progress.next().await? {
                    return Ok(value);
                }
            }
        })
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("what", &self.what).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// A wait under way.
struct Progress<T> {
    wait: Wait<T>,
    started: Duration,
    interval: Duration,
    polls: u32,
    last_state: Option<String>,
    /// How long the service asked to be left alone.
    asked: Option<Duration>,
}

impl<T: Send + 'static> Progress<T> {
    fn new(wait: Wait<T>) -> Self {
        let started = wait.clock.monotonic();
        Self { wait, started, interval: Wait::<T>::FIRST_INTERVAL, polls: 0, last_state: None, asked: None }
    }

    /// Waits for the next look's turn, looks, and tells what was seen.
    async fn next(&mut self) -> Result<State<T>, WaitError> {
        loop {
            if self.polls > 0 {
                self.pause().await?;
            }
            // A look that hangs must not hold the wait beyond its deadline: a limit in real time, like all limits on a connection.
            let limit = self.left().max(LAST_LOOK);
            let Ok(seen) = tokio::time::timeout(limit, self.look()).await else {
                return Err(self.deadline_exceeded());
            };
            match seen {
                // What could not be seen this time may be seen the next time.
                Err(WaitError::Poll { error, .. }) if error.is_transient() => self.asked = error.retry_after(),
                seen => return seen,
            }
        }
    }

    async fn look(&mut self) -> Result<State<T>, WaitError> {
        self.polls += 1;
        match (self.wait.look)().await {
            Ok(Polled::Working(state)) => {
                self.saw(&state);
                Ok(State::Working(state))
            }
            Ok(Polled::Done(value)) => Ok(State::Done(value)),
            Ok(Polled::Failed { state, message }) => {
                self.saw(&state);
                Err(WaitError::Failed { what: self.what(), state, message })
            }
            Err(error) if error.is_not_found() => {
                Err(WaitError::Gone { what: self.what(), last_state: self.last_state.clone() })
            }
            Err(error) => Err(WaitError::Poll { what: self.what(), error }),
        }
    }

    async fn pause(&mut self) -> Result<(), WaitError> {
        let left = self.left();
        if left.is_zero() {
            return Err(self.deadline_exceeded());
        }
        // Spread by a tenth, so that many that began together do not stay together.
        let spread = 0.9 + 0.2 * unit(self.wait.clock.random());
        let pause = self.interval.mul_f64(spread).max(self.asked.take().unwrap_or_default());
        self.wait.clock.sleep(pause.min(left)).await;
        self.interval = self.interval.mul_f64(Wait::<T>::GROWTH).min(Wait::<T>::MAX_INTERVAL);
        Ok(())
    }

    fn deadline_exceeded(&self) -> WaitError {
        WaitError::DeadlineExceeded {
            what: self.what(),
            last_state: self.last_state.clone(),
            elapsed: self.elapsed(),
            polls: self.polls,
        }
    }

    fn saw(&mut self, state: &str) {
        if let Some(tell) = &mut self.wait.on_state {
            tell(state);
        }
        self.last_state = Some(state.to_owned());
    }

    fn elapsed(&self) -> Duration {
        self.wait.clock.monotonic().saturating_sub(self.started)
    }

    fn left(&self) -> Duration {
        self.wait.deadline.saturating_sub(self.elapsed())
    }

    fn what(&self) -> String {
        self.wait.what.clone()
    }
}

/// Work that the service does for us: look at it, wait for it, or cancel it.
#[derive(Clone)]
#[must_use = "the service works on it; wait for it, or cancel it"]
pub struct Operation<T> {
    id: String,
    what: String,
    clock: Arc<dyn Clock>,
    look: Look<T>,
    cancel: Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

impl<T: Send + 'static> Operation<T> {
    /// How long a package may take unless a caller says otherwise.
    const DEADLINE: Duration = Duration::from_secs(600);

    pub(crate) fn new(
        id: String,
        what: String,
        clock: Arc<dyn Clock>,
        look: Look<T>,
        cancel: Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>,
    ) -> Self {
        Self { id, what, clock, look, cancel }
    }

    /// The service's id of the work, by which it can be found again.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Looks once.
    ///
    /// # Errors
    /// Like [`wait`](Self::wait), but never `DeadlineExceeded`.
    pub async fn poll_once(&self) -> Result<State<T>, WaitError> {
        Progress::new(self.wait()).look().await
    }

    /// Waits until it is finished, 10 minutes at most unless told otherwise.
    pub fn wait(&self) -> Wait<T> {
        Wait::new(self.what.clone(), Arc::clone(&self.clock), Self::DEADLINE, Arc::clone(&self.look))
    }

    /// Gives it up: the service deletes what it has prepared.
    ///
    /// # Errors
    /// The deletion's [`Error`].
    pub async fn cancel(&self) -> Result<()> {
        (self.cancel)().await
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("what", &self.what).finish_non_exhaustive()
    }
}
