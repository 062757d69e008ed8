//! The realm: configuration, keys and state behind every endpoint of the identity provider.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

use super::config::{ClientSettings, IdpConfig, UserSettings};
use super::ids::IdGenerator;
use super::params::origin;
use super::remote_keys::RemoteKeys;
use super::signing_keys::SigningKeys;
use super::state::RealmState;

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
    pub(super) realm: Arc<Realm>,
}

pub(super) struct Realm {
    pub(super) config: IdpConfig,
    pub(super) clients: Vec<ClientSettings>,
    pub(super) users: Vec<UserSettings>,
    pub(super) ids: IdGenerator,
    pub(super) keys: SigningKeys,
    pub(super) remote_keys: RemoteKeys,
    pub(super) state: Mutex<RealmState>,
}

impl Provider {
    /// Creates a provider without sessions.
    pub fn new(config: IdpConfig) -> Self {
        let ids = IdGenerator::new(config.seed);
        Self {
            realm: Arc::new(Realm {
                clients: config.all_clients(),
                users: config.all_users(),
                ids,
                keys: SigningKeys::new(ids),
                remote_keys: RemoteKeys::default(),
                state: Mutex::default(),
                config,
            }),
        }
    }
}

impl Realm {
    /// Locks the state. The guard must not be held over an await.
    pub(super) fn state(&self) -> MutexGuard<'_, RealmState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a user by name or e-mail address, without regard to case.
    pub(super) fn user(&self, name: &str) -> Option<&UserSettings> {
        let same = |own: &str| own.to_lowercase() == name.to_lowercase();
        self.users.iter().find(|user| same(&user.username) || same(&user.email))
    }

    /// Returns the id of a user, `sub` in tokens.
    pub(super) fn user_id(&self, username: &str) -> String {
        self.ids.uuid("user", &username.to_lowercase())
    }

    pub(super) fn user_enabled(&self, state: &RealmState, username: &str) -> bool {
        let switched = state.user_switches.get(username).copied();
        switched.unwrap_or_else(|| self.user(username).is_some_and(|user| user.enabled))
    }

    /// Returns the issuer as seen by the caller. It follows the Host header, as in a Keycloak without a fixed host name.
    pub(super) fn issuer(&self, headers: &HeaderMap) -> String {
        format!("{}/auth/realms/{}", origin(headers), self.config.workspace)
    }
}
