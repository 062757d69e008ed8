//! The simulator's identity provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use documine_sim::SimClock;
use documine_sim::idp::{ClientSettings, IdpConfig, Pkce, UserSettings};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{
    BoxFutureResult, Capabilities, Decision, DevicePrompt, Failure, Grant, Provider, Realm, RealmKind, User, pages,
};

/// Forms at the token endpoint are small.
const LARGEST_FORM: usize = 64 * 1024;

/// Two realms of the simulator, with the machine's time.
pub struct Simulator {
    long: Stand,
    short: Stand,
}

/// A realm on its own port. Dropping it stops it.
struct Stand {
    provider: documine_sim::idp::Provider,
    realm: Realm,
    counts: Counts,
    task: JoinHandle<std::io::Result<()>>,
}

impl Simulator {
    /// Starts both realms on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// A port can't be had.
    pub async fn start() -> Result<Self, Failure> {
        let long = Stand::start("acme", |_| ()).await?;
        let short = Stand::start("acme-short", |config| {
            let seconds = Duration::from_secs;
            config.token_ttl = seconds(5);
            config.refresh_ttl = seconds(20);
            config.rotate_refresh = true;
            config.code_ttl = seconds(4);
            config.device_ttl = seconds(6);
            config.device_interval = seconds(2);
        })
        .await?;
        Ok(Self { long, short })
    }

    fn stand(&self, realm_kind: RealmKind) -> &Stand {
        match realm_kind {
            RealmKind::Lenient => &self.long,
            RealmKind::Strict => &self.short,
        }
    }
}

impl Stand {
    async fn start(workspace: &str, change: impl FnOnce(&mut IdpConfig)) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let realm = Realm::usual(format!("http://{}", listener.local_addr()?), workspace);
        let mut config = IdpConfig::new(workspace, SimClock::real(1.0));
        change(&mut config);
        config.clients = clients(&realm);
        config.users = realm
            .users
            .all()
            .into_iter()
            .map(|(user, enabled)| {
                let mut settings = UserSettings::new(&user.name, &user.password);
                settings.enabled = enabled;
                settings
            })
            .collect();
        let provider = documine_sim::idp::Provider::new(config);
        let counts = Counts::default();
        let app = provider.router().layer(middleware::from_fn_with_state(counts.clone(), count));
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { provider, realm, counts, task })
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn clients(realm: &Realm) -> Vec<ClientSettings> {
    let ids = &realm.clients;
    let mut public = ClientSettings::public(&ids.public).with_pkce(Pkce::Required);
    public.password_grant = false;
    let mut consent = ClientSettings::public(&ids.consent);
    (consent.password_grant, consent.device_grant, consent.consent) = (false, false, true);
    let mut confidential = ClientSettings::confidential(&ids.confidential.0, &ids.confidential.1);
    confidential.device_grant = false;
    let by_password = |id: &String| {
        let mut client = ClientSettings::public(id);
        (client.code_grant, client.device_grant) = (false, false);
        client
    };
    vec![public, consent, confidential, by_password(&ids.password), by_password(&ids.counted)]
}

impl Provider for Simulator {
    fn name(&self) -> &'static str {
        "simulator"
    }

    fn realm(&self, realm_kind: RealmKind) -> &Realm {
        &self.stand(realm_kind).realm
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            is_keycloak: false,
            says_slow_down: true,
            tells_refresh_end: true,
            device_pkce: true,
            refresh_outlives_keys: false,
            wrong_verifier_burns: true,
            names_forbidden_grant: true,
            ends_session: true,
            offline_access: true,
        }
    }

    fn visit<'a>(&'a self, page: &'a str, user: &'a User, decision: Decision) -> BoxFutureResult<'a, Option<String>> {
        let base = if page.starts_with(&self.long.realm.base) { &self.long.realm.base } else { &self.short.realm.base };
        Box::pin(pages::visit(base, page, user, decision))
    }

    fn confirm<'a>(&'a self, prompt: &'a DevicePrompt, user: &'a User, decision: Decision) -> BoxFutureResult<'a, ()> {
        Box::pin(pages::confirm(prompt, user, decision))
    }

    fn set_enabled<'a>(&'a self, realm_kind: RealmKind, user: &'a User, enabled: bool) -> BoxFutureResult<'a, ()> {
        let known = self.stand(realm_kind).provider.set_user_enabled(&user.name, enabled);
        Box::pin(async move { if known { Ok(()) } else { Err(format!("there is no {}", user.name).into()) } })
    }

    fn end_sessions<'a>(&'a self, realm_kind: RealmKind, user: &'a User) -> BoxFutureResult<'a, ()> {
        self.stand(realm_kind).provider.end_sessions(&user.name);
        Box::pin(async { Ok(()) })
    }

    fn change_keys(&self, realm_kind: RealmKind) -> BoxFutureResult<'_, ()> {
        self.stand(realm_kind).provider.change_keys();
        Box::pin(async { Ok(()) })
    }

    fn token_requests<'a>(
        &'a self,
        realm_kind: RealmKind,
        client_id: &'a str,
        grant: Grant,
    ) -> BoxFutureResult<'a, u64> {
        let count = self.stand(realm_kind).counts.of(client_id, grant.name());
        Box::pin(async move { Ok(count) })
    }
}

/// Token requests by client and grant.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<(String, String), u64>>>);

impl Counts {
    fn of(&self, client: &str, grant: &str) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(client.to_owned(), grant.to_owned())).copied().unwrap_or_default()
    }

    fn add(&self, form: &[u8]) {
        let field = |name: &str| {
            let mut fields = url::form_urlencoded::parse(form);
            fields.find(|(field, _)| field == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((field("client_id"), field("grant_type"))).or_default() += 1;
    }
}

/// Counts token requests and forwards them unchanged.
async fn count(State(counts): State<Counts>, request: Request, next: Next) -> Response {
    if !request.uri().path().ends_with("/token") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(form) = to_bytes(body, LARGEST_FORM).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    counts.add(&form);
    next.run(Request::from_parts(parts, Body::from(form))).await
}
