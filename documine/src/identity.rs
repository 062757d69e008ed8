//! Whose login a client uses, and its end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::auth::{LoggedOut, Secret, TokenSet};
use crate::client::Client;
use crate::error::Result;

/// Whose login a client uses: what its tokens say, which is what the identity provider wrote into them.
///
/// It is for people to read. Whether the tokens are still good is known to nobody but the service, which a call asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The workspace that the client works in.
    pub workspace: String,
    /// The account's name: the user name, else an e-mail address, else its id at the provider. Nothing where the tokens say nothing.
    pub account: Option<String>,
    /// When the access token ends. A client with a refresh token gets the next one by itself.
    pub access_expires_at: Option<SystemTime>,
    /// When the refresh token ends, where that is known: after it somebody has to log in again.
    pub refresh_expires_at: Option<SystemTime>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
}

impl Client {
    /// Whose login this client uses, read from its tokens. It asks nobody, unless there are no tokens yet: then the store is read, or a
    /// service's account logs in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sim = documine_sim::Simulator::start().await?;
    /// # let credentials = documine::Credentials::password(sim.client_id(), sim.username(), sim.password()).client_secret(sim.client_secret());
    /// # let client = documine::Client::builder(sim.base_url()).workspace(sim.workspace_id()).credentials(credentials).build()?;
    /// assert_eq!(client.who_am_i().await?.account.as_deref(), Some(sim.username()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Nobody has logged in ([`Error::needs_login`](crate::Error::needs_login)).
    pub async fn who_am_i(&self) -> Result<Identity> {
        let tokens = self.stack().auth.at_hand().await?;
        Ok(Identity::of(&tokens, self.workspace()))
    }

    /// Logs out: revokes the refresh token (RFC 7009), ends the person's session at the identity provider where that is offered, and forgets the
    /// login here and in the token store. This client, its clones and other processes with that store need a new login then.
    ///
    /// The login is forgotten first, so it is gone from this machine also when the provider can't be told.
    ///
    /// # Errors
    /// The store can't be cleared, and everything is as before; or the provider could not be told, and the tokens are good there until their end.
    pub async fn log_out(&self) -> Result<LoggedOut> {
        self.stack().auth.log_out().await
    }
}

/// What the payload of a token may say (RFC 7519 section 4.1, OpenID Connect Core section 5.1).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    preferred_username: Option<String>,
    email: Option<String>,
    sub: Option<String>,
    exp: Option<u64>,
    scope: Option<String>,
}

impl Claims {
    /// Those of a token that is a JWT. The signature is none of our business: nothing is decided by them.
    fn of(token: &Secret) -> Self {
        let payload = token.expose().split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
        payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default()
    }

    fn account(self) -> Option<String> {
        self.preferred_username.or(self.email).or(self.sub).map(|name| crate::text::one_line(&name))
    }
}

impl Identity {
    fn of(tokens: &TokenSet, workspace: &str) -> Self {
        let access = Claims::of(&tokens.access);
        let moment = |seconds: u64| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let told = || access.scope.as_deref().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        Self {
            workspace: workspace.to_owned(),
            access_expires_at: tokens.expires_at.or_else(|| access.exp.and_then(moment)),
            refresh_expires_at: tokens.refresh_expires_at,
            scopes: if tokens.scopes.is_empty() { told() } else { tokens.scopes.clone() },
            account: tokens.id.as_ref().map(Claims::of).and_then(Claims::account).or_else(|| access.account()),
        }
    }
}
