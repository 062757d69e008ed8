//! The persistent state of the realm: sessions, access tokens, codes, devices, login pages.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The time that expired entries are kept, so that their use gets its own error ("Device code is expired" instead of "not valid").
const RETENTION_MS: u64 = 24 * 3600 * 1000;

/// The complete state of the realm.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RealmState {
    /// The number of the last id.
    drawn: u64,
    /// The number of changes of the signing keys.
    pub(super) key_generation: u32,
    /// Users enabled or disabled after the start.
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
    /// Logged-in browsers: cookie → user name.
    pub(super) browsers: BTreeMap<String, String>,
}

/// A login of a user by a client.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) username: String,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) status: SessionStatus,
    pub(super) started_ms: u64,
    /// The end of the newest refresh token. `None`: no fixed end, or no token yet.
    pub(super) refresh_until_ms: Option<u64>,
    /// The newest refresh token. With rotation, older refresh tokens are invalid.
    pub(super) refresh_jti: Option<String>,
}

/// The status of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionStatus {
    Active,
    /// The refresh token has expired. Access tokens stay valid.
    RefreshExpired,
    /// A code or a refresh token was used twice.
    Compromised,
    /// Logged out or revoked.
    Ended,
}

/// An access token.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AccessToken {
    pub(super) session: String,
    pub(super) until_ms: u64,
    pub(super) revoked: bool,
}

/// An authorization code.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AuthorizationCode {
    pub(super) session: String,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) until_ms: u64,
    pub(super) used: bool,
}

/// A device authorization.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DeviceAuthorization {
    pub(super) user_code: String,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) challenge: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) until_ms: u64,
    pub(super) last_poll_ms: Option<u64>,
    pub(super) decision: Decision,
}

/// The decision of the user about a device.
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
    /// The user who logged in, while the page shows the consent form.
    pub(super) username: Option<String>,
}

/// The purpose of a login page.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LoginPurpose {
    /// An authorization code.
    Code(AuthorizationRequest),
    /// Approval of the device with this device code.
    Device(String),
}

/// A validated authorization request.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<String>,
}

impl RealmState {
    /// Returns the name of the next id.
    pub(super) fn next_id(&mut self) -> String {
        self.drawn += 1;
        self.drawn.to_string()
    }

    /// Removes entries that expired more than a day ago.
    pub(super) fn remove_expired(&mut self, now_ms: u64) {
        let keep = |until_ms: u64| until_ms.saturating_add(RETENTION_MS) > now_ms;
        self.access.retain(|_, access| keep(access.until_ms));
        self.codes.retain(|_, code| keep(code.until_ms));
        self.devices.retain(|_, device| keep(device.until_ms));
        self.logins.retain(|_, login| keep(login.until_ms));
        self.sessions.retain(|_, session| session.refresh_until_ms.is_none_or(keep));
    }

    /// Returns the device code of a typed user code, ignoring case, spaces and the hyphen.
    pub(super) fn device_code_of(&self, typed: &str) -> Option<String> {
        let bare = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
        let typed_code = bare(typed).to_ascii_uppercase();
        self.devices.iter().find(|(_, device)| bare(&device.user_code) == typed_code).map(|(code, _)| code.clone())
    }
}

/// Returns the milliseconds since 1970.
pub(super) fn epoch_millis(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, duration_millis)
}

/// Returns a duration in milliseconds.
pub(super) fn duration_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
