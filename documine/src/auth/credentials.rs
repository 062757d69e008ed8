//! What a caller gives us to log in with.

use std::fmt;
use std::sync::Arc;

use super::endpoint::ClientIdentity;
use super::store::TokenStore;
use super::token::{Secret, TokenSet};
use crate::clock::BoxFuture;
use crate::error::{Error, Result};

/// A source of tokens of the caller's own: a vault, another process, a test.
///
/// ```
/// use documine::{BoxFuture, Credentials, Result, TokenSet, TokenSource};
///
/// struct Vault;
///
/// impl TokenSource for Vault {
///     fn token(&self, _rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
///         Box::pin(async { Ok(TokenSet::new("the vault's token")) })
///     }
/// }
///
/// let credentials = Credentials::source(Vault);
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// Gives a token. `rejected` is the one in use so far, which has come to its end or which the service has refused: hand out another.
    ///
    /// RetryAfterHint once for any number of calls that wait for it, which wait for as long as it takes: set a time limit of your own. It must not
    /// make calls with the same [`Client`](crate::Client), which would wait for the token they are to bring. After an error the source is called again
    /// in a second at the earliest, and in a minute when it fails again and again; calls fail with the same error until then.
    fn token(&self, rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>>;
}

/// How the client logs in.
///
/// ```
/// use documine::Credentials;
/// let service = Credentials::password("my-client", "robot", "p&ss wörd").client_secret("s3cret");
/// let fixed = Credentials::access_token("eyJ…");
/// assert!(!format!("{service:?} {fixed:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    pub(super) grant: Grant,
    pub(super) client: Option<ClientIdentity>,
    pub(super) scopes: Vec<String>,
    pub(super) store: Option<Arc<dyn TokenStore>>,
}

#[derive(Debug, Clone)]
pub(super) enum Grant {
    Password {
        username: String,
        password: Secret,
    },
    Tokens(TokenSet),
    /// Whatever is in the store.
    Stored,
    Source(Custom),
}

#[derive(Clone)]
pub(super) struct Custom(pub(super) Arc<dyn TokenSource>);

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("grant", &self.grant)
            .field("client", &self.client)
            .field("scopes", &self.scopes)
            .field("stored", &self.store.is_some())
            .finish()
    }
}

impl Credentials {
    fn new(grant: Grant, client: Option<ClientIdentity>) -> Self {
        Self { grant, client, scopes: Vec::new(), store: None }
    }

    /// Resource owner password credentials (RFC 6749 section 4.3), for an account that is used by a program alone.
    ///
    /// The guide advises against this grant where another one is possible. Where an organisation logs in by single sign-on, this is
    /// the account's *local* DocuMine password, not the one of the organisation.
    pub fn password(client_id: impl Into<String>, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        let grant = Grant::Password { username: username.into(), password: password.into() };
        Self::new(grant, Some(ClientIdentity::new(client_id)))
    }

    /// Tokens from an earlier login, kept fresh with their refresh token (RFC 6749 section 6).
    pub fn tokens(client_id: impl Into<String>, tokens: TokenSet) -> Self {
        Self::new(Grant::Tokens(tokens), Some(ClientIdentity::new(client_id)))
    }

    /// The login that a store keeps: somebody logged in before, with [`Login::store`](crate::Login::store), perhaps in another program. The tokens are
    /// kept fresh there, for everybody who shares the store. Read when the first call needs it.
    ///
    /// ```
    /// use documine::{Credentials, FileStore};
    /// let credentials = Credentials::stored("my-program", FileStore::new("login.json"));
    /// ```
    pub fn stored(client_id: impl Into<String>, store: impl TokenStore) -> Self {
        Self::new(Grant::Stored, Some(ClientIdentity::new(client_id))).store(store)
    }

    /// One access token that the caller looks after. When the service refuses it, calls fail with [`Error::needs_login`].
    pub fn access_token(token: impl Into<Secret>) -> Self {
        Self::new(Grant::Tokens(TokenSet::new(token)), None)
    }

    /// Tokens from a source of the caller's own.
    pub fn source(source: impl TokenSource) -> Self {
        Self::new(Grant::Source(Custom(Arc::new(source))), None)
    }

    /// The secret of a confidential client (RFC 6749 section 2.1). A public client has none.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        if let Some(client) = &mut self.client {
            client.secret = Some(secret.into());
        }
        self
    }

    /// Asks for a scope, for example `openid`. None is asked for by default.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Keeps the tokens in a store, for the next run and for other processes. What is in the store already goes before the tokens or the password
    /// given here, which are used when there is nothing in it, or nothing that still works. Without a client id there is nothing to keep
    /// fresh, so a bare access token and a source of your own take no store.
    #[must_use]
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Says in one line what is missing, before anything is sent.
    pub(crate) fn check(&self) -> Result<()> {
        let empty = |what: &str, text: &str| {
            if text.trim().is_empty() {
                Err(Error::config(format!("credentials: the {what} is empty; give one")))
            } else {
                Ok(())
            }
        };
        if self.store.is_some() && self.client.is_none() {
            return Err(Error::config(
                "credentials: a store keeps tokens that are refreshed; give them with Credentials::tokens and a client id",
            ));
        }
        if let Some(client) = &self.client {
            empty("client id", &client.id)?;
            if let Some(secret) = &client.secret {
                empty("client secret", secret.expose())?;
            }
        }
        match &self.grant {
            Grant::Password { username, password } => {
                empty("user name", username)?;
                empty("password", password.expose())
            }
            Grant::Tokens(tokens) => {
                empty("access token", tokens.access.expose())?;
                reqwest::header::HeaderValue::from_str(tokens.access.expose()).map_err(|_| {
                    Error::config(
                        "credentials: the access token holds characters that no header may hold, perhaps a line break",
                    )
                })?;
                Ok(())
            }
            Grant::Stored | Grant::Source(_) => Ok(()),
        }
    }
}
