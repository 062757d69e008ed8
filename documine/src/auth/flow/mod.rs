//! The grants of RFC 6749 and RFC 8628, one file each. A flow builds its request, the [endpoint](super::endpoint) sends it.

use super::endpoint::{ClientIdentity, TokenEndpoint};
use super::store::Keeper;
use super::token::TokenSet;
use crate::error::{Error, Result};

pub(super) mod code;
pub(super) mod device;
pub(super) mod log_out;
pub(super) mod password;
pub(super) mod refresh;

/// The person said no (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5).
fn denied() -> Error {
    Error::auth("the person refused the login").login_needed()
}

/// Keeps the tokens of a new login, where they are to be kept. If they can't be, they are given back: nobody would have them any more.
pub(super) async fn keep(
    keeper: Option<&Keeper>,
    endpoint: &TokenEndpoint,
    client: &ClientIdentity,
    tokens: TokenSet,
) -> Result<TokenSet> {
    let Some(keeper) = keeper else { return Ok(tokens) };
    match keeper.put(&tokens).await {
        Ok(()) => Ok(tokens),
        Err(error) => {
            // Where that fails as well, they end by themselves.
            let _ = log_out::request(endpoint, client, &tokens).await;
            Err(error.with_note("the login was given back"))
        }
    }
}
