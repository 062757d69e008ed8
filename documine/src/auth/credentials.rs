//! The credentials of a client.

use std::fmt;
use std::sync::Arc;

use super::client_auth::ClientIdentity;
use super::secret::Secret;
use super::store::TokenStore;
use super::token::TokenSet;
use crate::clock::BoxFuture;
use crate::error::{Error, Result};

/// A custom source of access tokens: a vault, another process, a test.
///
/// ```
/// use documine::{BoxFuture, Credentials, Result, auth::{TokenSet, TokenSource}};
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
    /// Returns a token. `rejected` is the previous one, which has expired or which the service has rejected: return another.
    ///
    /// One invocation serves all calls that need a token, and they wait without a time limit: set one in the implementation. The implementation
    /// must not make calls with the same [`Client`](crate::Client), because they would wait for the token that it has to return. After an error
    /// the next invocation follows after half a second at the earliest, and up to a minute later after repeated errors. Calls fail with the same
    /// error until then.
    fn token(&self, rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>>;
}

/// The credentials that a client logs in with.
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
    /// No account.
    None,
    Password {
        username: String,
        password: Secret,
    },
    Tokens(TokenSet),
    /// The login in the store.
    Stored,
    Source(SharedSource),
}

#[derive(Clone)]
pub(super) struct SharedSource(pub(super) Arc<dyn TokenSource>);

impl fmt::Debug for SharedSource {
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

    /// Logs in with resource owner password credentials (RFC 6749 section 4.3), for an account that only a program uses.
    ///
    /// The guide advises against this grant if another one is possible. In an organisation with single sign-on, `password` is the account's *local*
    /// DocuMine password, not the organisation's.
    pub fn password(client_id: impl Into<String>, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        let grant = Grant::Password { username: username.into(), password: password.into() };
        Self::new(grant, Some(ClientIdentity::new(client_id)))
    }

    /// Uses the tokens of an earlier login and refreshes them with their refresh token (RFC 6749 section 6).
    pub fn tokens(client_id: impl Into<String>, tokens: TokenSet) -> Self {
        Self::new(Grant::Tokens(tokens), Some(ClientIdentity::new(client_id)))
    }

    /// Uses the login in a store, saved earlier with [`Login::store`](crate::auth::Login::store), possibly by another program.
    ///
    /// Refreshed tokens are saved in the store for all processes that share it. The store is first read when a call needs a token.
    ///
    /// ```
    /// use documine::{Credentials, auth::FileStore};
    /// let credentials = Credentials::stored("my-program", FileStore::new("login.json"));
    /// ```
    pub fn stored(client_id: impl Into<String>, store: impl TokenStore) -> Self {
        Self::new(Grant::Stored, Some(ClientIdentity::new(client_id))).store(store)
    }

    /// Uses one access token without refresh. When the service rejects the token, calls fail with [`Error::needs_login`].
    pub fn access_token(token: impl Into<Secret>) -> Self {
        Self::new(Grant::Tokens(TokenSet::new(token)), None)
    }

    /// No credentials: for a client that only creates the clients of its users, by [`Client::with_credentials`](crate::Client::with_credentials).
    ///
    /// Other calls of that client fail unsent, with [`Error::needs_login`].
    ///
    /// ```
    /// # fn main() -> documine::Result<()> {
    /// use documine::{Client, Credentials};
    /// let service = Client::builder("https://acme.example").workspace("acme").credentials(Credentials::none()).build()?;
    /// let client = service.with_credentials(Credentials::access_token("eyJ…"))?;
    /// # Ok(()) }
    /// ```
    pub fn none() -> Self {
        Self::new(Grant::None, None)
    }

    /// Uses the tokens of a custom source.
    pub fn source(source: impl TokenSource) -> Self {
        Self::new(Grant::Source(SharedSource(Arc::new(source))), None)
    }

    /// Sets the secret of a confidential client (RFC 6749 section 2.1). A public client has none.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        if let Some(client) = &mut self.client {
            client.secret = Some(secret.into());
        }
        self
    }

    /// Requests a scope, for example `openid`. Default: no scope.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Saves the tokens in a store, for the next run and for other processes.
    ///
    /// Stored tokens take precedence over the tokens or the password given here, which are used if the store is empty or its tokens are no longer
    /// valid. A bare access token and a custom source have no client id to refresh with, so they can't have a store.
    #[must_use]
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Checks the credentials before anything is sent.
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
                "credentials: a token store needs a client id to refresh the tokens with; use Credentials::tokens",
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
                        "credentials: the access token holds characters that are not allowed in a header, perhaps a line break",
                    )
                })?;
                Ok(())
            }
            Grant::None | Grant::Stored | Grant::Source(_) => Ok(()),
        }
    }
}
