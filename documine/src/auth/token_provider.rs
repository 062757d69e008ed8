//! The source of a client's tokens: the store that processes share, the identity provider, or the caller's token source.

use std::sync::Arc;
use std::time::Duration;

use super::credentials::{Credentials, Grant};
use super::flow::log_out::{self, LoggedOut};
use super::oauth_request::OauthRequest;
use super::refresh_failure::RefreshFailure;
use super::store::{LoginStore, StoreLock, StoredLogin};
use super::token::TokenSet;
use super::token_endpoint::TokenEndpoint;
use super::token_state::{RefreshOutcome, RefreshSource, TokenState};
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::error::{Error, Result};

/// The number of times that a failed save is retried: a virus scanner, for example, holds a file open for a moment.
const SAVE_RETRIES: u32 = 2;
/// The delay before the first retry of a save.
const FIRST_SAVE_DELAY: Duration = Duration::from_millis(100);
/// The largest delay between two retries of a save.
const MAX_SAVE_DELAY: Duration = Duration::from_millis(200);

/// Credentials together with the endpoint and the store that they are used with.
pub(crate) struct TokenProvider {
    credentials: Credentials,
    endpoint: Arc<TokenEndpoint>,
    store: Option<LoginStore>,
    clock: Arc<dyn Clock>,
}

impl TokenProvider {
    pub(crate) fn new(credentials: Credentials, endpoint: Arc<TokenEndpoint>, clock: Arc<dyn Clock>) -> Self {
        let store = match (&credentials.store, &credentials.client) {
            (Some(store), Some(client)) => {
                let account = match &credentials.grant {
                    Grant::Password { username, .. } => Some(username.as_str()),
                    Grant::None | Grant::Tokens(_) | Grant::Stored | Grant::Source(_) => None,
                };
                Some(LoginStore::new(Arc::clone(store), &client.id, endpoint.url(), account))
            }
            _ => None,
        };
        Self { credentials, endpoint, store, clock }
    }

    /// Returns the state before any I/O.
    pub(super) fn initial_state(&self) -> TokenState {
        // Stored tokens take precedence over configured ones.
        let configured = self.configured_tokens().filter(|_| self.store.is_none());
        TokenState { tokens: configured.cloned().map(Arc::new), ..TokenState::default() }
    }

    /// Returns the stored tokens, expired or not.
    pub(super) async fn stored_tokens(&self) -> Result<Option<Arc<TokenSet>>> {
        let Some(store) = &self.store else { return Ok(None) };
        Ok(store.load().await?.map(|login| Arc::new(login.tokens.clone())))
    }

    /// Returns true if a later refresh may succeed after a permanent refusal: another process may log in, a vault may be filled.
    pub(super) fn can_recover(&self) -> bool {
        self.has_store() || self.is_token_source()
    }

    /// Returns true if other processes may provide tokens.
    pub(super) fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// Returns true if the tokens come from the caller's own [`TokenSource`](super::TokenSource).
    pub(super) fn is_token_source(&self) -> bool {
        matches!(self.credentials.grant, Grant::Source(_))
    }

    /// Replaces the current tokens. `state` is updated on success and on failure.
    pub(super) async fn refresh(&self, state: &mut TokenState) -> Result<RefreshOutcome> {
        match &self.store {
            Some(store) => self.refresh_shared(store, state).await,
            None => self.request_tokens(state).await,
        }
    }

    /// Locks the store and reloads it, adopts the tokens of another process, or requests new ones and saves them.
    async fn refresh_shared(&self, store: &LoginStore, state: &mut TokenState) -> Result<RefreshOutcome> {
        let lock = store.lock().await?;
        match store.load_locked(&lock).await {
            Ok(stored) if stored != state.last_stored => {
                if let Some(tokens) = self.adopt_stored(state, stored)? {
                    return Ok(RefreshOutcome::new(tokens, RefreshSource::Store));
                }
            }
            Ok(_) => {
                if let Some(refused) = &state.refused {
                    return Err(refused.clone());
                }
            }
            // The stored login was damaged and has been quarantined.
            Err(error) if error.needs_login() => {
                state.last_stored = None;
                if !self.works_without_store() && !state.unsaved {
                    state.refused = Some(error.clone());
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        let now = self.clock.now();
        let usable = |state: &TokenState| state.tokens.clone().filter(|tokens| state.is_usable(tokens, now));
        if state.tokens.is_none() {
            self.use_configured_tokens(state);
        }
        let outcome = match usable(state).filter(|_| state.unsaved) {
            Some(tokens) => RefreshOutcome::new(tokens, RefreshSource::Memory),
            None => match self.request_tokens(state).await {
                // The stored tokens are invalid, but the configured ones may be valid.
                Err(error) if error.needs_login() && self.use_configured_tokens(state) => match usable(state) {
                    Some(tokens) => RefreshOutcome::new(tokens, RefreshSource::Memory),
                    None => self.request_tokens(state).await?,
                },
                requested => requested?,
            },
        };
        self.save(store, &lock, state, outcome).await
    }

    /// Saves new tokens in the store, with two retries. Tokens that cannot be saved are used all the same and marked as unsaved.
    async fn save(
        &self,
        store: &LoginStore,
        lock: &StoreLock,
        state: &mut TokenState,
        mut outcome: RefreshOutcome,
    ) -> Result<RefreshOutcome> {
        let mut backoff = Backoff::new(FIRST_SAVE_DELAY, MAX_SAVE_DELAY);
        let mut saved = store.compare_and_swap(state.last_stored.as_deref(), &outcome.tokens).await;
        for _ in 0..SAVE_RETRIES {
            if saved.is_ok() {
                break;
            }
            self.clock.sleep(backoff.next_delay()).await;
            saved = store.compare_and_swap(state.last_stored.as_deref(), &outcome.tokens).await;
        }
        match saved {
            Ok(Some(login)) => (state.last_stored, state.unsaved) = (Some(login), false),
            // The store was changed without the lock, or the lock was lost. All processes use the stored tokens, so this one does too, if they
            // are usable.
            Ok(None) => {
                let stored = store.load_locked(lock).await?;
                if let Some(tokens) = self.adopt_stored(state, stored)? {
                    return Ok(RefreshOutcome::new(tokens, RefreshSource::Store));
                }
                state.set_tokens(Arc::clone(&outcome.tokens));
                state.unsaved = true;
            }
            Err(error) => {
                state.unsaved = true;
                outcome.store_error = Some(error);
            }
        }
        Ok(outcome)
    }

    /// Adopts the login that another process has saved or cleared. Returns its tokens if they are usable.
    fn adopt_stored(&self, state: &mut TokenState, stored: Option<Arc<StoredLogin>>) -> Result<Option<Arc<TokenSet>>> {
        let is_cleared = stored.is_none();
        state.tokens = stored.as_ref().map(|login| Arc::new(login.tokens.clone()));
        (state.last_stored, state.unsaved, state.refused) = (stored, false, None);
        if !is_cleared {
            // Another process received these tokens, so the provider is reachable.
            state.last_failure = None;
        }
        if is_cleared && !self.has_password() {
            let error = login_needed("the login was removed from the token store: another process logged out");
            state.refused = Some(error.clone());
            return Err(error);
        }
        let now = self.clock.now();
        Ok(state.tokens.clone().filter(|tokens| state.is_usable(tokens, now)))
    }

    /// Switches to the tokens of the credentials, once. Returns false if there are none or they were used before.
    fn use_configured_tokens(&self, state: &mut TokenState) -> bool {
        let Some(configured) = self.configured_tokens().filter(|_| !state.configured_used) else { return false };
        state.set_tokens(Arc::new(configured.clone()));
        (state.unsaved, state.configured_used) = (true, true);
        true
    }

    /// Requests tokens from the provider or the caller's source, unless the delay after the last failure is not over.
    async fn request_tokens(&self, state: &mut TokenState) -> Result<RefreshOutcome> {
        let clock = self.clock.as_ref();
        if let Some(error) = state.last_failure.as_ref().and_then(|failure| failure.current_error(clock)) {
            return Err(error);
        }
        match self.fetch_tokens(state.tokens.as_deref()).await {
            Ok((tokens, source)) => {
                let tokens = Arc::new(tokens);
                state.set_tokens(Arc::clone(&tokens));
                Ok(RefreshOutcome::new(tokens, source))
            }
            Err(error) => {
                if error.needs_login() && !self.is_token_source() {
                    // A repeated request could only lock the account.
                    state.refused = Some(error.clone());
                } else {
                    let now = self.clock.now();
                    let has_token = state.tokens.as_ref().is_some_and(|tokens| state.is_usable(tokens, now));
                    state.last_failure = if has_token {
                        RefreshFailure::with_requested_delay(&error, clock)
                    } else {
                        Some(RefreshFailure::new(&error, state.last_failure.as_ref(), clock))
                    };
                }
                Err(error)
            }
        }
    }

    /// Fetches tokens in place of `current`: with its refresh token if it has one, otherwise with the password.
    async fn fetch_tokens(&self, current: Option<&TokenSet>) -> Result<(TokenSet, RefreshSource)> {
        if let Grant::Source(source) = &self.credentials.grant {
            return Ok((source.0.token(current).await?, RefreshSource::Refresh));
        }
        let Some(client) = &self.credentials.client else {
            return Err(match self.credentials.grant {
                Grant::None => {
                    Error::auth("the client has no credentials; use `Client::with_credentials`").login_needed()
                }
                _ => login_needed("the access token was refused or has expired"),
            });
        };
        // An expired refresh token is tried all the same, because this machine's clock may be wrong, unless a password is the cheaper way.
        let now = self.clock.now();
        let current = current.filter(|tokens| !self.has_password() || tokens.refresh_is_alive(now));
        let scopes = &self.credentials.scopes;
        if let Some((current, refresh_token)) = current.and_then(|tokens| Some((tokens, tokens.refresh.as_ref()?))) {
            match self.endpoint.grant(client, &OauthRequest::Refresh { refresh_token, scopes }).await {
                Ok(tokens) => return Ok((tokens.after(current), RefreshSource::Refresh)),
                Err(error) if error.needs_login() && self.has_password() => {}
                Err(error) => return Err(error.with_operation("refresh of the access token")),
            }
        }
        match &self.credentials.grant {
            Grant::Password { username, password } => {
                let tokens = self.endpoint.grant(client, &OauthRequest::Password { username, password, scopes }).await;
                Ok((tokens.map_err(|error| error.with_operation("login with a password"))?, RefreshSource::Login))
            }
            Grant::Stored if current.is_none() => {
                Err(login_needed("the token store is empty: no login has been saved"))
            }
            Grant::None | Grant::Tokens(_) | Grant::Stored | Grant::Source(_) => {
                Err(login_needed("the access token has expired and no valid refresh token is left"))
            }
        }
    }

    /// Deletes the login here and in the store, and revokes it at the provider.
    pub(super) async fn log_out(&self, state: &mut TokenState) -> Result<LoggedOut> {
        let tokens = self.clear(state).await?;
        match (&self.credentials.client, tokens) {
            (Some(client), Some(tokens)) => log_out::revoke_login(&self.endpoint, client, &tokens).await,
            _ => Ok(LoggedOut::LOCAL_ONLY),
        }
    }

    /// Deletes the login here and in the store, and returns its tokens.
    async fn clear(&self, state: &mut TokenState) -> Result<Option<Arc<TokenSet>>> {
        let mut tokens = state.tokens.clone();
        if let Some(store) = &self.store {
            let lock = store.lock().await?;
            let stored = match store.load_locked(&lock).await {
                Err(error) if error.needs_login() => None,
                stored => stored?,
            };
            if let Some(stored) = stored.filter(|_| !state.unsaved) {
                tokens = Some(Arc::new(stored.tokens.clone()));
            }
            store.clear().await?;
        }
        if tokens.is_none() && state.refused.is_none() {
            tokens = self.configured_tokens().cloned().map(Arc::new);
        }
        let refused = Some(login_needed("this client has logged out"));
        *state = TokenState { refused, configured_used: true, ..TokenState::default() };
        Ok(tokens)
    }

    fn configured_tokens(&self) -> Option<&TokenSet> {
        match &self.credentials.grant {
            Grant::Tokens(tokens) => Some(tokens),
            Grant::None | Grant::Password { .. } | Grant::Stored | Grant::Source(_) => None,
        }
    }

    fn has_password(&self) -> bool {
        matches!(self.credentials.grant, Grant::Password { .. })
    }

    fn works_without_store(&self) -> bool {
        matches!(self.credentials.grant, Grant::Password { .. } | Grant::Tokens(_))
    }
}

fn login_needed(reason: &str) -> Error {
    Error::auth(format!("{reason}; log in again")).login_needed()
}
