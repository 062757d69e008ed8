//! Resource owner password credentials: RFC 6749 section 4.3.

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
    let form = [("grant_type", "password"), ("username", username), ("password", password.expose())];
    endpoint.grant(client, &form, scopes).await.map_err(|error| error.with_operation("login with a password"))
}
