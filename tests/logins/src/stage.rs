//! The stage: a provider, and for each of its realms a simulated service that takes the tokens the provider signs. So a login and the call that
//! follows it are one real chain.

use std::sync::Arc;
use std::time::Duration;

use documine::{Client, ClientBuilder, Credentials, Login};
use documine_sim::{AuthMode, Simulator};

use crate::clock::StoryClock;
use crate::{Failure, Place, Provider, Realm};

/// When an access token of the strict realm is over for everybody: five seconds, rounded up to the second that claims can tell, and the leeway of the
/// service, rounded up the same way.
pub(crate) const SURELY_OVER: Duration = Duration::from_millis(8500);

/// What all stories share.
pub(crate) struct Stage {
    pub(crate) provider: Arc<dyn Provider>,
    long: Simulator,
    short: Simulator,
}

impl Stage {
    pub(crate) async fn new(provider: Arc<dyn Provider>) -> Result<Self, Failure> {
        let long = service(provider.realm(Place::Long)).await?;
        let short = service(provider.realm(Place::Short)).await?;
        Ok(Self { provider, long, short })
    }

    pub(crate) fn realm(&self, place: Place) -> &Realm {
        self.provider.realm(place)
    }

    /// The service that stands beside a realm.
    pub(crate) fn service(&self, place: Place) -> &Simulator {
        match place {
            Place::Long => &self.long,
            Place::Short => &self.short,
        }
    }

    /// A builder with everything set but credentials.
    pub(crate) fn builder(&self, place: Place, clock: &StoryClock) -> ClientBuilder {
        let realm = self.realm(place);
        Client::builder(self.service(place).base_url())
            .workspace(&realm.workspace)
            .auth_path(realm.endpoint("auth"))
            .token_path(realm.endpoint("token"))
            .device_path(realm.endpoint("auth/device"))
            .clock(clock.clone())
    }

    /// A login with the machine's time.
    pub(crate) fn login(&self, place: Place, client: &str) -> Result<Login, Failure> {
        Ok(self.builder(place, &StoryClock::default()).login(client)?)
    }

    /// A client with the machine's time.
    pub(crate) fn client(&self, place: Place, credentials: Credentials) -> Result<Client, Failure> {
        self.client_at(place, &StoryClock::default(), credentials)
    }

    /// A client with a story's time.
    pub(crate) fn client_at(
        &self,
        place: Place,
        clock: &StoryClock,
        credentials: Credentials,
    ) -> Result<Client, Failure> {
        Ok(self.builder(place, clock).credentials(credentials).build()?)
    }
}

async fn service(realm: &Realm) -> Result<Simulator, Failure> {
    let builder = Simulator::builder().workspace(&realm.workspace).auth(AuthMode::Jwks(realm.endpoint("certs")));
    Ok(builder.start().await?)
}

/// A finding, unless `truth`.
pub(crate) fn holds(what: &str, truth: bool) -> Result<(), Failure> {
    if truth { Ok(()) } else { Err(format!("not so: {what}").into()) }
}

/// A finding, unless both are the same.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), Failure> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?}, and {wanted:?} was wanted").into()) }
}

/// The error that a call must end with.
pub(crate) fn refused<T>(what: &str, outcome: documine::Result<T>) -> Result<documine::Error, Failure> {
    outcome.err().ok_or_else(|| format!("{what} succeeded, and must not").into())
}
