//! Tokens and other secrets: wiped from memory when dropped, never shown.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderValue;
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

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

    /// The refresh token, unless its end is known and past.
    pub(crate) fn usable_refresh(&self, now: SystemTime) -> Option<&Secret> {
        self.refresh.as_ref().filter(|_| self.refresh_expires_at.is_none_or(|end| now < end))
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
