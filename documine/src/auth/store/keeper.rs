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
}

impl Keeper {
    pub(crate) fn new(store: Arc<dyn TokenStore>, client_id: &str, token_endpoint: &Url) -> Self {
        Self { store, client_id: client_id.to_owned(), token_endpoint: token_endpoint.clone() }
    }

    pub(crate) async fn lock(&self) -> Result<StoreLock> {
        self.store.lock().await
    }

    /// What is kept, unless it is somebody else's: a token is shown to nobody but the provider that gave it.
    pub(crate) async fn read(&self) -> Result<Option<Arc<StoredLogin>>> {
        let kept = self.store.load().await?;
        let theirs = kept
            .as_ref()
            .is_some_and(|login| login.client_id != self.client_id || login.token_endpoint != self.token_endpoint);
        match kept {
            Some(login) if theirs => Err(Error::config(format!(
                "the token store holds a login of the client {:?} at {}, but this is {:?} at {}; take another store, or log out there first",
                login.client_id, login.token_endpoint, self.client_id, self.token_endpoint
            ))),
            kept => Ok(kept.map(Arc::new)),
        }
    }

    /// Keeps tokens in place of what was seen last. `None`: something else is there by now.
    pub(crate) async fn swap(&self, seen: Option<&StoredLogin>, tokens: &TokenSet) -> Result<Option<Arc<StoredLogin>>> {
        let login = StoredLogin::new(tokens.clone(), &self.client_id, &self.token_endpoint);
        Ok(self.store.compare_and_swap(seen, &login).await?.then(|| Arc::new(login)))
    }

    /// Whether a new login could be kept: asked before a person is bothered.
    pub(crate) async fn check(&self) -> Result<()> {
        self.before().await.map(drop)
    }

    /// Keeps the tokens of a new login, whatever was there before.
    pub(crate) async fn put(&self, tokens: &TokenSet) -> Result<()> {
        let _lock = self.store.lock().await?;
        let before = self.before().await?;
        if self.swap(before.as_ref(), tokens).await?.is_none() {
            return Err(Error::auth(
                "the token store was changed by somebody who does not hold its lock; log in again",
            ));
        }
        Ok(())
    }

    /// What a new login takes the place of. A damaged one has been put aside, and nothing else was to be lost.
    async fn before(&self) -> Result<Option<StoredLogin>> {
        match self.store.load().await {
            Err(error) if error.needs_login() => Ok(None),
            before => before,
        }
    }

    pub(crate) async fn clear(&self) -> Result<()> {
        self.store.clear().await
    }
}
