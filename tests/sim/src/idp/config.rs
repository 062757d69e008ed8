//! Who the identity provider knows, and how long what it hands out lives.

use std::time::Duration;

use crate::clock::SimClock;

/// Settings of a [`Provider`](super::Provider): one realm, its clients, its users, the lives of its tokens.
///
/// The main client and the main user stand in fields of their own, because most tests need no other; `clients` and `users` add more.
#[derive(Clone)]
#[non_exhaustive]
pub struct IdpConfig {
    /// The workspace, which is the name of the realm.
    pub workspace: String,
    /// The id of the main client; it may use every flow.
    pub client_id: String,
    /// The secret of the main client; `None` makes it a public client.
    pub client_secret: Option<String>,
    /// The name of the main user.
    pub username: String,
    /// The password of the main user.
    pub password: String,
    /// How long an access token lives.
    pub token_ttl: Duration,
    /// How long a refresh token lives, which is how long a session may idle. Zero: no fixed end.
    pub refresh_ttl: Duration,
    /// Whether a refresh token is good for one use only. A second use ends its session.
    pub rotate_refresh: bool,
    /// Everything drawn (ids, codes, secrets of the signature) follows from this number.
    pub seed: u64,
    /// The time all lives are measured by.
    pub clock: SimClock,
    /// How long an authorization code lives.
    pub code_ttl: Duration,
    /// How long a device code lives.
    pub device_ttl: Duration,
    /// The shortest pause between two polls of a device code.
    pub device_interval: Duration,
    /// How long a session lives at most, however often it is refreshed. Zero: no limit.
    pub session_max: Duration,
    /// True if a request for a code with the scope `openid` must have a `nonce`, as some providers require.
    pub require_nonce: bool,
    /// The places where clients may send their secret.
    pub client_auth: ClientAuth,
    /// Further clients.
    pub clients: Vec<ClientSettings>,
    /// Further users.
    pub users: Vec<UserSettings>,
}

impl IdpConfig {
    /// The usual realm: access tokens of 300 s, refresh tokens of 1800 s, codes of 60 s, device codes of 600 s polled every 5 s,
    /// sessions of ten hours, no rotation.
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

    /// Every client, the main one first.
    pub(super) fn all_clients(&self) -> Vec<ClientSettings> {
        let main = match &self.client_secret {
            Some(secret) => ClientSettings::confidential(&self.client_id, secret),
            None => ClientSettings::public(&self.client_id),
        };
        std::iter::once(main).chain(self.clients.iter().cloned()).collect()
    }

    /// Every user, the main one first.
    pub(super) fn all_users(&self) -> Vec<UserSettings> {
        std::iter::once(UserSettings::new(&self.username, &self.password)).chain(self.users.iter().cloned()).collect()
    }
}

/// The places where clients may send their secret (RFC 6749 section 2.3.1).
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

/// One client (an application) of the realm.
#[derive(Clone)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "independent switches, as a provider's own settings have them")]
pub struct ClientSettings {
    /// Its `client_id`.
    pub id: String,
    /// Its secret; `None` for a public client, whose secret is not looked at.
    pub secret: Option<String>,
    /// A disabled client is treated like an unknown one.
    pub enabled: bool,
    /// Whether it may send user name and password (resource owner password grant).
    pub password_grant: bool,
    /// Whether it may send people to the login page (authorization code grant).
    pub code_grant: bool,
    /// Whether it may use the device authorization grant.
    pub device_grant: bool,
    /// Whether people are asked at each login by the login page (authorization code grant) if they allow it. A device always asks.
    pub consent: bool,
    /// What is asked of it about PKCE.
    pub pkce: Pkce,
    /// Redirect URIs beside the loopback ones (`http://127.0.0.1`, `http://[::1]`, `http://localhost`, any port and path), which are always
    /// good. A `*` at the end stands for anything.
    pub redirect_uris: Vec<String>,
}

impl ClientSettings {
    /// A client without a secret that may use every flow.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            enabled: true,
            password_grant: true,
            code_grant: true,
            device_grant: true,
            consent: false,
            pkce: Pkce::Offered,
            redirect_uris: Vec::new(),
        }
    }

    /// A client with a secret that may use every flow.
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { secret: Some(secret.into()), ..Self::public(id) }
    }

    /// The same client with another rule about PKCE.
    #[must_use]
    pub fn with_pkce(mut self, pkce: Pkce) -> Self {
        self.pkce = pkce;
        self
    }
}

/// What is asked of a client about PKCE (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkce {
    /// It may send a challenge; `S256` only.
    Offered,
    /// It must send a challenge, in the code flow and in the device flow; `S256` only.
    Required,
    /// It may send a challenge, `plain` too.
    PlainToo,
}

/// One user of the realm.
#[derive(Clone)]
#[non_exhaustive]
pub struct UserSettings {
    /// The name; letters count the same in upper and lower case.
    pub username: String,
    /// The password.
    pub password: String,
    /// The e-mail address, good as a user name too.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// A disabled user can't log in.
    pub enabled: bool,
    /// `false`: the account waits for something the user must do first.
    pub set_up: bool,
}

impl UserSettings {
    /// An enabled user whose e-mail address and names are made from the user name.
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
