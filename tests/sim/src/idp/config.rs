//! Configuration of the identity provider: clients, users, lifetimes.

use std::time::Duration;

use crate::clock::SimClock;

/// Settings of a [`Provider`](super::Provider): one realm, its clients, its users, the lifetimes of its tokens.
///
/// The main client and the main user have their own fields, because most tests need no others. `clients` and `users` add more.
#[derive(Clone)]
#[non_exhaustive]
pub struct IdpConfig {
    /// The workspace, which is also the name of the realm.
    pub workspace: String,
    /// The id of the main client, which may use every flow.
    pub client_id: String,
    /// The secret of the main client; `None` makes it a public client.
    pub client_secret: Option<String>,
    /// The name of the main user.
    pub username: String,
    /// The password of the main user.
    pub password: String,
    /// The lifetime of access tokens.
    pub token_ttl: Duration,
    /// The lifetime of refresh tokens, which is also the idle time of sessions. Zero: no fixed end.
    pub refresh_ttl: Duration,
    /// True if a refresh token can be used only once. A second use ends its session.
    pub rotate_refresh: bool,
    /// The seed of all ids, codes and signing secrets.
    pub seed: u64,
    /// The clock that measures all lifetimes.
    pub clock: SimClock,
    /// The lifetime of authorization codes.
    pub code_ttl: Duration,
    /// The lifetime of device codes.
    pub device_ttl: Duration,
    /// The minimum interval between two polls of a device code.
    pub device_interval: Duration,
    /// The maximum lifetime of a session, with any number of refreshes. Zero: no limit.
    pub session_max: Duration,
    /// True if an authorization request with the scope `openid` must have a `nonce`, as some providers require.
    pub require_nonce: bool,
    /// The methods by which clients may send their secret.
    pub client_auth: ClientAuth,
    /// Additional clients.
    pub clients: Vec<ClientSettings>,
    /// Additional users.
    pub users: Vec<UserSettings>,
}

impl IdpConfig {
    /// Creates the default configuration.
    ///
    /// Lifetimes: access tokens 300 s, refresh tokens 1800 s, codes 60 s, device codes 600 s with an interval of 5 s, sessions ten hours. Refresh
    /// tokens do not rotate.
    pub fn new(workspace: impl Into<String>, clock: SimClock) -> Self {
        Self {
            workspace: workspace.into(),
            client_id: "documine-client".to_owned(),
            client_secret: Some("documine-client-secret".to_owned()),
            username: "analyst".to_owned(),
            password: "analyst-password".to_owned(),
            token_ttl: Duration::from_secs(300),
            refresh_ttl: Duration::from_secs(1800),
            rotate_refresh: false,
            seed: 1,
            clock,
            code_ttl: Duration::from_secs(60),
            device_ttl: Duration::from_secs(600),
            device_interval: Duration::from_secs(5),
            session_max: Duration::from_secs(36_000),
            require_nonce: false,
            client_auth: ClientAuth::Any,
            clients: Vec::new(),
            users: Vec::new(),
        }
    }

    /// Returns all clients, the main client first.
    pub(super) fn all_clients(&self) -> Vec<ClientSettings> {
        let main = match &self.client_secret {
            Some(secret) => ClientSettings::confidential(&self.client_id, secret),
            None => ClientSettings::public(&self.client_id),
        };
        std::iter::once(main).chain(self.clients.iter().cloned()).collect()
    }

    /// Returns all users, the main user first.
    pub(super) fn all_users(&self) -> Vec<UserSettings> {
        std::iter::once(UserSettings::new(&self.username, &self.password)).chain(self.users.iter().cloned()).collect()
    }
}

/// The methods by which clients may send their secret (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// In the header or in the form.
    #[default]
    Any,
    /// In the header only (`client_secret_basic`).
    Basic,
    /// In the form only (`client_secret_post`).
    Post,
}

impl ClientAuth {
    /// Returns the names of the methods in discovery.
    pub(super) fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Any => &["client_secret_basic", "client_secret_post"],
            Self::Basic => &["client_secret_basic"],
            Self::Post => &["client_secret_post"],
        }
    }
}

/// A client (an application) of the realm.
#[derive(Clone)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "independent switches, as in the settings of a provider")]
pub struct ClientSettings {
    /// The `client_id`.
    pub id: String,
    /// The secret. `None` for a public client, whose secret is ignored.
    pub secret: Option<String>,
    /// True if the client is enabled. A disabled client is treated like an unknown client.
    pub enabled: bool,
    /// True if the client may use the resource owner password grant.
    pub password_grant: bool,
    /// True if the client may use the authorization code grant.
    pub code_grant: bool,
    /// True if the client may use the device authorization grant.
    pub device_grant: bool,
    /// True if the login page requests consent at each login (authorization code grant). The device grant always does.
    pub consent: bool,
    /// The PKCE policy.
    pub pkce: Pkce,
    /// Redirect URIs beside the loopback URIs (`http://127.0.0.1`, `http://[::1]`, `http://localhost`, any port and path), which are always allowed.
    /// A trailing `*` is a wildcard.
    pub redirect_uris: Vec<String>,
}

impl ClientSettings {
    /// Creates a client without a secret that may use every flow.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            enabled: true,
            password_grant: true,
            code_grant: true,
            device_grant: true,
            consent: false,
            pkce: Pkce::Optional,
            redirect_uris: Vec::new(),
        }
    }

    /// Creates a client with a secret that may use every flow.
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { secret: Some(secret.into()), ..Self::public(id) }
    }

    /// Sets the PKCE policy.
    #[must_use]
    pub fn with_pkce(mut self, pkce: Pkce) -> Self {
        self.pkce = pkce;
        self
    }
}

/// The PKCE policy of a client (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkce {
    /// The client may send a challenge, with `S256` only.
    Optional,
    /// The client must send a challenge in the code flow and the device flow, with `S256` only.
    Required,
}

/// A user of the realm.
#[derive(Clone)]
#[non_exhaustive]
pub struct UserSettings {
    /// The user name, without regard to case.
    pub username: String,
    /// The password.
    pub password: String,
    /// The e-mail address, which also serves as user name.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// True if the user is enabled. A disabled user cannot log in.
    pub enabled: bool,
    /// `false` for an account that needs an action of the user first.
    pub set_up: bool,
}

impl UserSettings {
    /// Creates an enabled user whose e-mail address and names are derived from the user name.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        let username = username.into();
        let mut letters = username.chars();
        let first_name = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
        Self {
            email: if username.contains('@') { username.clone() } else { format!("{username}@documine.test") },
            first_name,
            last_name: "Test".to_owned(),
            username,
            password: password.into(),
            enabled: true,
            set_up: true,
        }
    }
}
