//! The interface that an identity provider implements to run the scenarios.

use std::future::Future;
use std::pin::Pin;

use documine::auth::DeviceCode;

use crate::Failure;

/// The redirect URI of the clients, at any port of the loopback address (RFC 8252 section 7.3).
pub const REDIRECT: &str = "http://127.0.0.1/callback";

/// A boxed future, so that the trait stays object-safe.
pub type BoxFutureResult<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// An identity provider with two realms, and the actions of its users and its administrator.
pub trait Provider: Send + Sync {
    /// Its name, for the report.
    fn name(&self) -> &'static str;

    /// Returns the address, clients and users of a realm.
    fn realm(&self, realm_kind: RealmKind) -> &Realm;

    /// Returns the properties in which providers may differ.
    fn capabilities(&self) -> Capabilities;

    /// Visits `page`, the address of an authorization request, as `user` in a browser without a session. Returns the redirect URI with the response, which is
    /// not visited; `None` if the provider shows a page of its own instead.
    fn visit<'a>(&'a self, page: &'a str, user: &'a User, decision: Decision) -> BoxFutureResult<'a, Option<String>>;

    /// Completes a device login as `user`: opens the page, types the code, logs in, allows or denies.
    fn confirm<'a>(&'a self, prompt: &'a DevicePrompt, user: &'a User, decision: Decision) -> BoxFutureResult<'a, ()>;

    /// The administrator enables or disables an account.
    fn set_enabled<'a>(&'a self, realm_kind: RealmKind, user: &'a User, enabled: bool) -> BoxFutureResult<'a, ()>;

    /// The administrator ends all sessions of a user: refresh tokens of theirs work no more.
    fn end_sessions<'a>(&'a self, realm_kind: RealmKind, user: &'a User) -> BoxFutureResult<'a, ()>;

    /// The realm signs with new keys, and the old ones are not published any more. Nothing else runs meanwhile.
    fn change_keys(&self, realm_kind: RealmKind) -> BoxFutureResult<'_, ()>;

    /// Returns the number of token requests of this client with this grant so far, including rejected ones.
    fn token_requests<'a>(
        &'a self,
        realm_kind: RealmKind,
        client_id: &'a str,
        grant: Grant,
    ) -> BoxFutureResult<'a, u64>;
}

/// One of the two realms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmKind {
    /// Lenient: access tokens live 300 s, refresh tokens 1800 s and may be used again, codes 60 s, device codes 600 s.
    Lenient,
    /// Strict: access tokens live 5 s, refresh tokens 20 s and for one use (a second use ends the session), codes 4 s. Device codes are polled
    /// every 2 s; their lifetime is just long enough for the scenarios on a busy machine.
    Strict,
}

/// The user's decision on a consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Logs in, and grants the request.
    Allow,
    /// Logs in, and refuses.
    Deny,
}

/// The user code and page of a device login.
#[derive(Clone, Debug)]
pub struct DevicePrompt {
    /// The code to type.
    pub user_code: String,
    /// The page for the code.
    pub page: String,
}

impl From<&DeviceCode> for DevicePrompt {
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
    /// As `password`, but reserved for the scenarios that count its requests.
    pub counted: String,
    /// Public: code grant; the provider shows a consent page at each login.
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

/// A user account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name to log in with.
    pub name: String,
    /// The password.
    pub password: String,
}

/// The users of a realm. Scenarios that modify an account have their own account, so that scenarios can run concurrently.
#[derive(Clone, Debug)]
pub struct Users {
    /// Nothing special.
    pub plain: User,
    /// With a password full of characters that mean something elsewhere.
    pub special: User,
    /// Disabled from the beginning.
    pub disabled: User,
    /// Disabled and enabled by a scenario.
    pub switched: User,
    /// Sessions of this user are ended by a scenario.
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

/// Properties in which providers may differ. Everything else must be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent properties")]
pub struct Capabilities {
    /// A real Keycloak: the simulator's responses are compared with its responses literally.
    pub is_keycloak: bool,
    /// A device that polls too fast receives `slow_down` (optional in RFC 8628 section 3.5).
    pub says_slow_down: bool,
    /// Responses contain the expiry of the refresh token (`refresh_expires_in`, a Keycloak extension).
    pub tells_refresh_end: bool,
    /// The device grant supports PKCE, which no standard defines.
    pub device_pkce: bool,
    /// Refresh tokens stay valid after a change of the signing keys of access tokens: they may be signed with other keys, or not at all.
    pub refresh_outlives_keys: bool,
    /// An attempt with a wrong verifier invalidates the code (RFC 7636 section 4.6 requires only the refusal).
    pub wrong_verifier_burns: bool,
    /// A client without permission for a grant receives `unauthorized_client` (RFC 6749 section 5.2), not `invalid_request`.
    pub names_forbidden_grant: bool,
    /// A refresh token can end the user's session without a browser (a Keycloak extension).
    pub ends_session: bool,
    /// `offline_access` is granted without a consent page (optional in OpenID Connect Core section 11).
    pub offline_access: bool,
}
