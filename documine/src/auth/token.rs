//! The tokens of a login, and the parsing of token responses.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::lenient::LenientObject;
use super::secret::Secret;
use crate::error::{Error, Result};

/// Token types that need a proof of possession in each request (RFC 9449, and drafts before it).
const PROOF_OF_POSSESSION_TYPES: [&str; 3] = ["dpop", "pop", "mac"];

/// The tokens that an identity provider issued (RFC 6749 section 5.1), with lifetimes converted to points in time.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// let tokens = documine::auth::TokenSet::new("eyJ…").refresh_token("eyJ…").expires_at(SystemTime::now() + Duration::from_secs(300));
/// assert!(!format!("{tokens:?}").contains("eyJ"));
/// ```
#[derive(Debug, Clone)]
pub struct TokenSet {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    /// The ID token (OpenID Connect Core section 2), present with the scope `openid`. It grants no access.
    pub(crate) id: Option<Secret>,
    pub(crate) expires_at: Option<SystemTime>,
    pub(crate) refresh_expires_at: Option<SystemTime>,
    pub(crate) scopes: Vec<String>,
    /// The `Authorization` header, built by the first request.
    bearer: OnceLock<HeaderValue>,
}

impl TokenSet {
    /// Creates a set with an access token of unknown lifetime: it is used until the service rejects it.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access: access_token.into(),
            refresh: None,
            id: None,
            expires_at: None,
            refresh_expires_at: None,
            scopes: Vec::new(),
            bearer: OnceLock::new(),
        }
    }

    /// Parses a token response. A lifetime that is absent, not positive or unbounded counts as unknown.
    ///
    /// # Errors
    /// The response holds no access token, or one that is not a bearer token. No byte of it is shown: it may hold tokens.
    pub(super) fn parse(body: &[u8], now: SystemTime) -> Result<Self> {
        const LIFETIME: [&str; 1] = ["expires_in"];
        const EXPIRY: [&str; 2] = ["expires_on", "expires_at"];
        // The guide's spelling and GitHub's, beside Keycloak's.
        const REFRESH_LIFETIME: [&str; 3] = ["refresh_expires_in", "refresh_expries_in", "refresh_token_expires_in"];
        const REFRESH_EXPIRY: [&str; 3] = ["refresh_expires_on", "refresh_expires_at", "refresh_token_expires_at"];
        let missing = || Error::auth("the identity provider's response holds no access token");
        let response = LenientObject::parse(body).ok_or_else(missing)?.object_with("access_token");
        let access = response.secret("access_token").ok_or_else(missing)?;
        let kind = response.text(&["token_type"]).unwrap_or_default().to_ascii_lowercase();
        if PROOF_OF_POSSESSION_TYPES.contains(&kind.as_str()) {
            return Err(Error::auth(format!(
                "the identity provider issued a {kind} token, but only bearer tokens are supported; \
                 configure it to issue bearer tokens to this client"
            )));
        }
        let expiry = |lifetime: &[&str], expiry: &[&str]| {
            let lifetime = response.duration(lifetime).and_then(|lifetime| now.checked_add(lifetime));
            lifetime.or_else(|| response.timestamp(expiry).filter(|at| *at > now))
        };
        // No token holds a blank (RFC 6750 section 2.1), so the text before it is the scheme.
        let bare = access.expose().split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let mut tokens = Self::new(bare.map_or_else(|| access.clone(), |(_, token)| Secret::new(token.trim())));
        tokens.refresh = response.secret("refresh_token");
        tokens.id = response.secret("id_token");
        tokens.expires_at = expiry(&LIFETIME, &EXPIRY);
        tokens.refresh_expires_at = expiry(&REFRESH_LIFETIME, &REFRESH_EXPIRY);
        tokens.scopes = response.words(&["scope", "scopes"]);
        Ok(tokens)
    }

    /// Adds the refresh token (RFC 6749 section 1.5).
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<Secret>) -> Self {
        self.refresh = Some(token.into());
        self
    }

    /// Sets the expiry of the access token.
    #[must_use]
    pub fn expires_at(mut self, at: SystemTime) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Sets the expiry of the refresh token.
    #[must_use]
    pub fn refresh_expires_at(mut self, at: SystemTime) -> Self {
        self.refresh_expires_at = Some(at);
        self
    }

    /// Returns the access token.
    pub fn access_token(&self) -> &Secret {
        &self.access
    }

    /// Returns the granted scopes, or an empty slice if the provider did not list them.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Returns the `Authorization` header (RFC 6750 section 2.1). All requests share one buffer, which is wiped like the token itself.
    pub(crate) fn bearer(&self) -> Result<HeaderValue> {
        if let Some(value) = self.bearer.get() {
            return Ok(value.clone());
        }
        let text = Zeroizing::new(["Bearer ", self.access.expose()].concat().into_bytes());
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text))
            .map_err(|_| Error::auth("the access token holds characters that are not allowed in a header"))?;
        value.set_sensitive(true);
        Ok(self.bearer.get_or_init(|| value).clone())
    }

    /// Completes the tokens of a refresh with the previous ones: a refresh token, scope or ID token that the response omits stays valid
    /// (RFC 6749 section 6).
    pub(crate) fn after(mut self, before: &Self) -> Self {
        if self.refresh.is_none() {
            self.refresh.clone_from(&before.refresh);
            self.refresh_expires_at = before.refresh_expires_at;
        }
        if self.scopes.is_empty() {
            self.scopes.clone_from(&before.scopes);
        }
        if self.id.is_none() {
            self.id.clone_from(&before.id);
        }
        self
    }

    /// Returns true while the access token has not expired, by this machine's clock.
    pub(crate) fn is_alive(&self, now: SystemTime) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Returns true while the refresh token has not expired, by this machine's clock.
    pub(crate) fn refresh_is_alive(&self, now: SystemTime) -> bool {
        self.refresh_expires_at.is_none_or(|end| now < end)
    }

    /// Returns true if both sets have the same access token.
    pub(crate) fn same_access(&self, other: &Self) -> bool {
        self.access.is(other.access.expose())
    }

    /// Returns the time of the next refresh: 30 seconds before expiry, or a tenth of a short lifetime before it, spread by `random`.
    pub(crate) fn refresh_at(&self, now: SystemTime, random: f64) -> Option<SystemTime> {
        const MARGIN: Duration = Duration::from_secs(30);
        let end = self.expires_at?;
        let lifetime = end.duration_since(now).unwrap_or_default();
        let margin = MARGIN.min(lifetime / 10).mul_f64(0.75 + 0.5 * random);
        Some(end.checked_sub(margin).unwrap_or(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_margin_is_relative_for_short_lifetimes() {
        let now = SystemTime::UNIX_EPOCH;
        let at = |life: u64| TokenSet::new("a").expires_at(now + Duration::from_secs(life)).refresh_at(now, 0.5);
        assert_eq!(at(300), Some(now + Duration::from_secs(270)));
        assert_eq!(at(5), Some(now + Duration::from_millis(4500)));
        assert_eq!(TokenSet::new("a").refresh_at(now, 0.5), None);
    }
}
