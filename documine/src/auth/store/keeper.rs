//! One login of one client in a store.

use std::sync::Arc;

use url::Url;

use super::{StoreLock, StoredLogin, TokenStore};
use crate::auth::token::TokenSet;
use crate::error::{Error, Result};

/// A store, and whose login belongs into it.
#[derive(Clone)]
pub(crate) struct Keeper {
    store: Arc<dyn TokenStore>,
    client_id: String,
    token_endpoint: Url,
    /// Where a password logs in: whose.
    account: Option<String>,
}

impl Keeper {
    pub(crate) fn new(
        store: Arc<dyn TokenStore>,
        client_id: &str,
        token_endpoint: &Url,
        account: Option<&str>,
    ) -> Self {
        let (client_id, account) = (client_id.to_owned(), account.map(str::to_owned));
        Self { store, client_id, token_endpoint: token_endpoint.clone(), account }
    }

    pub(crate) async fn lock(&self) -> Result<StoreLock> {
        self.store.lock().await
    }

    /// Returns what is kept, without the lock: what can't be read is left where it is.
    pub(crate) async fn read(&self) -> Result<Option<Arc<StoredLogin>>> {
        self.own(self.store.load().await?)
    }

    /// Returns what is kept; what can't be read is moved aside, for which the lock has to be held.
    pub(crate) async fn read_locked(&self, _held: &StoreLock) -> Result<Option<Arc<StoredLogin>>> {
        self.own(self.store.load_or_quarantine().await?)
    }

    /// Returns the stored login unless it belongs to another client, provider or account.
    /// A token is sent only to the provider that issued it, and used only in the name of its owner.
    fn own(&self, login: Option<StoredLogin>) -> Result<Option<Arc<StoredLogin>>> {
        let Some(login) = login else { return Ok(None) };
        if login.client_id != self.client_id || login.token_endpoint != self.token_endpoint {
            return Err(Error::config(format!(
                "the token store holds a login of the client {:?} at {}, but this is {:?} at {}; take another store, or log out there first",
                login.client_id, login.token_endpoint, self.client_id, self.token_endpoint
            )));
        }
        match (&login.account, &self.account) {
            (Some(theirs), Some(ours)) if theirs != ours => Err(Error::config(format!(
                "the token store holds a login of {theirs:?}, but this is {ours:?}; take another store, or log out there first"
            ))),
            _ => Ok(Some(Arc::new(login))),
        }
    }

    /// Keeps tokens in place of what was seen last. `None`: something else is there by now.
    pub(crate) async fn swap(&self, seen: Option<&StoredLogin>, tokens: &TokenSet) -> Result<Option<Arc<StoredLogin>>> {
        let login = StoredLogin {
            tokens: tokens.clone(),
            client_id: self.client_id.clone(),
            token_endpoint: self.token_endpoint.clone(),
            account: self.account.clone(),
        };
        Ok(self.store.compare_and_swap(seen, &login).await?.then(|| Arc::new(login)))
    }

    /// Whether a new login could be kept: asked before a person is bothered. With the lock in hand the folder is there and can be written to.
    pub(crate) async fn check(&self) -> Result<()> {
        let lock = self.store.lock().await?;
        self.before(&lock).await.map(drop)
    }

    /// Keeps the tokens of a new login, in place of an earlier one.
    pub(crate) async fn put(&self, tokens: &TokenSet) -> Result<()> {
        let lock = self.store.lock().await?;
        let before = self.before(&lock).await?;
        if self.swap(before.as_deref(), tokens).await?.is_none() {
            return Err(Error::auth(
                "the token store was changed by somebody who does not hold its lock; log in again",
            ));
        }
        Ok(())
    }

    /// What a new login takes the place of. A damaged one has been put aside, and nothing else was to be lost.
    async fn before(&self, lock: &StoreLock) -> Result<Option<Arc<StoredLogin>>> {
        match self.read_locked(lock).await {
            Err(error) if error.needs_login() => Ok(None),
            before => before,
        }
    }

    pub(crate) async fn clear(&self) -> Result<()> {
        self.store.clear().await
    }
}
