//! Refreshing an access token: RFC 6749 section 6.

use oauth2::{RefreshToken, Scope};

use super::super::endpoint::{ClientIdentity, TokenEndpoint};
use super::super::token::{Secret, TokenSet};
use crate::error::Result;

pub(in crate::auth) async fn request(
    endpoint: &TokenEndpoint,
    client: &ClientIdentity,
    refresh_token: &Secret,
    scopes: &[String],
) -> Result<TokenSet> {
    let oauth = endpoint.client(client);
    let token = RefreshToken::new(refresh_token.expose().to_owned());
    let request = oauth.exchange_refresh_token(&token).add_scopes(scopes.iter().cloned().map(Scope::new));
    endpoint
        .tokens(request.request_async(&endpoint.http()).await)
        .map_err(|error| error.with_operation("refresh of the access token"))
}
