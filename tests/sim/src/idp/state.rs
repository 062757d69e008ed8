//! What the realm remembers: sessions, access tokens, codes, open login pages. All of it can be saved and loaded.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// How long things that are over are kept, so that using them again gets its own answer ("Device code is expired", not "unknown").
const RETENTION_MS: u64 = 24 * 3600 * 1000;

/// Everything that changes.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RealmState {
    /// Number of the next id.
    drawn: u64,
    /// How often the signing keys were changed.
    pub(super) key_generation: u32,
    /// Users switched on or off after the start.
    pub(super) user_switches: BTreeMap<String, bool>,
    pub(super) sessions: BTreeMap<String, Session>,
    /// Access tokens by their `jti`.
    pub(super) access: BTreeMap<String, AccessToken>,
    /// Authorization codes.
    pub(super) codes: BTreeMap<String, AuthorizationCode>,
    /// Device authorizations by device code.
    pub(super) devices: BTreeMap<String, DeviceAuthorization>,
    /// Open login pages.
    pub(super) logins: BTreeMap<String, LoginPage>,
    /// Browsers in which somebody is logged in: cookie → user name.
    pub(super) browsers: BTreeMap<String, String>,
}

/// One login of one user by one client.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) username: String,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) status: SessionStatus,
    pub(super) started_ms: u64,
    /// When the newest refresh token ends; `None`: no fixed end, or no token yet.
    pub(super) refresh_until_ms: Option<u64>,
    /// The newest refresh token; older ones are spent where tokens rotate.
    pub(super) refresh_jti: Option<String>,
}

/// What became of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionStatus {
    Active,
    /// Its refresh token was made to expire; access tokens go on.
    RefreshExpired,
    /// A code or a refresh token of it was used twice.
    Compromised,
    /// Logged out or revoked.
    Ended,
}

/// One access token.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AccessToken {
    pub(super) session: String,
    pub(super) until_ms: u64,
    pub(super) revoked: bool,
}

/// One authorization code.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AuthorizationCode {
    pub(super) session: String,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<PkceChallenge>,
    pub(super) nonce: Option<String>,
    pub(super) until_ms: u64,
    pub(super) used: bool,
}

/// A PKCE challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PkceChallenge {
    pub(super) text: String,
    pub(super) hashed: bool,
}

/// One device authorization.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DeviceAuthorization {
    pub(super) user_code: String,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) challenge: Option<PkceChallenge>,
    pub(super) nonce: Option<String>,
    pub(super) until_ms: u64,
    pub(super) last_poll_ms: Option<u64>,
    pub(super) decision: Decision,
}

/// What the person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decision {
    Pending,
    /// Approved by this user.
    Approved(String),
    Denied,
}

/// An open login page.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct LoginPage {
    pub(super) purpose: LoginPurpose,
    pub(super) until_ms: u64,
    /// Who logged in here, while the page asks for consent.
    pub(super) username: Option<String>,
}

/// What a login page leads to.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LoginPurpose {
    /// An authorization code.
    Code(AuthorizationRequest),
    /// Approval of the device with this device code.
    Device(String),
}

/// A valid authorization request.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) form_post: bool,
    pub(super) state: Option<String>,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<PkceChallenge>,
}

impl RealmState {
    /// The name of the next drawn id.
    pub(super) fn next_id(&mut self) -> String {
        self.drawn += 1;
        self.drawn.to_string()
    }

    /// Forgets what has been over for a day.
    pub(super) fn remove_expired(&mut self, now_ms: u64) {
        let keep = |until_ms: u64| until_ms.saturating_add(RETENTION_MS) > now_ms;
        self.access.retain(|_, access| keep(access.until_ms));
        self.codes.retain(|_, code| keep(code.until_ms));
        self.devices.retain(|_, device| keep(device.until_ms));
        self.logins.retain(|_, login| keep(login.until_ms));
        self.sessions.retain(|_, session| session.refresh_until_ms.is_none_or(keep));
    }

    /// The device code behind what a person typed: case, spaces and the dash don't matter.
    pub(super) fn device_code_of(&self, typed: &str) -> Option<String> {
        let bare = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
        let wanted = bare(typed).to_ascii_uppercase();
        self.devices.iter().find(|(_, device)| bare(&device.user_code) == wanted).map(|(code, _)| code.clone())
    }
}

/// Milliseconds since 1970.
pub(super) fn epoch_millis(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, duration_millis)
}

/// A length in milliseconds.
pub(super) fn duration_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
