//! Where a client's tokens come from: the store that processes share, the identity provider, or a source of the caller's own.

use std::sync::Arc;
use std::time::SystemTime;

use super::credentials::{Credentials, Grant};
use super::endpoint::TokenEndpoint;
use super::flow::log_out::LoggedOut;
use super::flow::{log_out, password, refresh};
use super::store::{Keeper, StoredLogin};
use super::token::TokenSet;
use crate::error::{Error, Result};

/// Credentials together with the endpoint they are used at.
pub(crate) struct Origin {
    credentials: Credentials,
    endpoint: TokenEndpoint,
    keeper: Option<Keeper>,
}

/// What a client knows of its login.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) tokens: Option<Arc<TokenSet>>,
    /// What the store held when it was last read or written.
    seen: Option<Arc<StoredLogin>>,
    /// The tokens are newer than the store: keeping them failed.
    unsaved: bool,
    /// The final word: nothing but another login will help.
    pub(super) refused: Option<Error>,
}

impl Known {
    /// Whether the tokens still have to be kept.
    pub(super) fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// The service does not take the tokens any more: keeping them would be of no use.
    pub(super) fn tokens_are_rejected(&mut self) {
        self.unsaved = false;
    }
}

/// How new tokens came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    ByLogin,
    ByRefresh,
    FromStore,
    /// They had been there; now they are kept.
    Kept,
}

/// New tokens, and what went wrong on the side.
pub(super) struct Renewed {
    pub(super) tokens: Arc<TokenSet>,
    pub(super) came: Came,
    pub(super) store_failed: Option<Error>,
}

impl Origin {
    pub(crate) fn new(credentials: Credentials, endpoint: TokenEndpoint) -> Self {
        let keeper = match (&credentials.store, &credentials.client) {
            (Some(store), Some(client)) => Some(Keeper::new(Arc::clone(store), &client.id, endpoint.url())),
            _ => None,
        };
        Self { credentials, endpoint, keeper }
    }

    /// What is known without asking anybody.
    pub(super) fn known(&self) -> Known {
        // What is kept goes before what was given.
        let given = self.given().filter(|_| self.keeper.is_none());
        Known { tokens: given.cloned().map(Arc::new), ..Known::default() }
    }

    /// Whether the answer may be another one the next time, although it was final: another process may log in, a vault be filled.
    pub(super) fn may_recover(&self) -> bool {
        self.keeper.is_some() || matches!(self.credentials.grant, Grant::Source(_))
    }

    /// Gets tokens in place of those that are known. What is known by then stands in `known`, whether it succeeds or not.
    pub(super) async fn renew(&self, known: &mut Known, now: SystemTime) -> Result<Renewed> {
        match &self.keeper {
            Some(keeper) => self.renew_shared(keeper, known, now).await,
            None => self.ask(known, now).await,
        }
    }

    /// Lock, read, adopt or ask, keep.
    async fn renew_shared(&self, keeper: &Keeper, known: &mut Known, now: SystemTime) -> Result<Renewed> {
        let _lock = keeper.lock().await?;
        let kept = keeper.read().await?;
        if kept != known.seen {
            if let Some(tokens) = self.look(known, kept, now)? {
                return Ok(Renewed { tokens, came: Came::FromStore, store_failed: None });
            }
        } else if let Some(refused) = &known.refused {
            return Err(refused.clone());
        }
        if known.tokens.is_none() {
            known.tokens = self.given().cloned().map(Arc::new);
            known.unsaved = known.tokens.is_some();
        }
        let mut renewed = match &known.tokens {
            Some(tokens) if known.unsaved && tokens.is_alive(now) => {
                Renewed { tokens: Arc::clone(tokens), came: Came::Kept, store_failed: None }
            }
            _ => self.ask(known, now).await?,
        };
        match keeper.swap(known.seen.as_deref(), &renewed.tokens).await {
            Ok(Some(login)) => (known.seen, known.unsaved) = (Some(login), false),
            // Somebody who does not hold the lock has been here, or it was lost: what is kept by now is what everybody uses.
            Ok(None) => {
                let kept = keeper.read().await?;
                if let Some(tokens) = self.look(known, kept, now)? {
                    return Ok(Renewed { tokens, came: Came::FromStore, store_failed: None });
                }
            }
            Err(error) => {
                known.unsaved = true;
                renewed.store_failed = Some(error);
            }
        }
        Ok(renewed)
    }

    /// Takes over what another process has done: its tokens, if they still live.
    fn look(
        &self,
        known: &mut Known,
        kept: Option<Arc<StoredLogin>>,
        now: SystemTime,
    ) -> Result<Option<Arc<TokenSet>>> {
        let gone = kept.is_none();
        known.tokens = kept.as_ref().map(|login| Arc::new(login.tokens.clone()));
        (known.seen, known.unsaved, known.refused) = (kept, false, None);
        if gone && !self.can_log_in_again() {
            let error = needs_login("the login is gone from the token store: logged out by another process");
            known.refused = Some(error.clone());
            return Err(error);
        }
        Ok(known.tokens.clone().filter(|tokens| tokens.is_alive(now)))
    }

    /// Asks the provider, or whoever stands in its place.
    async fn ask(&self, known: &mut Known, now: SystemTime) -> Result<Renewed> {
        match self.obtain(known.tokens.as_deref(), now).await {
            Ok((fresh, came)) => {
                let tokens = Arc::new(fresh);
                (known.tokens, known.refused) = (Some(Arc::clone(&tokens)), None);
                Ok(Renewed { tokens, came, store_failed: None })
            }
            Err(error) => {
                if error.needs_login() && !matches!(self.credentials.grant, Grant::Source(_)) {
                    // Final: asking again could only lock the account.
                    known.refused = Some(error.clone());
                }
                Err(error)
            }
        }
    }

    /// Gets tokens in place of `current`: by its refresh token where there is one, else by logging in again where that needs nobody.
    async fn obtain(&self, current: Option<&TokenSet>, now: SystemTime) -> Result<(TokenSet, Came)> {
        if let Grant::Source(source) = &self.credentials.grant {
            return Ok((source.0.token(current).await?, Came::ByRefresh));
        }
        let Some(client) = &self.credentials.client else {
            return Err(needs_login("the access token was refused or has expired"));
        };
        if let Some((current, secret)) = current.and_then(|tokens| Some((tokens, tokens.usable_refresh(now)?))) {
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
        if matches!(self.credentials.grant, Grant::Source(_)) {
            return Err(Error::input("the tokens come from a source of your own; log out where it has them from"));
        }
        let _lock = match &self.keeper {
            Some(keeper) => Some(keeper.lock().await?),
            None => None,
        };
        let mut tokens = known.tokens.clone();
        if let Some(keeper) = &self.keeper {
            if let Some(kept) = keeper.read().await?.filter(|_| !known.unsaved) {
                tokens = Some(Arc::new(kept.tokens.clone()));
            }
            keeper.clear().await?;
        }
        *known = Known { refused: Some(needs_login("this client has logged out")), ..Known::default() };
        match (&self.credentials.client, tokens) {
            (Some(client), Some(tokens)) => log_out::request(&self.endpoint, client, &tokens).await,
            _ => Ok(LoggedOut::HERE_ALONE),
        }
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
}

fn needs_login(why: &str) -> Error {
    Error::auth(format!("{why}; log in again")).login_needed()
}
