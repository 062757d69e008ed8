//! The identity provider of the simulator: one realm, shaped like Keycloak.
//!
//! It speaks OAuth 2.0 and OpenID Connect under `/auth/realms/{workspace}/`: password, refresh (with rotation if wished), authorization code with
//! PKCE and a login page, device code, revocation, logout, userinfo, discovery, keys. Statuses, headers and error bodies are those a real
//! Keycloak gives, because clients stumble over exactly these. Everything is drawn from a seed and lives by the simulated clock.

mod answers;
mod authorize;
mod config;
mod control;
mod device;
mod ends;
mod grants;
mod ids;
mod jwks;
mod keys;
mod login;
mod pages;
mod params;
mod pkce;
mod routes;
mod state;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

pub use authorize::{AuthMode, AuthRefusal, Principal};
pub use config::{ClientAuth, ClientSettings, IdpConfig, Pkce, UserSettings};
pub use routes::operation;

pub(crate) use routes::OPERATIONS;

use ids::Ids;
use state::State;

/// The identity provider. Clones share one realm.
///
/// ```
/// use documine_sim::SimClock;
/// use documine_sim::idp::{IdpConfig, Provider};
///
/// let provider = Provider::new(IdpConfig::new("acme", SimClock::manual()));
/// let app: axum::Router = provider.router();
/// # drop(app);
/// ```
#[derive(Clone)]
pub struct Provider {
    realm: Arc<Realm>,
}

struct Realm {
    config: IdpConfig,
    clients: Vec<ClientSettings>,
    users: Vec<UserSettings>,
    ids: Ids,
    keys: keys::Keys,
    foreign: jwks::Foreign,
    state: Mutex<State>,
}

impl Provider {
    /// A provider with nobody logged in yet.
    pub fn new(config: IdpConfig) -> Self {
        let ids = Ids::new(config.seed);
        Self {
            realm: Arc::new(Realm {
                clients: config.all_clients(),
                users: config.all_users(),
                ids,
                keys: keys::Keys::new(ids),
                foreign: jwks::Foreign::default(),
                state: Mutex::default(),
                config,
            }),
        }
    }
}

impl Realm {
    /// What the realm remembers. Never held over an await.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user with this name or e-mail address, in any case.
    fn user(&self, name: &str) -> Option<&UserSettings> {
        let same = |own: &str| own.to_lowercase() == name.to_lowercase();
        self.users.iter().find(|user| same(&user.username) || same(&user.email))
    }

    /// The id of a user, `sub` in tokens.
    fn user_id(&self, username: &str) -> String {
        self.ids.uuid("user", &username.to_lowercase())
    }

    fn user_enabled(&self, state: &State, username: &str) -> bool {
        let switched = state.user_switches.get(username).copied();
        switched.unwrap_or_else(|| self.user(username).is_some_and(|user| user.enabled))
    }

    /// The issuer, as seen by the caller: it follows the Host header, as Keycloak's does without a fixed host name.
    fn issuer(&self, headers: &HeaderMap) -> String {
        format!("{}/auth/realms/{}", params::origin(headers), self.config.workspace)
    }
}
