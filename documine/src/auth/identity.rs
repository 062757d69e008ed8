//! The account of a login, read from its tokens.

use std::time::SystemTime;

use super::lenient::LenientObject;
use super::token::TokenSet;

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

/// Returns the account name in the claims of a token (OpenID Connect Core section 5.1).
fn account(claims: &LenientObject) -> Option<String> {
    claims.text(&["preferred_username", "email", "sub"]).map(|name| crate::text::one_line(&name))
}

impl Identity {
    pub(crate) fn from_tokens(tokens: &TokenSet, workspace: &str) -> Self {
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
