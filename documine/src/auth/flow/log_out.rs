//! Logout at the provider: revocation (RFC 7009) and the end of the person's session (OpenID Connect RP-Initiated Logout 1.0).

use crate::auth::client_auth::ClientIdentity;
use crate::auth::oauth_request::OauthRequest;
use crate::auth::token::TokenSet;
use crate::auth::token_endpoint::{EndpointResponse, TokenEndpoint};
use crate::error::Result;

/// The effect of a logout at the identity provider, returned by [`Client::log_out`](crate::Client::log_out).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedOut {
    /// True if the refresh token, or the access token without one, was revoked (RFC 7009). Issued access tokens may stay valid until they expire,
    /// because services verify them without a request to the provider.
    pub revoked: bool,
    /// True if the person's session at the provider ended: other programs that share it are logged out too, and the browser has to log in again.
    pub session_ended: bool,
}

impl LoggedOut {
    /// A logout without a request to the provider.
    pub(in crate::auth) const LOCAL_ONLY: Self = Self { revoked: false, session_ended: false };
}

/// Revokes the tokens and ends the session. Fails only if the provider has confirmed neither.
pub(in crate::auth) async fn revoke_login(
    endpoint: &TokenEndpoint,
    client: &ClientIdentity,
    tokens: &TokenSet,
) -> Result<LoggedOut> {
    let revoked = revoke(endpoint, client, tokens).await;
    // After a failed revocation too: a provider may support only one of the two.
    let session_ended = end_session(endpoint, client, tokens).await;
    match (revoked, session_ended) {
        (Err(error), Ok(false) | Err(_)) | (Ok(false), Err(error)) => Err(error
            .with_operation("logout")
            .with_note("the tokens were deleted locally, but the identity provider may still accept them")),
        (revoked, session_ended) => {
            Ok(LoggedOut { revoked: revoked.unwrap_or(false), session_ended: session_ended.unwrap_or(false) })
        }
    }
}

async fn revoke(endpoint: &TokenEndpoint, client: &ClientIdentity, tokens: &TokenSet) -> Result<bool> {
    let Some(target) = endpoint.revocation() else { return Ok(false) };
    // Revoking the refresh token also revokes its access tokens (section 2.1).
    let (token, hint) = match &tokens.refresh {
        Some(refresh) => (refresh, "refresh_token"),
        None => (&tokens.access, "access_token"),
    };
    match endpoint.post(target, client, &OauthRequest::Revocation { token, hint }).await? {
        EndpointResponse::Success(_) => Ok(true),
        // An unknown token counts as revoked (section 2.2).
        EndpointResponse::Rejected { code, .. } if code == "invalid_token" => Ok(true),
        EndpointResponse::Rejected { error, .. } => Err(error),
    }
}

async fn end_session(endpoint: &TokenEndpoint, client: &ClientIdentity, tokens: &TokenSet) -> Result<bool> {
    let Some(target) = endpoint.end_session() else { return Ok(false) };
    let (id_token, refresh_token) = (tokens.id.as_ref(), tokens.refresh.as_ref());
    if id_token.is_none() && refresh_token.is_none() {
        return Ok(false);
    }
    match endpoint.post(target, client, &OauthRequest::EndSession { id_token, refresh_token }).await? {
        // A page that lets the person confirm the logout has not ended the session.
        EndpointResponse::Success(body) => Ok(body.is_empty()),
        EndpointResponse::Rejected { error, .. } => Err(error),
    }
}
