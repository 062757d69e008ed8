//! Whose login a client uses, and its end.

use std::time::SystemTime;

use crate::auth::{LenientObject, LoggedOut, TokenSet};
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
    /// Whose login this client uses, read from its tokens or from those in its store, even where they have come to their end. It asks nobody, unless
    /// there are none: then a service's account logs in.
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
        let tokens = self.pipeline().auth.cached_or_stored().await?;
        Ok(Identity::of(&tokens, self.workspace()))
    }

    /// Logs out: revokes the refresh token (RFC 7009), ends the person's session at the identity provider where that is offered, and forgets the
    /// login here and in the token store. This client and its clones need a new login then, and so do other processes with that store, unless they
    /// have a password to log in with.
    ///
    /// The login is forgotten first, so it is gone from this machine also when the provider can't be told.
    ///
    /// # Errors
    /// The tokens come from a source of the caller's own; the store can't be cleared, and everything is as before; or the provider could not be told, and the tokens are good there until their end.
    pub async fn log_out(&self) -> Result<LoggedOut> {
        self.pipeline().auth.log_out().await
    }

    /// Comes back when no refresh is under way. A program does this at its end, before its runtime ends too: a refresh that is cut off may have
    /// used a refresh token up without the new one being kept. Until then it goes on by itself, so nobody has to wait for it elsewhere.
    pub async fn settle(&self) {
        self.pipeline().auth.wait_for_refresh().await;
    }
}

/// Returns the name of the account in a token's claims (OpenID Connect Core section 5.1).
fn account(claims: &LenientObject) -> Option<String> {
    claims.text(&["preferred_username", "email", "sub"]).map(|name| crate::text::one_line(&name))
}

impl Identity {
    fn of(tokens: &TokenSet, workspace: &str) -> Self {
        // The signatures are none of our business: nothing is decided by the claims.
        let access = LenientObject::from_jwt(&tokens.access);
        let id = tokens.id.as_ref().and_then(LenientObject::from_jwt);
        let scopes = || access.as_ref().map(|claims| claims.words(&["scope", "scp"])).unwrap_or_default();
        Self {
            workspace: workspace.to_owned(),
            access_expires_at: tokens.expires_at.or_else(|| access.as_ref()?.timestamp(&["exp"])),
            refresh_expires_at: tokens.refresh_expires_at,
            scopes: if tokens.scopes.is_empty() { scopes() } else { tokens.scopes.clone() },
            account: [&id, &access].into_iter().flatten().find_map(account),
        }
    }
}
