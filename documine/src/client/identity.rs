//! The account that a client uses, and log-out.

use std::time::SystemTime;

use super::handle::Client;
use crate::auth::{LenientObject, LoggedOut, TokenSet};
use crate::error::Result;

/// The account that a client uses, read from the claims of its tokens.
///
/// For display only. Only a call to the service shows whether it still accepts the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The workspace of the client.
    pub workspace: String,
    /// The name of the account: user name, otherwise e-mail address, otherwise subject id. `None` if the tokens have no such claim.
    pub account: Option<String>,
    /// The expiry of the access token. A client with a refresh token renews it.
    pub access_expires_at: Option<SystemTime>,
    /// The expiry of the refresh token, if known. After it a new login is required.
    pub refresh_expires_at: Option<SystemTime>,
    /// The granted scopes.
    pub scopes: Vec<String>,
}

impl Client {
    /// Returns the account of this client, read from its tokens or those in its store, even if they have expired.
    ///
    /// Sends no request unless there are no tokens: then a client with a password logs in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sim = documine_sim::Simulator::start().await?;
    /// # let credentials = documine::Credentials::password(sim.client_id(), sim.username(), sim.password()).client_secret(sim.client_secret());
    /// # let client = documine::Client::builder(sim.base_url()).workspace(sim.workspace_id()).credentials(credentials).build()?;
    /// assert_eq!(client.identity().await?.account.as_deref(), Some(sim.username()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A login is required ([`Error::needs_login`](crate::Error::needs_login)).
    pub async fn identity(&self) -> Result<Identity> {
        let tokens = self.pipeline().auth.cached_or_stored().await?;
        Ok(Identity::from_tokens(&tokens, self.workspace()))
    }

    /// Logs out: deletes the login here and in the token store, then revokes it at the identity provider.
    ///
    /// Revokes the refresh token (RFC 7009) and ends the session at the identity provider, where supported. This client, its clones and other
    /// processes with the same store then need a new login, unless they have a password. The login is deleted first, so it is gone from this
    /// machine even if the provider cannot be reached.
    ///
    /// # Errors
    /// The tokens come from a custom source; the store cannot be cleared, and nothing has changed; or the provider could not be reached, and the
    /// tokens stay valid there until they expire.
    pub async fn log_out(&self) -> Result<LoggedOut> {
        self.pipeline().auth.log_out().await
    }

    /// Waits for a token refresh in progress.
    ///
    /// Call this before shutting down the runtime; otherwise a rotated refresh token may be lost. Elsewhere the refresh completes in the
    /// background.
    pub async fn wait_for_refresh(&self) {
        self.pipeline().auth.wait_for_refresh().await;
    }
}

/// Returns the account name in the claims of a token (OpenID Connect Core section 5.1).
fn account(claims: &LenientObject) -> Option<String> {
    claims.text(&["preferred_username", "email", "sub"]).map(|name| crate::text::one_line(&name))
}

impl Identity {
    fn from_tokens(tokens: &TokenSet, workspace: &str) -> Self {
        // The signatures are not verified, because no decision depends on the claims.
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
