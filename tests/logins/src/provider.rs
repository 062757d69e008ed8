//! What an identity provider has to show so that the stories can be told there.

use std::future::Future;
use std::pin::Pin;

use documine::DeviceCode;

use crate::Failure;

/// The redirect URI of the clients, at any port of the loopback address (RFC 8252 section 7.3).
pub const REDIRECT: &str = "http://127.0.0.1/callback";

/// A boxed future, so that the trait stays object-safe.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// An identity provider with two realms, and what its people and its administrator do.
pub trait Provider: Send + Sync {
    /// Its name, for the report.
    fn name(&self) -> &'static str;

    /// Where the two realms are, and who is known there.
    fn realm(&self, place: Place) -> &Realm;

    /// What may differ from provider to provider.
    fn facts(&self) -> Facts;

    /// What a person does who has opened `page`, the address of an authorization request, in a browser in which nobody is logged in. The answer
    /// is the address that the browser is sent back to, which is not visited; `None` where the provider shows a page of its own and leaves it at that.
    fn visit<'a>(&'a self, page: &'a str, user: &'a User, act: Act) -> Later<'a, Option<String>>;

    /// What a person does with what a device shows: open the page, type the code, log in as `user`, allow it or not.
    fn confirm<'a>(&'a self, screen: &'a Screen, user: &'a User, act: Act) -> Later<'a, ()>;

    /// The administrator enables or disables an account.
    fn set_enabled<'a>(&'a self, place: Place, user: &'a User, enabled: bool) -> Later<'a, ()>;

    /// The administrator ends all sessions of a user: refresh tokens of theirs work no more.
    fn end_sessions<'a>(&'a self, place: Place, user: &'a User) -> Later<'a, ()>;

    /// The realm signs with new keys, and the old ones are not published any more. Nothing else runs meanwhile.
    fn change_keys(&self, place: Place) -> Later<'_, ()>;

    /// How many requests of this grant the client has made at the token endpoint so far, refused ones included.
    fn token_requests<'a>(&'a self, place: Place, client_id: &'a str, grant: Grant) -> Later<'a, u64>;
}

/// One of the two realms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Patient: access tokens live 300 s, refresh tokens 1800 s and may be used again, codes 60 s, device codes 600 s.
    Long,
    /// Strict: access tokens live 5 s, refresh tokens 20 s and for one use (a second use ends the session), codes 4 s. Device codes are polled
    /// every 2 s; they live as long as a person needs at this provider, on a machine that has other work, and no longer.
    Short,
}

/// What a person does with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Logs in, and allows what is asked.
    Allow,
    /// Logs in, and refuses.
    Refuse,
}

/// What a device shows.
#[derive(Clone, Debug)]
pub struct Screen {
    /// The code to type.
    pub user_code: String,
    /// Where to type it.
    pub page: String,
}

impl From<&DeviceCode> for Screen {
    fn from(code: &DeviceCode) -> Self {
        Self { user_code: code.user_code.clone(), page: code.verification_uri.clone() }
    }
}

/// The grants that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// RFC 6749 section 4.1.
    Code,
    /// RFC 8628.
    Device,
    /// RFC 6749 section 4.3.
    Password,
    /// RFC 6749 section 6.
    Refresh,
}

impl Grant {
    /// As it stands in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "authorization_code",
            Self::Device => "urn:ietf:params:oauth:grant-type:device_code",
            Self::Password => "password",
            Self::Refresh => "refresh_token",
        }
    }
}

/// One realm.
#[derive(Clone, Debug)]
pub struct Realm {
    /// The address that the realms stand below, without a slash at the end: `http://127.0.0.1:8080`.
    pub base: String,
    /// The workspace, which is the name of the realm.
    pub workspace: String,
    /// The clients.
    pub clients: Clients,
    /// The people.
    pub users: Users,
}

impl Realm {
    /// A realm with the usual clients and users.
    pub fn usual(base: impl Into<String>, workspace: impl Into<String>) -> Self {
        Self { base: base.into(), workspace: workspace.into(), clients: Clients::usual(), users: Users::usual() }
    }

    /// The issuer (OpenID Connect Discovery), with the paths of Keycloak, which the SDK uses by default.
    pub fn issuer(&self) -> String {
        format!("{}/auth/realms/{}", self.base, self.workspace)
    }

    /// An endpoint: `auth`, `token`, `auth/device`, `certs`.
    pub fn endpoint(&self, name: &str) -> String {
        format!("{}/protocol/openid-connect/{name}", self.issuer())
    }
}

/// The clients of a realm, by what they may. All but `refused` know [`REDIRECT`].
#[derive(Clone, Debug)]
pub struct Clients {
    /// Public: code and device grant, each with PKCE forced where the provider can; no password grant.
    pub public: String,
    /// Public: password grant.
    pub password: String,
    /// As `password`, and used by nobody but the story that counts its requests.
    pub counted: String,
    /// Public: code grant; the provider asks the person for consent in each login.
    pub consent: String,
    /// Confidential, with its secret: password and code grant.
    pub confidential: (String, String),
}

impl Clients {
    /// The ids that all adapters use.
    pub fn usual() -> Self {
        Self {
            public: "documine-public".into(),
            password: "documine-password".into(),
            counted: "documine-counted".into(),
            consent: "documine-consent".into(),
            // Each of these characters is something else in a form.
            confidential: ("documine-server".into(), "s&c+%t".into()),
        }
    }
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name to log in with.
    pub name: String,
    /// The password.
    pub password: String,
}

/// The people of a realm. Each story that does something to an account has one of its own, so that stories can be told side by side.
#[derive(Clone, Debug)]
pub struct Users {
    /// Nothing special.
    pub plain: User,
    /// With a password full of characters that mean something elsewhere.
    pub special: User,
    /// Disabled from the beginning.
    pub disabled: User,
    /// Disabled and enabled by a story.
    pub switched: User,
    /// Whose sessions are ended by a story.
    pub ended: User,
}

impl Users {
    /// The names that all adapters use.
    pub fn usual() -> Self {
        let user = |name: &str, password: &str| User { name: name.into(), password: password.into() };
        Self {
            plain: user("alice", "alice-password"),
            special: user("bob", "p&ss+w%20rd =äöüß€"),
            disabled: user("carol", "carol-password"),
            switched: user("erin", "erin-password"),
            ended: user("frank", "frank-password"),
        }
    }

    /// All of them, each with whether the account is enabled at the beginning.
    pub fn all(&self) -> [(&User, bool); 5] {
        [
            (&self.plain, true),
            (&self.special, true),
            (&self.disabled, false),
            (&self.switched, true),
            (&self.ended, true),
        ]
    }
}

/// In what providers differ and may. Everything else must be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Facts {
    /// Whether it is a real Keycloak, so that the simulator's answers are held against its own, word by word.
    pub is_keycloak: bool,
    /// Whether a device that polls too fast is told `slow_down` (RFC 8628 section 3.5 leaves it to the provider).
    pub says_slow_down: bool,
    /// Whether answers tell the end of the refresh token: `refresh_expires_in` is Keycloak's own.
    pub tells_refresh_end: bool,
    /// Whether the device grant has PKCE, which no standard gives it.
    pub device_pkce: bool,
    /// Whether refresh tokens still work after the keys of access tokens were changed: they may be signed with the same, with others, or not at all.
    pub refresh_outlives_keys: bool,
    /// Whether a code is worthless after an attempt with a wrong verifier (RFC 7636 section 4.6 asks for the refusal alone).
    pub wrong_verifier_burns: bool,
    /// Whether a client that may not use a grant is told so by `unauthorized_client` (RFC 6749 section 5.2), and not by `invalid_request`.
    pub names_forbidden_grant: bool,
    /// Whether a program can end the person's session by its refresh token, without a browser: Keycloak's own way.
    pub ends_session: bool,
    /// Whether `offline_access` is granted without a page that asks for consent (OpenID Connect Core section 11 leaves it to the provider).
    pub offline_access: bool,
}
