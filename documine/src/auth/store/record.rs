//! The stored form of a login: JSON with a version.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::auth::secret::Secret;
use crate::auth::token::TokenSet;
use crate::error::{Error, Result};

/// The format that this version writes. The number increases when an old reader would misuse the new format.
const VERSION: u64 = 1;

/// A login in a [`TokenStore`](super::TokenStore): the tokens, and the client and provider that they belong to.
#[derive(Clone)]
pub struct StoredLogin {
    pub(crate) tokens: TokenSet,
    pub(crate) client_id: String,
    pub(crate) token_endpoint: Url,
    /// The user name that a password logged in with.
    pub(crate) account: Option<String>,
}

/// The JSON to write. Times are milliseconds since 1970.
#[derive(Serialize)]
struct LoginToWrite<'a> {
    version: u64,
    client_id: &'a str,
    token_endpoint: &'a str,
    account: Option<&'a str>,
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    id_token: Option<&'a str>,
    expires_at: Option<u64>,
    refresh_expires_at: Option<u64>,
    scopes: &'a [String],
}

#[derive(Deserialize)]
struct LoginVersion {
    version: u64,
}

/// The JSON to read.
#[derive(Deserialize)]
struct LoginToRead {
    client_id: String,
    token_endpoint: Url,
    account: Option<String>,
    access_token: Secret,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
    expires_at: Option<u64>,
    refresh_expires_at: Option<u64>,
    scopes: Vec<String>,
}

impl StoredLogin {
    /// Returns the tokens.
    pub fn tokens(&self) -> &TokenSet {
        &self.tokens
    }

    /// Returns the login as JSON. It holds the tokens, so other users must not be able to read it.
    pub fn to_json(&self) -> Secret {
        let tokens = &self.tokens;
        let login = LoginToWrite {
            version: VERSION,
            client_id: &self.client_id,
            token_endpoint: self.token_endpoint.as_str(),
            account: self.account.as_deref(),
            access_token: tokens.access.expose(),
            refresh_token: tokens.refresh.as_ref().map(Secret::expose),
            id_token: tokens.id.as_ref().map(Secret::expose),
            expires_at: tokens.expires_at.map(milliseconds),
            refresh_expires_at: tokens.refresh_expires_at.map(milliseconds),
            scopes: &tokens.scopes,
        };
        // Serialization can't fail: the fields are texts, numbers and a list of texts.
        Secret::new(serde_json::to_string_pretty(&login).unwrap_or_default())
    }

    /// Parses the JSON of [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// The JSON was written by a newer version of this library, or is not a login. The text is not shown: it may hold tokens.
    pub fn from_json(json: &str) -> Result<Self> {
        Self::parse(json).map_err(|error| Error::config(format!("the stored login {error}")))
    }

    pub(super) fn parse(json: &str) -> Result<Self, UnreadableLogin> {
        let damaged =
            |error: serde_json::Error| UnreadableLogin::Damaged { line: error.line(), column: error.column() };
        let LoginVersion { version } = serde_json::from_str(json).map_err(damaged)?;
        if version > VERSION {
            return Err(UnreadableLogin::Newer { version });
        }
        let read: LoginToRead = serde_json::from_str(json).map_err(damaged)?;
        let mut tokens = TokenSet::new(read.access_token);
        tokens.refresh = read.refresh_token;
        tokens.id = read.id_token;
        tokens.expires_at = read.expires_at.and_then(from_milliseconds);
        tokens.refresh_expires_at = read.refresh_expires_at.and_then(from_milliseconds);
        tokens.scopes = read.scopes;
        Ok(Self { tokens, client_id: read.client_id, token_endpoint: read.token_endpoint, account: read.account })
    }
}

/// The reason why a text can't be parsed as a login.
#[derive(Debug)]
pub(super) enum UnreadableLogin {
    Damaged { line: usize, column: usize },
    Newer { version: u64 },
}

impl fmt::Display for UnreadableLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { line, column } => write!(f, "is damaged at line {line}, column {column}"),
            Self::Newer { version } => {
                write!(
                    f,
                    "was written by a newer version of this library (format {version}, supported: {VERSION}); update the program"
                )
            }
        }
    }
}

/// Compares the JSON in constant time.
impl PartialEq for StoredLogin {
    fn eq(&self, other: &Self) -> bool {
        self.to_json().is(other.to_json().expose())
    }
}

impl Eq for StoredLogin {}

impl fmt::Debug for StoredLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredLogin")
            .field("client_id", &self.client_id)
            .field("token_endpoint", &self.token_endpoint.as_str())
            .field("account", &self.account)
            .field("tokens", &self.tokens)
            .finish()
    }
}

fn milliseconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

fn from_milliseconds(milliseconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}
