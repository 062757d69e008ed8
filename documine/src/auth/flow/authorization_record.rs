//! The stored form of a pending authorization: JSON with a version.

use std::time::SystemTime;

use oauth2::RedirectUrl;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::auth::secret::Secret;
use crate::auth::store::{UnreadableRecord, from_milliseconds, milliseconds, parse_versioned};
use crate::error::{Error, Result};

/// The format that this version writes. The number increases when an old reader would misuse the new format.
const VERSION: u64 = 1;

/// The part of an authorization that its response is checked and redeemed with.
pub(super) struct AuthorizationRecord {
    pub(super) url: Url,
    pub(super) redirect_uri: RedirectUrl,
    pub(super) state: Secret,
    pub(super) verifier: Secret,
    pub(super) nonce: Option<Secret>,
    pub(super) expires_at: Option<SystemTime>,
}

/// The JSON to write. Times are milliseconds since 1970.
#[derive(Serialize)]
struct RecordToWrite<'a> {
    version: u64,
    client_id: &'a str,
    token_endpoint: &'a str,
    url: &'a str,
    redirect_uri: &'a str,
    state: &'a str,
    code_verifier: &'a str,
    nonce: Option<&'a str>,
    expires_at: Option<u64>,
}

/// The JSON to read.
#[derive(Deserialize)]
struct RecordToRead {
    client_id: String,
    token_endpoint: Url,
    url: Url,
    redirect_uri: RedirectUrl,
    state: Secret,
    code_verifier: Secret,
    nonce: Option<Secret>,
    expires_at: Option<u64>,
}

impl AuthorizationRecord {
    pub(super) fn to_json(&self, client_id: &str, token_endpoint: &Url) -> Secret {
        let record = RecordToWrite {
            version: VERSION,
            client_id,
            token_endpoint: token_endpoint.as_str(),
            url: self.url.as_str(),
            redirect_uri: self.redirect_uri.as_str(),
            state: self.state.expose(),
            code_verifier: self.verifier.expose(),
            nonce: self.nonce.as_ref().map(Secret::expose),
            expires_at: self.expires_at.map(milliseconds),
        };
        // Serialization can't fail: the fields are texts and numbers.
        Secret::new(serde_json::to_string(&record).unwrap_or_default())
    }

    /// Parses the JSON of a login of this client at this token endpoint. The text is not shown: it holds secrets.
    pub(super) fn parse(json: &str, client_id: &str, token_endpoint: &Url) -> Result<Self> {
        let unreadable = |error: UnreadableRecord| Error::config(format!("the stored login {error}"));
        let record: RecordToRead = parse_versioned(json, VERSION).map_err(unreadable)?;
        if record.client_id != client_id || record.token_endpoint != *token_endpoint {
            return Err(Error::config(format!(
                "the stored login belongs to the client {:?} at {}, not to {client_id:?} at {token_endpoint}; \
                 resume it with the settings that started it",
                record.client_id, record.token_endpoint
            )));
        }
        // An empty state or verifier would match any response.
        if record.state.expose().is_empty() || record.code_verifier.expose().is_empty() {
            return Err(Error::config("the stored login is incomplete; start the login again"));
        }
        Ok(Self {
            url: record.url,
            redirect_uri: record.redirect_uri,
            state: record.state,
            verifier: record.code_verifier,
            nonce: record.nonce,
            expires_at: record.expires_at.and_then(from_milliseconds),
        })
    }
}
