//! Where a client's tokens come from: the store that processes share, the identity provider, or a source of the caller's own.

use std::sync::Arc;
use std::time::Duration;

use super::credentials::{Credentials, Grant};
use super::endpoint::TokenEndpoint;
use super::flow::log_out::LoggedOut;
use super::flow::{log_out, password, refresh};
use super::known::{Came, Known, Renewed};
use super::outage::Outage;
use super::store::{Keeper, StoreLock, StoredLogin};
use super::token::TokenSet;
use crate::clock::Clock;
use crate::error::{Error, Result};

/// The pauses before tokens are tried to be kept once more: a virus scanner, say, has a file open for a moment.
const KEEP_AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(250)];

/// Credentials together with the endpoint they are used at.
pub(crate) struct Origin {
    credentials: Credentials,
    endpoint: TokenEndpoint,
    keeper: Option<Keeper>,
    clock: Arc<dyn Clock>,
}

impl Origin {
    pub(crate) fn new(credentials: Credentials, endpoint: TokenEndpoint, clock: Arc<dyn Clock>) -> Self {
        let keeper = match (&credentials.store, &credentials.client) {
            (Some(store), Some(client)) => {
                let account = match &credentials.grant {
                    Grant::Password { username, .. } => Some(username.as_str()),
                    Grant::Tokens(_) | Grant::Stored | Grant::Source(_) => None,
                };
                Some(Keeper::new(Arc::clone(store), &client.id, endpoint.url(), account))
            }
            _ => None,
        };
        Self { credentials, endpoint, keeper, clock }
    }

    /// What is known without asking anybody.
    pub(super) fn known(&self) -> Known {
        // What is kept goes before what was given.
        let given = self.given().filter(|_| self.keeper.is_none());
        Known { tokens: given.cloned().map(Arc::new), ..Known::default() }
    }

    /// What is kept, whatever its state.
    pub(super) async fn kept(&self) -> Result<Option<Arc<TokenSet>>> {
        let Some(keeper) = &self.keeper else { return Ok(None) };
        Ok(keeper.read().await?.map(|login| Arc::new(login.tokens.clone())))
    }

    /// Whether the answer may be another one the next time, although it was final: another process may log in, a vault be filled.
    pub(super) fn may_recover(&self) -> bool {
        self.has_store() || self.is_custom()
    }

    /// Returns whether other processes may bring tokens.
    pub(super) fn has_store(&self) -> bool {
        self.keeper.is_some()
    }

    pub(super) fn is_custom(&self) -> bool {
        matches!(self.credentials.grant, Grant::Source(_))
    }

    /// Gets tokens in place of those that are known. What is known by then stands in `known`, whether it succeeds or not.
    pub(super) async fn renew(&self, known: &mut Known) -> Result<Renewed> {
        match &self.keeper {
            Some(keeper) => self.renew_shared(keeper, known).await,
            None => self.ask(known).await,
        }
    }

    /// Lock, read, adopt or ask, keep.
    async fn renew_shared(&self, keeper: &Keeper, known: &mut Known) -> Result<Renewed> {
        let lock = keeper.lock().await?;
        match keeper.read_locked(&lock).await {
            Ok(kept) if kept != known.seen => {
                if let Some(tokens) = self.look(known, kept)? {
                    return Ok(Renewed::new(tokens, Came::FromStore));
                }
            }
            Ok(_) => {
                if let Some(refused) = &known.refused {
                    return Err(refused.clone());
                }
            }
            // Damaged, and put aside.
            Err(error) if error.needs_login() => {
                known.seen = None;
                if !self.can_go_on_without_store() && !known.unsaved {
                    known.refused = Some(error.clone());
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        let now = self.clock.now();
        let usable = |known: &Known| known.tokens.clone().filter(|tokens| known.are_good(tokens, now));
        if known.tokens.is_none() {
            self.take_given(known);
        }
        let renewed = match usable(known).filter(|_| known.unsaved) {
            Some(tokens) => Renewed::new(tokens, Came::Kept),
            None => match self.ask(known).await {
                // What is kept is worth nothing any more; what was given may be.
                Err(error) if error.needs_login() && self.take_given(known) => match usable(known) {
                    Some(tokens) => Renewed::new(tokens, Came::Kept),
                    None => self.ask(known).await?,
                },
                asked => asked?,
            },
        };
        self.keep(keeper, &lock, known, renewed).await
    }

    /// Puts new tokens into the store before anybody uses them.
    async fn keep(
        &self,
        keeper: &Keeper,
        lock: &StoreLock,
        known: &mut Known,
        mut renewed: Renewed,
    ) -> Result<Renewed> {
        let mut pauses = KEEP_AGAIN.iter();
        let swapped = loop {
            match (keeper.swap(known.seen.as_deref(), &renewed.tokens).await, pauses.next()) {
                (Err(_), Some(pause)) => self.clock.sleep(*pause).await,
                (swapped, _) => break swapped,
            }
        };
        match swapped {
            Ok(Some(login)) => (known.seen, known.unsaved) = (Some(login), false),
            // Somebody who does not hold the lock has been here, or it was lost: what is kept by now is what everybody uses, if it is good for
            // anything.
            Ok(None) => {
                let kept = keeper.read_locked(lock).await?;
                if let Some(tokens) = self.look(known, kept)? {
                    return Ok(Renewed::new(tokens, Came::FromStore));
                }
                known.has(Arc::clone(&renewed.tokens));
                known.unsaved = true;
            }
            Err(error) => {
                known.unsaved = true;
                renewed.store_failed = Some(error);
            }
        }
        Ok(renewed)
    }

    /// Takes over what another process has done: its tokens, if they are still good.
    fn look(&self, known: &mut Known, kept: Option<Arc<StoredLogin>>) -> Result<Option<Arc<TokenSet>>> {
        let gone = kept.is_none();
        known.tokens = kept.as_ref().map(|login| Arc::new(login.tokens.clone()));
        (known.seen, known.unsaved, known.refused) = (kept, false, None);
        if !gone {
            // Somebody got these tokens, so the provider answers.
            known.outage = None;
        }
        if gone && !self.can_log_in_again() {
            let error = needs_login("the login is gone from the token store: logged out by another process");
            known.refused = Some(error.clone());
            return Err(error);
        }
        let now = self.clock.now();
        Ok(known.tokens.clone().filter(|tokens| known.are_good(tokens, now)))
    }

    /// Takes the tokens that the caller gave, once. Whether there are any.
    fn take_given(&self, known: &mut Known) -> bool {
        let Some(given) = self.given().filter(|_| !known.given_tried) else { return false };
        known.has(Arc::new(given.clone()));
        (known.unsaved, known.given_tried) = (true, true);
        true
    }

    /// Requests tokens from the provider or the caller's source, unless the last request failed a short time ago.
    async fn ask(&self, known: &mut Known) -> Result<Renewed> {
        let clock = self.clock.as_ref();
        if let Some(error) = known.outage.as_ref().and_then(|outage| outage.error(clock)) {
            return Err(error);
        }
        match self.obtain(known.tokens.as_deref()).await {
            Ok((fresh, came)) => {
                let tokens = Arc::new(fresh);
                known.has(Arc::clone(&tokens));
                Ok(Renewed::new(tokens, came))
            }
            Err(error) => {
                if error.needs_login() && !self.is_custom() {
                    // Final: asking again could only lock the account.
                    known.refused = Some(error.clone());
                } else {
                    let now = self.clock.now();
                    let goes_on = known.tokens.as_ref().is_some_and(|tokens| known.are_good(tokens, now));
                    known.outage = if goes_on {
                        Outage::requested(&error, clock)
                    } else {
                        Some(Outage::new(&error, known.outage.as_ref(), clock))
                    };
                }
                Err(error)
            }
        }
    }

    /// Gets tokens in place of `current`: by its refresh token where there is one, else by logging in again where that needs nobody.
    async fn obtain(&self, current: Option<&TokenSet>) -> Result<(TokenSet, Came)> {
        if let Grant::Source(source) = &self.credentials.grant {
            return Ok((source.0.token(current).await?, Came::ByRefresh));
        }
        let Some(client) = &self.credentials.client else {
            return Err(needs_login("the access token was refused or has expired"));
        };
        // Whether it is over, the provider knows best: this machine's clock may be wrong. Where a password follows, asking is not worth it.
        let now = self.clock.now();
        let worth_asking = |tokens: &&TokenSet| !self.can_log_in_again() || tokens.refresh_is_alive(now);
        let current = current.filter(worth_asking);
        if let Some((current, secret)) = current.and_then(|tokens| Some((tokens, tokens.refresh.as_ref()?))) {
            match refresh::request(&self.endpoint, client, secret, &self.credentials.scopes).await {
                Ok(fresh) => return Ok((fresh.after(current), Came::ByRefresh)),
                Err(error) if error.needs_login() && self.can_log_in_again() => {}
                Err(error) => return Err(error),
            }
        }
        match &self.credentials.grant {
            Grant::Password { username, password } => {
                let scopes = &self.credentials.scopes;
                let fresh = password::request(&self.endpoint, client, username, password, scopes).await?;
                Ok((fresh, Came::ByLogin))
            }
            Grant::Stored if current.is_none() => Err(needs_login("the token store is empty: nobody has logged in")),
            Grant::Tokens(_) | Grant::Stored | Grant::Source(_) => {
                Err(needs_login("the access token has come to its end and there is no refresh token that still works"))
            }
        }
    }

    /// Forgets the login here, wherever it is kept, and at the provider.
    pub(super) async fn log_out(&self, known: &mut Known) -> Result<LoggedOut> {
        let tokens = self.forget(known).await?;
        match (&self.credentials.client, tokens) {
            (Some(client), Some(tokens)) => log_out::request(&self.endpoint, client, &tokens).await,
            _ => Ok(LoggedOut::HERE_ALONE),
        }
    }

    /// Gives the tokens that are forgotten.
    async fn forget(&self, known: &mut Known) -> Result<Option<Arc<TokenSet>>> {
        let mut tokens = known.tokens.clone();
        if let Some(keeper) = &self.keeper {
            let lock = keeper.lock().await?;
            let kept = match keeper.read_locked(&lock).await {
                Err(error) if error.needs_login() => None,
                kept => kept?,
            };
            if let Some(kept) = kept.filter(|_| !known.unsaved) {
                tokens = Some(Arc::new(kept.tokens.clone()));
            }
            keeper.clear().await?;
        }
        if tokens.is_none() && known.refused.is_none() {
            tokens = self.given().cloned().map(Arc::new);
        }
        *known =
            Known { refused: Some(needs_login("this client has logged out")), given_tried: true, ..Known::default() };
        Ok(tokens)
    }

    fn given(&self) -> Option<&TokenSet> {
        match &self.credentials.grant {
            Grant::Tokens(tokens) => Some(tokens),
            Grant::Password { .. } | Grant::Stored | Grant::Source(_) => None,
        }
    }

    fn can_log_in_again(&self) -> bool {
        matches!(self.credentials.grant, Grant::Password { .. })
    }

    fn can_go_on_without_store(&self) -> bool {
        matches!(self.credentials.grant, Grant::Password { .. } | Grant::Tokens(_))
    }
}

fn needs_login(why: &str) -> Error {
    Error::auth(format!("{why}; log in again")).login_needed()
}
