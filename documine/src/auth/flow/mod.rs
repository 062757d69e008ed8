//! The logins of a person (authorization code and device code), and the logout.

use super::client_auth::ClientIdentity;
use super::store::LoginStore;
use super::token::TokenSet;
use super::token_endpoint::TokenEndpoint;
use crate::error::{Error, Result};

mod authorization_record;
pub(super) mod code;
pub(super) mod device;
pub(super) mod log_out;

/// Returns the error of a person's refusal (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5).
fn access_denied() -> Error {
    Error::auth("the person refused the login").login_needed()
}

/// Saves the tokens of a new login, if it has a store. If saving fails, the tokens are revoked, because no program would have them.
pub(super) async fn save_login(
    store: Option<&LoginStore>,
    endpoint: &TokenEndpoint,
    client: &ClientIdentity,
    tokens: TokenSet,
) -> Result<TokenSet> {
    let Some(store) = store else { return Ok(tokens) };
    match store.replace(&tokens).await {
        Ok(()) => Ok(tokens),
        Err(error) => {
            // Tokens that can't be revoked expire.
            let _ = log_out::revoke_login(endpoint, client, &tokens).await;
            Err(error.with_note("the new login was revoked"))
        }
    }
}
