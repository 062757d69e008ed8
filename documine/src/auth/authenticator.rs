//! The token in use, and one refresh at a time however many calls need it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::event::{LoginEvent, LoginListener};
use super::flow::log_out::LoggedOut;
use super::token::TokenSet;
use super::token_provider::TokenProvider;
use super::token_state::{RefreshOutcome, RefreshSource, TokenState};
use crate::clock::{BoxFuture, Clock, unit_interval};
use crate::error::{Error, Result};

/// The delay after a failed early refresh, so that an overloaded provider recovers.
const EARLY_RETRY: Duration = Duration::from_secs(10);

/// A refresh or logout in progress, shared by all calls that wait for it.
type SharedRefresh = Shared<BoxFuture<'static, Result<Arc<TokenSet>>>>;

/// Provides the transport with a valid token.
#[derive(Clone)]
pub(crate) struct Authenticator(Arc<AuthenticatorState>);

struct AuthenticatorState {
    provider: TokenProvider,
    clock: Arc<dyn Clock>,
    listener: Option<LoginListener>,
    cache: Mutex<TokenCache>,
}

#[derive(Default)]
struct TokenCache {
    state: TokenState,
    refresh_at: Option<SystemTime>,
    running: Option<(SharedRefresh, AbortHandle)>,
}

impl TokenCache {
    /// Returns the refresh in progress.
    ///
    /// A finished task is still present only if a panic or the end of its runtime aborted it before it could clear the field.
    fn running(&self) -> Option<SharedRefresh> {
        self.running.as_ref().filter(|(_, task)| !task.is_finished()).map(|(refresh, _)| refresh.clone())
    }

    /// Starts a refresh or logout in its own task: a caller that is dropped must not take a rotated refresh token with it, because the provider
    /// has already invalidated the old one.
    fn spawn(&mut self, work: impl Future<Output = Result<Arc<TokenSet>>> + Send + 'static) -> SharedRefresh {
        let task = tokio::spawn(work);
        let handle = task.abort_handle();
        let refresh: SharedRefresh = task
            .map(|joined| joined.unwrap_or_else(|_| Err(Error::auth("the token refresh was aborted; call again"))))
            .boxed()
            .shared();
        self.running = Some((refresh.clone(), handle));
        refresh
    }
}

impl Authenticator {
    pub(crate) fn new(provider: TokenProvider, clock: Arc<dyn Clock>, listener: Option<LoginListener>) -> Self {
        let state = provider.initial_state();
        let refresh_at =
            state.tokens.as_ref().and_then(|tokens| tokens.refresh_at(clock.now(), unit_interval(clock.random())));
        let cache = TokenCache { state, refresh_at, running: None };
        Self(Arc::new(AuthenticatorState { provider, clock, listener, cache: Mutex::new(cache) }))
    }

    /// Returns a token for a request: the current one, or a new one if the current one has expired.
    ///
    /// Shortly before expiry the current token is returned while the refresh runs in the background, so that a slow provider delays no call.
    pub(crate) async fn token(&self) -> Result<Arc<TokenSet>> {
        let now = self.0.clock.now();
        let refresh = {
            let mut cache = self.0.cache();
            let due = cache.refresh_at.is_some_and(|at| now >= at);
            match cache.state.tokens.clone() {
                Some(current) if !due => return Ok(current),
                Some(current) if current.is_alive(now) => {
                    let _ = self.refresh(&mut cache, None);
                    return Ok(current);
                }
                _ => self.refresh(&mut cache, None)?,
            }
        };
        refresh.await
    }

    /// Returns a token in place of `rejected`, which the service answered with 401. A token that another call has already obtained is reused.
    pub(crate) async fn replace(&self, rejected: &Arc<TokenSet>) -> Result<Arc<TokenSet>> {
        let mut last = None;
        for _ in 0..2 {
            let refresh = {
                let mut cache = self.0.cache();
                match &cache.state.tokens {
                    Some(current) if !current.same_access(rejected) => return Ok(Arc::clone(current)),
                    _ => self.refresh(&mut cache, Some(rejected))?,
                }
            };
            let tokens = refresh.await?;
            // A refresh that started before the 401 does not know about the rejection and may return the same token.
            if !tokens.same_access(rejected) {
                return Ok(tokens);
            }
            last = Some(tokens);
        }
        Ok(last.unwrap_or_else(|| Arc::clone(rejected)))
    }

    /// Returns the cached or stored tokens, expired or not. Requests tokens only if there are none.
    pub(crate) async fn cached_or_stored(&self) -> Result<Arc<TokenSet>> {
        let (cached, is_refused) = {
            let cache = self.0.cache();
            (cache.state.tokens.clone(), cache.state.refused.is_some())
        };
        match cached {
            Some(tokens) => Ok(tokens),
            None if is_refused => self.token().await,
            None => match self.0.provider.stored_tokens().await? {
                Some(tokens) => Ok(tokens),
                None => self.token().await,
            },
        }
    }

    /// Waits for the refresh in progress, if any.
    pub(crate) async fn wait_for_refresh(&self) {
        let running = self.0.cache().running();
        if let Some(refresh) = running {
            let _ = refresh.await;
        }
    }

    /// Ends the login: in the store, at the provider, and here. Calls that wait for a token meanwhile fail.
    pub(crate) async fn log_out(&self) -> Result<LoggedOut> {
        if self.0.provider.is_token_source() {
            return Err(Error::input("the tokens come from a custom token source; log out at that source"));
        }
        let report = loop {
            let running = {
                let mut cache = self.0.cache();
                match cache.running() {
                    Some(refresh) => refresh,
                    None => break self.start_log_out(&mut cache),
                }
            };
            // The tokens of that refresh are the ones to revoke.
            let _ = running.await;
        };
        report.await.unwrap_or_else(|_| Err(Error::auth("the logout was aborted; call again")))
    }

    fn start_log_out(&self, cache: &mut TokenCache) -> oneshot::Receiver<Result<LoggedOut>> {
        let (sender, receiver) = oneshot::channel();
        let inner = Arc::clone(&self.0);
        let mut state = cache.state.clone();
        drop(cache.spawn(async move {
            let outcome = inner.provider.log_out(&mut state).await;
            let refused = state.refused.clone();
            let mut cache = inner.cache();
            (cache.running, cache.state) = (None, state);
            drop(cache);
            // The caller may have been dropped.
            let _ = sender.send(outcome);
            Err(refused.unwrap_or_else(|| Error::auth("the logout did not finish; call again")))
        }));
        receiver
    }

    /// Returns the refresh in progress, or starts one.
    fn refresh(&self, cache: &mut TokenCache, rejected: Option<&Arc<TokenSet>>) -> Result<SharedRefresh> {
        if let Some(refused) = cache.state.refused.as_ref().filter(|_| !self.0.provider.can_recover()) {
            return Err(refused.clone());
        }
        if let Some(refresh) = cache.running() {
            return Ok(refresh);
        }
        // With a store, another process may have saved new tokens: the provider has to load them first.
        let failure = cache.state.last_failure.as_ref().filter(|_| !self.0.provider.has_store());
        if let Some(error) = failure.and_then(|failure| failure.current_error(self.0.clock.as_ref())) {
            return Err(error);
        }
        let inner = Arc::clone(&self.0);
        let mut state = cache.state.clone();
        state.rejected = rejected.cloned();
        Ok(cache.spawn(async move { inner.refresh(state).await }))
    }
}

impl AuthenticatorState {
    async fn refresh(&self, mut state: TokenState) -> Result<Arc<TokenSet>> {
        let was_refused = state.refused.is_some();
        let was_delayed =
            state.last_failure.as_ref().is_some_and(|failure| failure.current_error(self.clock.as_ref()).is_some());
        let outcome = self.provider.refresh(&mut state).await;
        let is_refused = state.refused.is_some();
        let is_repeated = was_delayed && state.last_failure.is_some();
        self.update_cache(state, outcome.is_err());
        match outcome {
            Ok(RefreshOutcome { tokens, source, store_error }) => {
                match source {
                    RefreshSource::Login => self.notify(&LoginEvent::LoggedIn),
                    RefreshSource::Refresh => self.notify(&LoginEvent::Refreshed),
                    RefreshSource::Store => self.notify(&LoginEvent::Adopted),
                    RefreshSource::Memory => {}
                }
                if let Some(error) = store_error {
                    self.notify(&LoginEvent::StoreFailed(&error));
                }
                Ok(tokens)
            }
            Err(error) => {
                if !is_refused {
                    if !is_repeated {
                        self.notify(&LoginEvent::RefreshFailed(&error));
                    }
                } else if !was_refused {
                    self.notify(&LoginEvent::LoginNeeded(&error));
                }
                Err(error)
            }
        }
    }

    /// Stores the new state and schedules the next refresh.
    fn update_cache(&self, state: TokenState, failed: bool) {
        let now = self.clock.now();
        let mut cache = self.cache();
        cache.running = None;
        let soon = now + EARLY_RETRY;
        let alive = state.tokens.as_ref().filter(|tokens| tokens.is_alive(now));
        if failed {
            // A failed early refresh is not an error while the token is valid.
            if let Some(tokens) = alive.filter(|_| cache.refresh_at.is_some()) {
                cache.refresh_at = Some(tokens.expires_at.map_or(soon, |end| soon.min(end)));
            }
        } else {
            let due =
                state.tokens.as_ref().and_then(|tokens| tokens.refresh_at(now, unit_interval(self.clock.random())));
            // Unsaved tokens are saved by the next refresh.
            cache.refresh_at = if state.unsaved { Some(due.map_or(soon, |due| due.min(soon))) } else { due };
        }
        cache.state = state;
    }

    fn notify(&self, event: &LoginEvent<'_>) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }

    fn cache(&self) -> MutexGuard<'_, TokenCache> {
        // No code that holds the lock can panic with the cache in an inconsistent state.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
