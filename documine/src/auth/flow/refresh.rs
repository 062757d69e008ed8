//! Refreshing an access token: RFC 6749 section 6.

use super::super::endpoint::{ClientIdentity, TokenEndpoint};
use super::super::token::{Secret, TokenSet};
use crate::error::Result;

pub(in crate::auth) async fn request(
    endpoint: &TokenEndpoint,
    client: &ClientIdentity,
    refresh_token: &Secret,
    scopes: &[String],
) -> Result<TokenSet> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
    endpoint.grant(client, &form, scopes).await.map_err(|error| error.with_operation("refresh of the access token"))
}
