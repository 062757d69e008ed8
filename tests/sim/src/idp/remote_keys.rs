//! Keys of another identity provider (RFC 7517), cached and refetched when a token names a new key.
//!
//! The HTTP client is reqwest, which the raw API crate depends on anyway. This crate enables no TLS: providers of a test run listen on loopback
//! http. https works once any crate of the program enables a TLS backend of reqwest.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation};
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::bearer::{BearerError, Principal};

/// Minimum interval between two fetches of the same URL, so that invalid tokens cannot cause a flood of requests.
const MIN_FETCH_INTERVAL: Duration = Duration::from_millis(500);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of a key set. Usual key sets have a few kilobytes.
const MAX_KEY_SET_BYTES: usize = 1 << 20;
/// Allowed difference between the clocks of two machines, in seconds.
const LEEWAY: u64 = 1;

/// Cached key sets, by URL.
#[derive(Default)]
pub(super) struct RemoteKeys {
    sets: Mutex<HashMap<String, CachedKeySet>>,
}

struct CachedKeySet {
    at: Instant,
    keys: JwkSet,
}

impl RemoteKeys {
    /// Checks signature, age and kind of `token`. The age is measured by the real clock, because the other provider knows no simulated clock.
    pub(super) async fn check(&self, url: &str, token: &str) -> Result<Principal, BearerError> {
        let invalid = |error: &dyn std::fmt::Display| BearerError::Invalid(error.to_string());
        let header = jsonwebtoken::decode_header(token).map_err(|error| invalid(&error))?;
        // A shared secret is never published, so an HMAC token is a forgery made from a public key.
        if header.alg.family() == AlgorithmFamily::Hmac {
            return Err(BearerError::Invalid("it is not signed with a published key".to_owned()));
        }
        let jwk = self.key(url, header.kid.as_deref(), header.alg).await?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|error| invalid(&error))?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        // Audiences differ between providers, and authorization by audience is not simulated.
        validation.validate_aud = false;
        let claims: Value =
            jsonwebtoken::decode(token, &key, &validation).map(|token| token.claims).map_err(|error| {
                use jsonwebtoken::errors::ErrorKind;
                if matches!(error.kind(), ErrorKind::ExpiredSignature) { BearerError::Expired } else { invalid(&error) }
            })?;
        // Where the token names its kind, as Keycloak's do, an ID token is rejected.
        if claims["typ"].as_str().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(BearerError::Invalid("it is not an access token".to_owned()));
        }
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        Ok(Principal {
            subject: text("sub").unwrap_or_default(),
            username: text("preferred_username"),
            client_id: text("azp").or_else(|| text("client_id")),
            session: text("sid"),
        })
    }

    /// Returns the key of a token. The lock is held during the fetch, so that many requests with a new key cause one fetch.
    async fn key(&self, url: &str, kid: Option<&str>, alg: Algorithm) -> Result<Jwk, BearerError> {
        let mut sets = self.sets.lock().await;
        if let Some(fetched) = sets.get(url) {
            if let Some(jwk) = find_key(&fetched.keys, kid, alg) {
                return Ok(jwk);
            }
            if fetched.at.elapsed() < MIN_FETCH_INTERVAL {
                return Err(unknown_key());
            }
        }
        let keys = fetch(url).await.map_err(BearerError::KeysUnavailable)?;
        let found = find_key(&keys, kid, alg);
        sets.insert(url.to_owned(), CachedKeySet { at: Instant::now(), keys });
        found.ok_or_else(unknown_key)
    }
}

fn unknown_key() -> BearerError {
    BearerError::Invalid("it is signed with a key that is not published".to_owned())
}

/// Finds the signing key with this id and algorithm. Without an id, the first key of the algorithm.
fn find_key(keys: &JwkSet, kid: Option<&str>, alg: Algorithm) -> Option<Jwk> {
    let fits = |jwk: &&Jwk| {
        let common = &jwk.common;
        let named = kid.is_none() || common.key_id.as_deref() == kid;
        let signs = common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let same = common.key_algorithm.is_none_or(|own| own == KeyAlgorithm::from(alg));
        named && signs && same && DecodingKey::from_jwk(jwk).is_ok_and(|key| key.family() == alg.family())
    };
    keys.keys.iter().find(fits).cloned()
}

async fn fetch(url: &str) -> Result<JwkSet, String> {
    // Created per fetch: fetches are rare, and a pooled connection would belong to the runtime of the first caller.
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .timeout(FETCH_TIMEOUT)
        .no_proxy()
        .build()
        .map_err(|error| chain(&error))?;
    let response = client.get(url).send().await.map_err(|error| chain(&error))?;
    if !response.status().is_success() {
        return Err(format!("{url} answered {}", response.status()));
    }
    let mut body = Vec::new();
    let mut parts = response.bytes_stream();
    while let Some(part) = parts.next().await {
        body.extend_from_slice(&part.map_err(|error| chain(&error))?);
        if body.len() > MAX_KEY_SET_BYTES {
            return Err(format!("{url} answered more than {MAX_KEY_SET_BYTES} bytes"));
        }
    }
    let set: Value = serde_json::from_slice(&body).map_err(|error| format!("{url}: {error}"))?;
    let keys = set["keys"].as_array().ok_or_else(|| format!("{url} has no `keys`"))?;
    // Keys of unknown kinds are skipped, so that the other keys remain usable.
    Ok(JwkSet { keys: keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect() })
}

/// Returns an error with its causes in one line, because reqwest's `Display` omits the causes.
fn chain(error: &reqwest::Error) -> String {
    let first: &dyn std::error::Error = error;
    let texts: Vec<String> =
        std::iter::successors(Some(first), |error| error.source()).map(ToString::to_string).collect();
    texts.join(": ")
}
