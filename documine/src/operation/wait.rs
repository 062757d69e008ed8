//! A wait: what for, how long, and who is told on the way.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::stream::{self, Stream};

use super::engine::{Engine, Polled, Turn};
use super::history::{History, Kind};
use super::trouble::WaitError;
use crate::clock::{BoxFuture, Clock};
use crate::error::Result;

/// What one look at the work showed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State<T> {
    /// Not finished; the service's own word for where it stands.
    Working(String),
    /// Finished.
    Done(T),
}

/// How a wait sees where the work stands.
pub(crate) struct Look<T> {
    /// Looks once.
    pub(crate) now: Box<dyn Fn(Turn) -> BoxFuture<'static, Result<Polled<T>>> + Send + Sync>,
    /// Comes back with what somebody else's look shows, if there is one.
    pub(crate) news: Box<dyn Fn() -> BoxFuture<'static, Polled<T>> + Send + Sync>,
}

impl<T: Send + 'static> Look<T> {
    /// One that nobody shares.
    pub(crate) fn alone(look: impl Fn(Turn) -> BoxFuture<'static, Result<Polled<T>>> + Send + Sync + 'static) -> Self {
        Self { now: Box::new(look), news: Box::new(|| Box::pin(std::future::pending())) }
    }
}

/// What a wait begins with: those that share looks count themselves in and, when they are dropped, out.
pub(crate) type Begin<T> = Arc<dyn Fn() -> Look<T> + Send + Sync>;

/// What is waited for, and how.
pub(crate) struct Plan<T> {
    pub(crate) kind: Kind,
    pub(crate) what: String,
    pub(crate) id: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) history: Arc<History>,
    pub(crate) deadline: Duration,
    /// For so long after its creation the service may not know it yet.
    pub(crate) grace: Duration,
    /// The service has known it, or has been told to forget it.
    pub(crate) known: Arc<AtomicBool>,
    pub(crate) begin: Begin<T>,
}

impl<T> Clone for Plan<T> {
    fn clone(&self) -> Self {
        Self {
            kind: self.kind,
            what: self.what.clone(),
            id: self.id.clone(),
            clock: Arc::clone(&self.clock),
            history: Arc::clone(&self.history),
            deadline: self.deadline,
            grace: self.grace,
            known: Arc::clone(&self.known),
            begin: Arc::clone(&self.begin),
        }
    }
}

type OnState = Box<dyn FnMut(&str) + Send>;

/// A wait that has not begun: await it for the result, or take the [`states`](Self::states) one by one.
///
/// The first state is read at once; then the time between two reads grows with the root of the time that has passed, from half a second to 15 (2 seconds
/// after 10, 5 after a minute), spread a little, and the service's `Retry-After` is kept. Where earlier waits of the client have shown how long such work takes, the early reads are left out. There is always a deadline, with one
/// last read at it. A state that this crate does not know counts as work in progress, and so does a read that failed for a passing reason. A machine that
/// sleeps in between does not use up the time.
#[must_use = "nothing is waited for until this is awaited"]
pub struct Wait<T> {
    pub(super) plan: Plan<T>,
    pub(super) settle: Duration,
    pub(super) stall_limit: Option<Duration>,
    pub(super) on_state: Option<OnState>,
}

impl<T: Send + 'static> Wait<T> {
    pub(crate) fn new(plan: Plan<T>) -> Self {
        Self { plan, settle: Duration::ZERO, stall_limit: None, on_state: None }
    }

    /// How long to wait at most. Default: 10 minutes for a package, 30 minutes for files. There is one last look at the deadline itself.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.plan.deadline = deadline;
        self
    }

    /// Ends the wait with [`WaitError::Stalled`] where nothing changes for so long: work that stands still is no slow work. Default: the deadline alone.
    pub fn with_stall_limit(mut self, limit: Duration) -> Self {
        self.stall_limit = Some(limit);
        self
    }

    /// Waits until it has been so for this long without a break: a processed file goes back to work when rules or attributes change, and one that
    /// was processed a moment ago may be about to.
    pub fn settled_for(mut self, duration: Duration) -> Self {
        self.settle = duration;
        self
    }

    /// Is told the service's word for each state that is seen, for example to show it.
    pub fn on_state(mut self, tell: impl FnMut(&str) + Send + 'static) -> Self {
        self.on_state = Some(Box::new(tell));
        self
    }

    /// The states as they are seen: `Working` any number of times, then `Done` once. Stop polling the stream and the waiting stops.
    pub fn states(self) -> impl Stream<Item = Result<State<T>, WaitError>> + Send + 'static {
        stream::try_unfold(Some(Engine::new(self)), |engine| async move {
            let Some(mut engine) = engine else {
                return Ok(None);
            };
            let state = engine.next().await?;
            let rest = matches!(state, State::Working(_)).then_some(engine);
            Ok(Some((state, rest)))
        })
    }
}

impl<T: Send + 'static> IntoFuture for Wait<T> {
    type Output = Result<T, WaitError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut engine = Engine::new(self);
            loop {
                if let State::Done(value) = engine.next().await? {
                    return Ok(value);
                }
            }
        })
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("what", &self.plan.what)
            .field("deadline", &self.plan.deadline)
            .finish_non_exhaustive()
    }
}
