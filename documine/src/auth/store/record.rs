//! What is kept of a login, and how it is written down.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use url::Url;

use super::super::token::{Secret, TokenSet};
use crate::error::{Error, Result};

/// The form that this version writes. It grows when a reader of the old form would do harm with the new one.
const VERSION: u64 = 1;

/// A login as a [`TokenStore`](super::TokenStore) keeps it: the tokens, and whom they may be shown to.
#[derive(Clone)]
pub struct StoredLogin {
    pub(crate) tokens: TokenSet,
    pub(crate) client_id: String,
    pub(crate) token_endpoint: Url,
}

/// The JSON. Times are milliseconds since 1970.
#[derive(Serialize)]
struct Written<'a> {
    version: u64,
    client_id: &'a str,
    token_endpoint: &'a str,
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    id_token: Option<&'a str>,
    expires_at: Option<u64>,
    refresh_expires_at: Option<u64>,
    scopes: &'a [String],
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Deserialize)]
struct Read {
    client_id: String,
    token_endpoint: Url,
    access_token: Secret,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
    expires_at: Option<u64>,
    refresh_expires_at: Option<u64>,
    scopes: Vec<String>,
}

impl StoredLogin {
    pub(crate) fn new(tokens: TokenSet, client_id: &str, token_endpoint: &Url) -> Self {
        Self { tokens, client_id: client_id.to_owned(), token_endpoint: token_endpoint.clone() }
    }

    /// The tokens.
    pub fn tokens(&self) -> &TokenSet {
        &self.tokens
    }

    /// The login as JSON, which holds the tokens: keep it where nobody else can read it.
    pub fn to_json(&self) -> Secret {
        let tokens = &self.tokens;
        let written = Written {
            version: VERSION,
            client_id: &self.client_id,
            token_endpoint: self.token_endpoint.as_str(),
            access_token: tokens.access.expose(),
            refresh_token: tokens.refresh.as_ref().map(Secret::expose),
            id_token: tokens.id.as_ref().map(Secret::expose),
            expires_at: tokens.expires_at.map(milliseconds),
            refresh_expires_at: tokens.refresh_expires_at.map(milliseconds),
            scopes: &tokens.scopes,
        };
        // Texts, numbers and lists of texts: nothing in it that JSON could not hold.
        Secret::new(serde_json::to_string_pretty(&written).unwrap_or_default())
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// It was written by a newer version of this library, or is no login. The text is not shown: it may hold tokens.
    pub fn from_json(json: &str) -> Result<Self> {
        Self::read(json).map_err(|unreadable| Error::config(format!("the stored login {unreadable}")))
    }

    pub(super) fn read(json: &str) -> Result<Self, Unreadable> {
        let damaged = |error: serde_json::Error| Unreadable::Damaged { line: error.line(), column: error.column() };
        let Version { version } = serde_json::from_str(json).map_err(damaged)?;
        if version > VERSION {
            return Err(Unreadable::Newer { version });
        }
        let read: Read = serde_json::from_str(json).map_err(damaged)?;
        let mut tokens = TokenSet::new(read.access_token);
        tokens.refresh = read.refresh_token;
        tokens.id = read.id_token;
        tokens.expires_at = read.expires_at.and_then(moment);
        tokens.refresh_expires_at = read.refresh_expires_at.and_then(moment);
        tokens.scopes = read.scopes;
        Ok(Self { tokens, client_id: read.client_id, token_endpoint: read.token_endpoint })
    }
}

/// Why a text is no login to us.
#[derive(Debug)]
pub(super) enum Unreadable {
    Damaged { line: usize, column: usize },
    Newer { version: u64 },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { line, column } => write!(f, "is damaged at line {line}, column {column}"),
            Self::Newer { version } => {
                write!(
                    f,
                    "was written by a newer version of this library (form {version}, known is {VERSION}); update the program"
                )
            }
        }
    }
}

/// Two are the same when their JSON is.
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
            .field("tokens", &self.tokens)
            .finish()
    }
}

fn milliseconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

fn moment(milliseconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}
