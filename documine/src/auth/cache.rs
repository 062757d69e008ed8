//! The token in use, and one refresh at a time however many calls need it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::task::AbortHandle;

use super::credentials::Origin;
use super::token::TokenSet;
use crate::clock::{BoxFuture, Clock, unit};
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
    flight: Option<(Flight, AbortHandle)>,
    /// The provider's final word: nothing but other credentials will help.
    refused: Option<Error>,
}

impl Authenticator {
    pub(crate) fn new(origin: Origin, clock: Arc<dyn Clock>) -> Self {
        let current = origin.initial().map(Arc::new);
        let renew_at = current.as_ref().and_then(|tokens| tokens.renew_at(clock.now(), unit(clock.random())));
        let state = State { current, renew_at, ..State::default() };
        Self(Arc::new(Inner { origin, clock, state: Mutex::new(state) }))
    }

    /// A token to send with a request: the one at hand, or a fresh one when that has come to its end.
    ///
    /// Near its end the token at hand is used on, and the next one is fetched beside: a slow provider holds no call up.
    pub(crate) async fn token(&self) -> Result<Arc<TokenSet>> {
        let now = self.0.clock.now();
        let flight = {
            let mut state = self.0.state();
            let due = state.renew_at.is_some_and(|at| now >= at);
            match state.current.clone() {
                Some(current) if !due => return Ok(current),
                Some(current) if current.is_alive(now) => {
                    let _ = self.flight(&mut state);
                    return Ok(current);
                }
                _ => self.flight(&mut state)?,
            }
        };
        flight.await
    }

    /// A token in place of `rejected`, which the service answered with 401. Where another call has brought a new one already, that one.
    pub(crate) async fn replace(&self, rejected: &Arc<TokenSet>) -> Result<Arc<TokenSet>> {
        let flight = {
            let mut state = self.0.state();
            match &state.current {
                Some(current) if current.access.expose() != rejected.access.expose() => {
                    return Ok(Arc::clone(current));
                }
                _ => self.flight(&mut state)?,
            }
        };
        flight.await
    }

    /// The refresh under way, or a new one. It runs in a task of its own: a caller that goes away must not take a rotated refresh
    /// token with it (the provider has already made the old one worthless).
    fn flight(&self, state: &mut MutexGuard<'_, State>) -> Result<Flight> {
        if let Some(refused) = &state.refused {
            return Err(refused.clone());
        }
        // One whose task has ended is still here only when that was cut off, by a panic or with its runtime, before it could clear up.
        if let Some((flight, _)) = state.flight.as_ref().filter(|(_, task)| !task.is_finished()) {
            return Ok(flight.clone());
        }
        let inner = Arc::clone(&self.0);
        let current = state.current.clone();
        let task = tokio::spawn(async move { inner.renew(current).await });
        let end = task.abort_handle();
        let flight: Flight = task
            .map(|joined| joined.unwrap_or_else(|_| Err(Error::auth("the refresh was cut off; call again"))))
            .boxed()
            .shared();
        state.flight = Some((flight.clone(), end));
        Ok(flight)
    }
}

impl Inner {
    async fn renew(&self, current: Option<Arc<TokenSet>>) -> Result<Arc<TokenSet>> {
        let result = self.origin.obtain(current.as_deref(), self.clock.now()).await;
        let now = self.clock.now();
        let mut state = self.state();
        state.flight = None;
        match result {
            Ok(tokens) => {
                let tokens = Arc::new(tokens);
                state.renew_at = tokens.renew_at(now, unit(self.clock.random()));
                state.current = Some(Arc::clone(&tokens));
                Ok(tokens)
            }
            Err(error) => {
                if error.needs_login() && !self.origin.is_custom() {
                    // Final: asking again could only lock the account.
                    state.refused = Some(error.clone());
                }
                // A failed early refresh is no error while the token lives.
                if let Some(end) =
                    state.current.as_ref().filter(|tokens| tokens.is_alive(now)).and_then(|tokens| tokens.expires_at)
                {
                    state.renew_at = Some((now + EARLY_RETRY).min(end));
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
