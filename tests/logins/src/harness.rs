//! The test harness: a provider, and for each of its realms a simulated service that accepts the tokens of the provider. So a login and the call after
//! the login are tested together.

use std::sync::Arc;
use std::time::Duration;

use documine::{Client, ClientBuilder, Credentials, auth::Login};
use documine_sim::{AuthMode, Simulator};

use crate::clock::ScenarioClock;
use crate::{Failure, Provider, Realm, RealmKind};

/// The time after which an access token of the strict realm has certainly expired: five seconds, rounded up to the next second of the claims, plus the leeway
/// of the service, rounded up in the same way.
pub(crate) const ACCESS_TOKEN_EXPIRED_AFTER: Duration = Duration::from_millis(8500);

/// State shared by all scenarios.
pub(crate) struct Harness {
    pub(crate) provider: Arc<dyn Provider>,
    long: Simulator,
    short: Simulator,
}

impl Harness {
    pub(crate) async fn new(provider: Arc<dyn Provider>) -> Result<Self, Failure> {
        let long = service(provider.realm(RealmKind::Lenient)).await?;
        let short = service(provider.realm(RealmKind::Strict)).await?;
        Ok(Self { provider, long, short })
    }

    pub(crate) fn realm(&self, realm_kind: RealmKind) -> &Realm {
        self.provider.realm(realm_kind)
    }

    /// The service that stands beside a realm.
    pub(crate) fn service(&self, realm_kind: RealmKind) -> &Simulator {
        match realm_kind {
            RealmKind::Lenient => &self.long,
            RealmKind::Strict => &self.short,
        }
    }

    /// A builder with everything set but credentials.
    pub(crate) fn builder(&self, realm_kind: RealmKind, clock: &ScenarioClock) -> ClientBuilder {
        let realm = self.realm(realm_kind);
        Client::builder(self.service(realm_kind).base_url())
            .workspace(&realm.workspace)
            .auth_path(realm.endpoint("auth"))
            .token_path(realm.endpoint("token"))
            .device_path(realm.endpoint("auth/device"))
            .clock(clock.clone())
    }

    /// A login with the machine's time.
    pub(crate) fn login(&self, realm_kind: RealmKind, client: &str) -> Result<Login, Failure> {
        Ok(self.builder(realm_kind, &ScenarioClock::default()).login(client)?)
    }

    /// A client with the machine's time.
    pub(crate) fn client(&self, realm_kind: RealmKind, credentials: Credentials) -> Result<Client, Failure> {
        self.client_at(realm_kind, &ScenarioClock::default(), credentials)
    }

    /// A client with a scenario's time.
    pub(crate) fn client_at(
        &self,
        realm_kind: RealmKind,
        clock: &ScenarioClock,
        credentials: Credentials,
    ) -> Result<Client, Failure> {
        Ok(self.builder(realm_kind, clock).credentials(credentials).build()?)
    }
}

async fn service(realm: &Realm) -> Result<Simulator, Failure> {
    let builder = Simulator::builder().workspace(&realm.workspace).auth(AuthMode::Jwks(realm.endpoint("certs")));
    Ok(builder.start().await?)
}

/// Fails unless `condition` holds.
pub(crate) fn ensure(what: &str, condition: bool) -> Result<(), Failure> {
    if condition { Ok(()) } else { Err(format!("not so: {what}").into()) }
}

/// Fails unless both values are equal.
pub(crate) fn ensure_eq<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), Failure> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?}, and {wanted:?} was wanted").into()) }
}

/// Returns the error of a call that must fail.
pub(crate) fn expect_error<T>(what: &str, outcome: documine::Result<T>) -> Result<documine::Error, Failure> {
    outcome.err().ok_or_else(|| format!("{what} succeeded, and must not").into())
}
