//! The token in use, and one refresh at a time however many calls need it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::event::{Listener, LoginEvent};
use super::flow::log_out::LoggedOut;
use super::known::{Came, Known, Renewed};
use super::origin::Origin;
use super::token::TokenSet;
use crate::clock::{BoxFuture, Clock, unit_interval};
use crate::error::{Error, Result};

/// After a failed early refresh the next one waits this long, so that a provider in trouble is left alone.
const EARLY_RETRY: Duration = Duration::from_secs(10);

type Flight = Shared<BoxFuture<'static, Result<Arc<TokenSet>>>>;

/// Keeps a token ready for the transport.
#[derive(Clone)]
pub(crate) struct Authenticator(Arc<Inner>);

struct Inner {
    origin: Origin,
    clock: Arc<dyn Clock>,
    listener: Option<Listener>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Known,
    renew_at: Option<SystemTime>,
    flight: Option<(Flight, AbortHandle)>,
}

impl State {
    /// The work under way. One whose task has ended is still here only when that was cut off, by a panic or with its runtime, before it could
    /// clear up.
    fn under_way(&self) -> Option<Flight> {
        self.flight.as_ref().filter(|(_, task)| !task.is_finished()).map(|(flight, _)| flight.clone())
    }

    /// Begins work on the tokens. It runs in a task of its own: a caller that goes away must not take a rotated refresh token with it (the
    /// provider has already made the old one worthless).
    fn begin(&mut self, work: impl Future<Output = Result<Arc<TokenSet>>> + Send + 'static) -> Flight {
        let task = tokio::spawn(work);
        let end = task.abort_handle();
        let flight: Flight = task
            .map(|joined| joined.unwrap_or_else(|_| Err(Error::auth("the refresh was cut off; call again"))))
            .boxed()
            .shared();
        self.flight = Some((flight.clone(), end));
        flight
    }
}

impl Authenticator {
    pub(crate) fn new(origin: Origin, clock: Arc<dyn Clock>, listener: Option<Listener>) -> Self {
        let known = origin.known();
        let renew_at =
            known.tokens.as_ref().and_then(|tokens| tokens.renew_at(clock.now(), unit_interval(clock.random())));
        let state = State { known, renew_at, flight: None };
        Self(Arc::new(Inner { origin, clock, listener, state: Mutex::new(state) }))
    }

    /// A token to send with a request: the one at hand, or a fresh one when that has come to its end.
    ///
    /// Near its end the token at hand is used on, and the next one is fetched beside: a slow provider holds no call up.
    pub(crate) async fn token(&self) -> Result<Arc<TokenSet>> {
        let now = self.0.clock.now();
        let flight = {
            let mut state = self.0.state();
            let due = state.renew_at.is_some_and(|at| now >= at);
            match state.known.tokens.clone() {
                Some(current) if !due => return Ok(current),
                Some(current) if current.is_alive(now) => {
                    let _ = self.flight(&mut state, None);
                    return Ok(current);
                }
                _ => self.flight(&mut state, None)?,
            }
        };
        flight.await
    }

    /// A token in place of `rejected`, which the service answered with 401. Where another call has brought a new one already, that one.
    pub(crate) async fn replace(&self, rejected: &Arc<TokenSet>) -> Result<Arc<TokenSet>> {
        let mut brought = None;
        for _ in 0..2 {
            let flight = {
                let mut state = self.0.state();
                match &state.known.tokens {
                    Some(current) if !current.same_access(rejected) => return Ok(Arc::clone(current)),
                    _ => self.flight(&mut state, Some(rejected))?,
                }
            };
            let tokens = flight.await?;
            // A flight that was under way before does not know of the refusal.
            if !tokens.same_access(rejected) {
                return Ok(tokens);
            }
            brought = Some(tokens);
        }
        Ok(brought.unwrap_or_else(|| Arc::clone(rejected)))
    }

    /// The tokens at hand or in the store, whatever their state; where there are none yet, new ones.
    pub(crate) async fn at_hand(&self) -> Result<Arc<TokenSet>> {
        let (known, refused) = {
            let state = self.0.state();
            (state.known.tokens.clone(), state.known.refused.is_some())
        };
        match known {
            Some(tokens) => Ok(tokens),
            None if refused => self.token().await,
            None => match self.0.origin.kept().await? {
                Some(tokens) => Ok(tokens),
                None => self.token().await,
            },
        }
    }

    /// Comes back when no refresh is under way.
    pub(crate) async fn settle(&self) {
        let under_way = self.0.state().under_way();
        if let Some(flight) = under_way {
            let _ = flight.await;
        }
    }

    /// Ends the login: in the store, at the provider, and here. Calls that wait for a token in the meantime are told.
    pub(crate) async fn log_out(&self) -> Result<LoggedOut> {
        if self.0.origin.is_custom() {
            return Err(Error::input("the tokens come from a source of your own; log out where it has them from"));
        }
        let reported = loop {
            let before = {
                let mut state = self.0.state();
                match state.under_way() {
                    Some(flight) => flight,
                    None => break self.log_out_now(&mut state),
                }
            };
            // Whatever it brings is what is to be logged out of.
            let _ = before.await;
        };
        reported.await.unwrap_or_else(|_| Err(Error::auth("the logout was cut off; call again")))
    }

    fn log_out_now(&self, state: &mut State) -> oneshot::Receiver<Result<LoggedOut>> {
        let (report, reported) = oneshot::channel();
        let inner = Arc::clone(&self.0);
        let mut known = state.known.clone();
        drop(state.begin(async move {
            let outcome = inner.origin.log_out(&mut known).await;
            let refused = known.refused.clone();
            let mut state = inner.state();
            (state.flight, state.known) = (None, known);
            drop(state);
            // Whoever asked may have gone away.
            let _ = report.send(outcome);
            Err(refused.unwrap_or_else(|| Error::auth("the logout was not carried out; call again")))
        }));
        reported
    }

    /// The refresh under way, or a new one.
    fn flight(&self, state: &mut State, rejected: Option<&Arc<TokenSet>>) -> Result<Flight> {
        if let Some(refused) = state.known.refused.as_ref().filter(|_| !self.0.origin.may_recover()) {
            return Err(refused.clone());
        }
        if let Some(flight) = state.under_way() {
            return Ok(flight);
        }
        // With a store, another process may have brought new tokens: only the origin can tell.
        let outage = state.known.outage.as_ref().filter(|_| !self.0.origin.has_store());
        if let Some(error) = outage.and_then(|outage| outage.error(self.0.clock.as_ref())) {
            return Err(error);
        }
        let inner = Arc::clone(&self.0);
        let mut known = state.known.clone();
        known.rejected = rejected.cloned();
        Ok(state.begin(async move { inner.renew(known).await }))
    }
}

impl Inner {
    async fn renew(&self, mut known: Known) -> Result<Arc<TokenSet>> {
        let was_refused = known.refused.is_some();
        let was_paused = known.outage.as_ref().is_some_and(|outage| outage.error(self.clock.as_ref()).is_some());
        let outcome = self.origin.renew(&mut known).await;
        let is_refused = known.refused.is_some();
        let is_remembered = was_paused && known.outage.is_some();
        self.take_over(known, outcome.is_err());
        match outcome {
            Ok(Renewed { tokens, came, store_failed }) => {
                match came {
                    Came::ByLogin => self.tell(&LoginEvent::LoggedIn),
                    Came::ByRefresh => self.tell(&LoginEvent::Refreshed),
                    Came::FromStore => self.tell(&LoginEvent::Adopted),
                    Came::Kept => {}
                }
                if let Some(error) = store_failed {
                    self.tell(&LoginEvent::StoreFailed(&error));
                }
                Ok(tokens)
            }
            Err(error) => {
                if !is_refused {
                    if !is_remembered {
                        self.tell(&LoginEvent::RefreshFailed(&error));
                    }
                } else if !was_refused {
                    self.tell(&LoginEvent::LoginNeeded(&error));
                }
                Err(error)
            }
        }
    }

    /// What is known from now on, and when to look for something new.
    fn take_over(&self, known: Known, failed: bool) {
        let now = self.clock.now();
        let mut state = self.state();
        state.flight = None;
        let soon = now + EARLY_RETRY;
        let alive = known.tokens.as_ref().filter(|tokens| tokens.is_alive(now));
        if failed {
            // A failed early refresh is no error while the token lives.
            if let Some(tokens) = alive.filter(|_| state.renew_at.is_some()) {
                state.renew_at = Some(tokens.expires_at.map_or(soon, |end| soon.min(end)));
            }
        } else {
            let due = known.tokens.as_ref().and_then(|tokens| tokens.renew_at(now, unit_interval(self.clock.random())));
            // What could not be kept is tried again.
            state.renew_at = if known.unsaved { Some(due.map_or(soon, |due| due.min(soon))) } else { due };
        }
        state.known = known;
    }

    fn tell(&self, event: &LoginEvent<'_>) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; if something did, the state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
