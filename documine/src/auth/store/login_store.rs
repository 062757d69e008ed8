//! The login of one client in a token store.

use std::sync::Arc;

use url::Url;

use super::{StoreLock, StoredLogin, TokenStore};
use crate::auth::token::TokenSet;
use crate::error::{Error, Result};

/// A token store, and the client, provider and account that its login has to belong to.
#[derive(Clone)]
pub(crate) struct LoginStore {
    store: Arc<dyn TokenStore>,
    client_id: String,
    token_endpoint: Url,
    /// The user name, for a login with a password.
    account: Option<String>,
}

impl LoginStore {
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

    /// Loads the login without the lock. A damaged login is left in place.
    pub(crate) async fn load(&self) -> Result<Option<Arc<StoredLogin>>> {
        self.check_owner(self.store.load().await?)
    }

    /// Loads the login with the lock held. A damaged login is quarantined.
    pub(crate) async fn load_locked(&self, _held: &StoreLock) -> Result<Option<Arc<StoredLogin>>> {
        self.check_owner(self.store.load_or_quarantine().await?)
    }

    /// Returns the stored login unless it belongs to another client, provider or account.
    ///
    /// A token is sent only to the provider that issued it, and used only in the name of its owner.
    fn check_owner(&self, login: Option<StoredLogin>) -> Result<Option<Arc<StoredLogin>>> {
        let Some(login) = login else { return Ok(None) };
        if login.client_id != self.client_id || login.token_endpoint != self.token_endpoint {
            return Err(Error::config(format!(
                "the token store holds a login of the client {:?} at {}, not of {:?} at {}; use another store, or log out there first",
                login.client_id, login.token_endpoint, self.client_id, self.token_endpoint
            )));
        }
        match (&login.account, &self.account) {
            (Some(actual), Some(expected)) if actual != expected => Err(Error::config(format!(
                "the token store holds a login of {actual:?}, not of {expected:?}; use another store, or log out there first"
            ))),
            _ => Ok(Some(Arc::new(login))),
        }
    }

    /// Saves tokens in place of the login that was loaded last. `None`: the store holds another login by now.
    pub(crate) async fn compare_and_swap(
        &self,
        expected: Option<&StoredLogin>,
        tokens: &TokenSet,
    ) -> Result<Option<Arc<StoredLogin>>> {
        let login = StoredLogin {
            tokens: tokens.clone(),
            client_id: self.client_id.clone(),
            token_endpoint: self.token_endpoint.clone(),
            account: self.account.clone(),
        };
        Ok(self.store.compare_and_swap(expected, &login).await?.then(|| Arc::new(login)))
    }

    /// Checks that a login can be saved, before a person logs in. Acquiring the lock proves that the folder exists and is writable.
    pub(crate) async fn check_writable(&self) -> Result<()> {
        let lock = self.store.lock().await?;
        self.load_replaceable(&lock).await.map(drop)
    }

    /// Saves the tokens of a new login in place of an earlier one.
    pub(crate) async fn replace(&self, tokens: &TokenSet) -> Result<()> {
        let lock = self.store.lock().await?;
        let previous = self.load_replaceable(&lock).await?;
        if self.compare_and_swap(previous.as_deref(), tokens).await?.is_none() {
            return Err(Error::auth("the token store was changed without its lock; log in again"));
        }
        Ok(())
    }

    /// Loads the login that a new login replaces. A damaged login is quarantined and counts as none.
    async fn load_replaceable(&self, lock: &StoreLock) -> Result<Option<Arc<StoredLogin>>> {
        match self.load_locked(lock).await {
            Err(error) if error.needs_login() => Ok(None),
            previous => previous,
        }
    }

    pub(crate) async fn clear(&self) -> Result<()> {
        self.store.clear().await
    }
}
