//! Giving tokens back: revocation (RFC 7009), and the end of the person's session (OpenID Connect RP-Initiated Logout 1.0).

use super::super::endpoint::{ClientIdentity, Reply, TokenEndpoint};
use super::super::token::{Secret, TokenSet};
use crate::error::Result;

/// What the identity provider was told of a logout, by [`Client::log_out`](crate::Client::log_out).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedOut {
    /// The refresh token, or the access token where there was none, is worthless from now on (RFC 7009). Access tokens that were handed out may live
    /// on to their end: services check them without asking.
    pub revoked: bool,
    /// The person's session at the provider ended: other programs that share it are logged out too, and the browser has to log in again.
    pub session_ended: bool,
}

impl LoggedOut {
    /// Nobody had to be told, or could be.
    pub(in crate::auth) const HERE_ALONE: Self = Self { revoked: false, session_ended: false };
}

pub(in crate::auth) async fn request(
    endpoint: &TokenEndpoint,
    client: &ClientIdentity,
    tokens: &TokenSet,
) -> Result<LoggedOut> {
    let revoked = revoke(endpoint, client, tokens).await;
    // Also where that failed: one of the two may be all that this provider knows.
    let session_ended = end_session(endpoint, client, tokens).await;
    match (revoked, session_ended) {
        (Err(error), Ok(false) | Err(_)) | (Ok(false), Err(error)) => Err(error
            .with_operation("logout")
            .with_note("the tokens are forgotten here, but the identity provider may take them on")),
        (revoked, session_ended) => {
            Ok(LoggedOut { revoked: revoked.unwrap_or(false), session_ended: session_ended.unwrap_or(false) })
        }
    }
}

async fn revoke(endpoint: &TokenEndpoint, client: &ClientIdentity, tokens: &TokenSet) -> Result<bool> {
    let Some((url, http)) = endpoint.revocation() else { return Ok(false) };
    // With the refresh token go all access tokens that came of it (section 2.1).
    let (token, hint) = match &tokens.refresh {
        Some(refresh) => (refresh, "refresh_token"),
        None => (&tokens.access, "access_token"),
    };
    let form = [("token", token.expose()), ("token_type_hint", hint)];
    match endpoint.post(http, url, client, &form).await? {
        Reply::Success(_) => Ok(true),
        // A token that is not known is as good as revoked (section 2.2).
        Reply::Refused { code, .. } if code == "invalid_token" => Ok(true),
        Reply::Refused { error, .. } => Err(error),
    }
}

async fn end_session(endpoint: &TokenEndpoint, client: &ClientIdentity, tokens: &TokenSet) -> Result<bool> {
    let Some((url, http)) = endpoint.end_session() else { return Ok(false) };
    // The hint is the standard's, the refresh token Keycloak's own way, which needs no browser.
    let parts = [("id_token_hint", &tokens.id), ("refresh_token", &tokens.refresh)];
    let form: Vec<_> =
        parts.into_iter().filter_map(|(name, token)| Some((name, token.as_ref().map(Secret::expose)?))).collect();
    if form.is_empty() {
        return Ok(false);
    }
    match endpoint.post(http, url, client, &form).await? {
        // A page that asks the person whether to log out has done nothing.
        Reply::Success(body) => Ok(body.is_empty()),
        Reply::Refused { error, .. } => Err(error),
    }
}
