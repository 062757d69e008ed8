//! Resource owner password credentials: RFC 6749 section 4.3.

use oauth2::{ResourceOwnerPassword, ResourceOwnerUsername, Scope};

use super::super::endpoint::{ClientIdentity, TokenEndpoint};
use super::super::token::{Secret, TokenSet};
use crate::error::Result;

pub(in crate::auth) async fn request(
    endpoint: &TokenEndpoint,
    client: &ClientIdentity,
    username: &str,
    password: &Secret,
    scopes: &[String],
) -> Result<TokenSet> {
    let oauth = endpoint.client(client);
    let user = ResourceOwnerUsername::new(username.to_owned());
    let word = ResourceOwnerPassword::new(password.expose().to_owned());
    let request = oauth.exchange_password(&user, &word).add_scopes(scopes.iter().cloned().map(Scope::new));
    endpoint
        .tokens(request.request_async(&endpoint.http()).await)
        .map_err(|error| error.with_operation("login with a password"))
}
