//! Tokens and other secrets: wiped from memory when dropped, never shown.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderValue;
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::members::Members;
use crate::error::{Error, Result};

/// Kinds of tokens that are worth nothing without a proof in each request (RFC 9449, and drafts before it).
const PROVEN_TYPES: [&str; 3] = ["dpop", "pop", "mac"];

/// A text that is never shown: [`Debug`](fmt::Debug) prints `[redacted]`, there is no `Display`, and its memory is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Handle with care.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is the text, in a time that does not tell how much of it is right.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.expose().as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Read, never written: a secret leaves only by [`expose`](Secret::expose).
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// What an identity provider handed out (RFC 6749 section 5.1), with the life times as points in time.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// let tokens = documine::TokenSet::new("eyJ…").refresh_token("eyJ…").expires_at(SystemTime::now() + Duration::from_secs(300));
/// assert!(!format!("{tokens:?}").contains("eyJ"));
/// ```
#[derive(Debug, Clone)]
pub struct TokenSet {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    /// Who logged in (OpenID Connect Core section 2), where the scope `openid` was asked for. It opens nothing.
    pub(crate) id: Option<Secret>,
    pub(crate) expires_at: Option<SystemTime>,
    pub(crate) refresh_expires_at: Option<SystemTime>,
    pub(crate) scopes: Vec<String>,
    /// The header of requests, made when the first one needs it.
    bearer: OnceLock<HeaderValue>,
}

impl TokenSet {
    /// An access token whose end is not known: it is used until the service refuses it.
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

    /// Reads the answer of a token endpoint. A life time that is absent, not positive or without bounds is an end that is not known.
    ///
    /// # Errors
    /// The answer holds no access token, or one that is no bearer token. Not a byte of it is shown: it may hold tokens.
    pub(super) fn read(body: &[u8], now: SystemTime) -> Result<Self> {
        const LIFE: [&str; 1] = ["expires_in"];
        const END: [&str; 2] = ["expires_on", "expires_at"];
        // The guide's spelling, and GitHub's, beside Keycloak's.
        const REFRESH_LIFE: [&str; 3] = ["refresh_expires_in", "refresh_expries_in", "refresh_token_expires_in"];
        const REFRESH_END: [&str; 3] = ["refresh_expires_on", "refresh_expires_at", "refresh_token_expires_at"];
        let unclear = || Error::auth("the identity provider's answer could not be understood");
        let members = Members::read(body).ok_or_else(unclear)?.holder_of("access_token");
        let access = members.secret("access_token").ok_or_else(unclear)?;
        let kind = members.text(&["token_type"]).unwrap_or_default().to_ascii_lowercase();
        if PROVEN_TYPES.contains(&kind.as_str()) {
            return Err(Error::auth(format!(
                "the identity provider gave a {kind} token, and only bearer tokens can be used; let it give bearer tokens to this client"
            )));
        }
        let end = |life: &[&str], end: &[&str]| {
            let life = members.span(life).and_then(|life| now.checked_add(life));
            life.or_else(|| members.moment(end).filter(|end| *end > now))
        };
        // No token holds a blank (RFC 6750 section 2.1), so this is its scheme.
        let bare = access.expose().split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let mut tokens = Self::new(bare.map_or_else(|| access.clone(), |(_, token)| Secret::new(token.trim())));
        tokens.refresh = members.secret("refresh_token");
        tokens.id = members.secret("id_token");
        tokens.expires_at = end(&LIFE, &END);
        tokens.refresh_expires_at = end(&REFRESH_LIFE, &REFRESH_END);
        tokens.scopes = members.words(&["scope", "scopes"]);
        Ok(tokens)
    }

    /// Adds the refresh token (RFC 6749 section 1.5).
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<Secret>) -> Self {
        self.refresh = Some(token.into());
        self
    }

    /// When the access token ends.
    #[must_use]
    pub fn expires_at(mut self, at: SystemTime) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// When the refresh token ends.
    #[must_use]
    pub fn refresh_expires_at(mut self, at: SystemTime) -> Self {
        self.refresh_expires_at = Some(at);
        self
    }

    /// The access token.
    pub fn access_token(&self) -> &Secret {
        &self.access
    }

    /// The scopes that were granted, where the provider said so.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// `Authorization` for a request (RFC 6750 section 2.1). All requests share one text, which is wiped like the token itself.
    pub(crate) fn bearer(&self) -> Result<HeaderValue> {
        if let Some(value) = self.bearer.get() {
            return Ok(value.clone());
        }
        let text = Zeroizing::new(["Bearer ", self.access.expose()].concat().into_bytes());
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text))
            .map_err(|_| Error::auth("the access token holds characters that no header may hold"))?;
        value.set_sensitive(true);
        Ok(self.bearer.get_or_init(|| value).clone())
    }

    /// These tokens as what follows others after a refresh. RFC 6749 section 6: what the answer does not hold goes on as it was.
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

    pub(crate) fn is_alive(&self, now: SystemTime) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether the refresh token may still work, by this machine's clock.
    pub(crate) fn refresh_is_alive(&self, now: SystemTime) -> bool {
        self.refresh_expires_at.is_none_or(|end| now < end)
    }

    /// Whether both have the same access token.
    pub(crate) fn same_access(&self, other: &Self) -> bool {
        self.access.is(other.access.expose())
    }

    /// When to fetch the next token: 30 seconds before the end, or a tenth of the life of a short-lived token, spread by `random`.
    pub(crate) fn renew_at(&self, now: SystemTime, random: f64) -> Option<SystemTime> {
        const MARGIN: Duration = Duration::from_secs(30);
        let end = self.expires_at?;
        let life = end.duration_since(now).unwrap_or_default();
        let margin = MARGIN.min(life / 10).mul_f64(0.75 + 0.5 * random);
        Some(end.checked_sub(margin).unwrap_or(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_relative_for_short_lives() {
        let now = SystemTime::UNIX_EPOCH;
        let at = |life: u64| TokenSet::new("a").expires_at(now + Duration::from_secs(life)).renew_at(now, 0.5);
        assert_eq!(at(300), Some(now + Duration::from_secs(270)));
        assert_eq!(at(5), Some(now + Duration::from_millis(4500)));
        assert_eq!(TokenSet::new("a").renew_at(now, 0.5), None);
    }
}
