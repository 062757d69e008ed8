//! The stored form of logins and tokens: JSON with a version.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
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

/// The JSON to write.
#[derive(Serialize)]
struct LoginToWrite<'a> {
    version: u64,
    client_id: &'a str,
    token_endpoint: &'a str,
    account: Option<&'a str>,
    #[serde(flatten)]
    tokens: TokensToWrite<'a>,
}

/// The tokens to write. Times are milliseconds since 1970.
#[derive(Serialize)]
struct TokensToWrite<'a> {
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    id_token: Option<&'a str>,
    expires_at: Option<u64>,
    refresh_expires_at: Option<u64>,
    scopes: &'a [String],
}

/// Tokens without their owner.
#[derive(Serialize)]
struct TokensAlone<'a> {
    version: u64,
    #[serde(flatten)]
    tokens: TokensToWrite<'a>,
}

#[derive(Deserialize)]
struct RecordVersion {
    version: u64,
}

/// The owner of a login to read.
#[derive(Deserialize)]
struct OwnerToRead {
    client_id: String,
    token_endpoint: Url,
    account: Option<String>,
}

/// The tokens to read.
#[derive(Deserialize)]
struct TokensToRead {
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
        let login = LoginToWrite {
            version: VERSION,
            client_id: &self.client_id,
            token_endpoint: self.token_endpoint.as_str(),
            account: self.account.as_deref(),
            tokens: TokensToWrite::new(&self.tokens),
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

    pub(super) fn parse(json: &str) -> Result<Self, UnreadableRecord> {
        let owner: OwnerToRead = parse_versioned(json, VERSION)?;
        // A second time: flattened fields would be copied, and an error would not know its line.
        let tokens: TokensToRead = parse_versioned(json, VERSION)?;
        let (client_id, token_endpoint, account) = (owner.client_id, owner.token_endpoint, owner.account);
        Ok(Self { tokens: tokens.into(), client_id, token_endpoint, account })
    }
}

impl TokenSet {
    /// Returns the tokens as JSON, to keep them in the session of a user: [`from_json`](Self::from_json) reads it. Other users must not be able to
    /// read it; encrypt it in a cookie or a database.
    ///
    /// Refresh tokens are often valid for one use only. If several processes use these tokens at the same time, share them by a
    /// [`TokenStore`](super::TokenStore) instead.
    ///
    /// ```
    /// use documine::auth::TokenSet;
    /// # fn main() -> documine::Result<()> {
    /// let json = TokenSet::new("eyJ…").to_json();
    /// assert_eq!(format!("{json:?}"), "[redacted]");
    /// let tokens = TokenSet::from_json(json.expose())?;
    /// # Ok(()) }
    /// ```
    pub fn to_json(&self) -> Secret {
        let tokens = TokensAlone { version: VERSION, tokens: TokensToWrite::new(self) };
        // Serialization can't fail: the fields are texts, numbers and a list of texts.
        Secret::new(serde_json::to_string(&tokens).unwrap_or_default())
    }

    /// Parses the JSON of [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// The JSON was written by a newer version of this library, or holds no tokens. The text is not shown.
    pub fn from_json(json: &str) -> Result<Self> {
        let tokens: Result<TokensToRead, _> = parse_versioned(json, VERSION);
        tokens.map(Self::from).map_err(|error| Error::config(format!("the JSON of the tokens {error}")))
    }
}

impl<'a> TokensToWrite<'a> {
    fn new(tokens: &'a TokenSet) -> Self {
        Self {
            access_token: tokens.access.expose(),
            refresh_token: tokens.refresh.as_ref().map(Secret::expose),
            id_token: tokens.id.as_ref().map(Secret::expose),
            expires_at: tokens.expires_at.map(milliseconds),
            refresh_expires_at: tokens.refresh_expires_at.map(milliseconds),
            scopes: &tokens.scopes,
        }
    }
}

impl From<TokensToRead> for TokenSet {
    fn from(read: TokensToRead) -> Self {
        let mut tokens = Self::new(read.access_token);
        tokens.refresh = read.refresh_token;
        tokens.id = read.id_token;
        tokens.expires_at = read.expires_at.and_then(from_milliseconds);
        tokens.refresh_expires_at = read.refresh_expires_at.and_then(from_milliseconds);
        tokens.scopes = read.scopes;
        tokens
    }
}

/// Parses JSON with a version, if the version is not newer than `supported`.
pub(in crate::auth) fn parse_versioned<T: DeserializeOwned>(json: &str, supported: u64) -> Result<T, UnreadableRecord> {
    let damaged = |error: serde_json::Error| UnreadableRecord::Damaged { line: error.line(), column: error.column() };
    let RecordVersion { version } = serde_json::from_str(json).map_err(damaged)?;
    if version > supported {
        return Err(UnreadableRecord::Newer { version, supported });
    }
    serde_json::from_str(json).map_err(damaged)
}

/// The reason why a text can't be parsed.
#[derive(Debug)]
pub(in crate::auth) enum UnreadableRecord {
    Damaged { line: usize, column: usize },
    Newer { version: u64, supported: u64 },
}

impl fmt::Display for UnreadableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { line, column } => write!(f, "is damaged at line {line}, column {column}"),
            Self::Newer { version, supported } => {
                write!(
                    f,
                    "was written by a newer version of this library (format {version}, supported: {supported}); update the program"
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

pub(in crate::auth) fn milliseconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

pub(in crate::auth) fn from_milliseconds(milliseconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}
