//! The account that a client uses, and log-out.

use super::handle::Client;
use crate::auth::{Identity, LoggedOut};
use crate::error::Result;

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
