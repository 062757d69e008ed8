//! The token in use, and one refresh at a time however many calls need it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::Shared;

use super::credentials::Origin;
use super::token::TokenSet;
use crate::clock::{BoxFuture, Clock};
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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<TokenSet>>,
    renew_at: Option<SystemTime>,
    flight: Option<Flight>,
}

impl Authenticator {
    pub(crate) fn new(origin: Origin, clock: Arc<dyn Clock>) -> Self {
        let current = origin.initial().map(Arc::new);
        let renew_at = current.as_ref().and_then(|tokens| tokens.renew_at(clock.now(), clock.random()));
        let state = State { current, renew_at, flight: None };
        Self(Arc::new(Inner { origin, clock, state: Mutex::new(state) }))
    }

    /// A token to send with a request: the one at hand, or a fresh one when that has come near its end.
    pub(crate) async fn token(&self) -> Result<Arc<TokenSet>> {
        let now = self.0.clock.now();
        let (current, flight) = {
            let mut state = self.0.state();
            let due = state.renew_at.is_some_and(|at| now >= at);
            match state.current.clone() {
                Some(current) if !due => return Ok(current),
                current => (current, self.flight(&mut state)),
            }
        };
        match (flight.await, current) {
            (Ok(fresh), _) => Ok(fresh),
            // A failed early refresh is no error while the token lives.
            (Err(_), Some(current)) if current.is_alive(self.0.clock.now()) => {
                self.0.state().renew_at = Some(self.0.clock.now() + EARLY_RETRY);
                Ok(current)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// A token in place of `rejected`, which the service answered with 401. Where another call has brought a new one already, that one.
    pub(crate) async fn replace(&self, rejected: &Arc<TokenSet>) -> Result<Arc<TokenSet>> {
        let flight = {
            let mut state = self.0.state();
            match &state.current {
                Some(current) if current.access.expose() != rejected.access.expose() => {
                    return Ok(Arc::clone(current));
                }
                _ => self.flight(&mut state),
            }
        };
        flight.await
    }

    /// The refresh under way, or a new one. It runs in a task of its own: a caller that goes away must not take a rotated refresh
    /// token with it (the provider has already made the old one worthless).
    fn flight(&self, state: &mut MutexGuard<'_, State>) -> Flight {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let inner = Arc::clone(&self.0);
        let current = state.current.clone();
        let task = tokio::spawn(async move { inner.renew(current).await });
        let flight: Flight = task
            .map(|joined| joined.unwrap_or_else(|_| Err(Error::auth("the refresh was cut off; call again"))))
            .boxed()
            .shared();
        state.flight = Some(flight.clone());
        flight
    }
}

impl Inner {
    async fn renew(&self, current: Option<Arc<TokenSet>>) -> Result<Arc<TokenSet>> {
        let result = self.origin.obtain(current.as_deref(), self.clock.now()).await;
        let mut state = self.state();
        state.flight = None;
        match result {
            Ok(tokens) => {
                let tokens = Arc::new(tokens);
                state.renew_at = tokens.renew_at(self.clock.now(), self.clock.random());
                state.current = Some(Arc::clone(&tokens));
                Ok(tokens)
            }
            Err(error) => {
                // A refresh token that the provider refused for good is not offered again.
                if let Some(current) = current.filter(|_| error.needs_login()) {
                    let mut without = TokenSet::clone(&current);
                    without.refresh = None;
                    state.current = Some(Arc::new(without));
                }
                Err(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; if something did, the state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
