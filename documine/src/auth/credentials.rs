//! What a caller gives us to log in with, and where tokens come from.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::endpoint::{ClientIdentity, TokenEndpoint};
use super::flow::{password, refresh};
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
    /// Asked once for any number of calls that wait for it, which wait for as long as it takes: set a time limit of your own. It must not
    /// make calls with the same [`Client`](crate::Client), which would wait for the token they are to bring.
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
#[derive(Debug, Clone)]
pub struct Credentials {
    grant: Grant,
    client: Option<ClientIdentity>,
    scopes: Vec<String>,
}

#[derive(Debug, Clone)]
enum Grant {
    Password { username: String, password: Secret },
    Tokens(TokenSet),
    Source(Custom),
}

#[derive(Clone)]
struct Custom(Arc<dyn TokenSource>);

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

impl Credentials {
    /// Resource owner password credentials (RFC 6749 section 4.3), for an account that is used by a program alone.
    ///
    /// The guide advises against this grant where another one is possible. Where an organisation logs in by single sign-on, this is
    /// the account's *local* DocuMine password, not the one of the organisation.
    pub fn password(client_id: impl Into<String>, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self {
            grant: Grant::Password { username: username.into(), password: password.into() },
            client: Some(ClientIdentity::new(client_id)),
            scopes: Vec::new(),
        }
    }

    /// Tokens from an earlier login, kept fresh with their refresh token (RFC 6749 section 6).
    pub fn tokens(client_id: impl Into<String>, tokens: TokenSet) -> Self {
        Self { grant: Grant::Tokens(tokens), client: Some(ClientIdentity::new(client_id)), scopes: Vec::new() }
    }

    /// One access token that the caller looks after. When the service refuses it, calls fail with [`Error::needs_login`].
    pub fn access_token(token: impl Into<Secret>) -> Self {
        Self { grant: Grant::Tokens(TokenSet::new(token)), client: None, scopes: Vec::new() }
    }

    /// Tokens from a source of the caller's own.
    pub fn source(source: impl TokenSource) -> Self {
        Self { grant: Grant::Source(Custom(Arc::new(source))), client: None, scopes: Vec::new() }
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

    /// Says in one line what is missing, before anything is sent.
    pub(crate) fn check(&self) -> Result<()> {
        let empty = |what: &str, text: &str| {
            if text.trim().is_empty() {
                Err(Error::config(format!("credentials: the {what} is empty; give one")))
            } else {
                Ok(())
            }
        };
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
            Grant::Source(_) => Ok(()),
        }
    }

    pub(crate) fn into_origin(self, endpoint: TokenEndpoint) -> Origin {
        Origin { credentials: self, endpoint }
    }
}

/// Credentials together with the endpoint they are used at: where the cache gets its tokens.
pub(crate) struct Origin {
    credentials: Credentials,
    endpoint: TokenEndpoint,
}

impl Origin {
    /// The token that is there without asking anybody.
    pub(crate) fn initial(&self) -> Option<TokenSet> {
        match &self.credentials.grant {
            Grant::Tokens(tokens) => Some(tokens.clone()),
            Grant::Password { .. } | Grant::Source(_) => None,
        }
    }

    /// Gets a token in place of `current`: by its refresh token where there is one, else by logging in again where that needs nobody.
    pub(crate) async fn obtain(&self, current: Option<&TokenSet>, now: SystemTime) -> Result<TokenSet> {
        if let Grant::Source(source) = &self.credentials.grant {
            return source.0.token(current).await;
        }
        let Some(client) = &self.credentials.client else {
            return Err(needs_login("the access token was refused or has expired"));
        };
        if let Some(secret) = current.and_then(|tokens| tokens.usable_refresh(now)) {
            match refresh::request(&self.endpoint, client, secret, &self.credentials.scopes).await {
                Ok(mut fresh) => {
                    // RFC 6749 section 6: no new refresh token in the answer means that the old one goes on.
                    if fresh.refresh.is_none() {
                        fresh.refresh = Some(secret.clone());
                        fresh.refresh_expires_at = current.and_then(|tokens| tokens.refresh_expires_at);
                    }
                    return Ok(fresh);
                }
                Err(error) if error.needs_login() && self.can_log_in_again() => {}
                Err(error) => return Err(error),
            }
        }
        match &self.credentials.grant {
            Grant::Password { username, password } => {
                password::request(&self.endpoint, client, username, password, &self.credentials.scopes).await
            }
            Grant::Tokens(_) | Grant::Source(_) => {
                Err(needs_login("the access token has come to its end and there is no refresh token that still works"))
            }
        }
    }

    /// A source of the caller's own may find another token the next time, whatever it said this time.
    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.credentials.grant, Grant::Source(_))
    }

    fn can_log_in_again(&self) -> bool {
        matches!(self.credentials.grant, Grant::Password { .. })
    }
}

fn needs_login(why: &str) -> Error {
    Error::auth(format!("{why}; log in again")).login_needed()
}
