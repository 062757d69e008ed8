//! Tokens that a caller brings along.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use documine::{
    BoxFuture, Credentials,
    auth::{TokenSet, TokenSource},
};

use super::Scenario;
use crate::clock::ScenarioClock;
use crate::harness::{ACCESS_TOKEN_EXPIRED_AFTER, Harness, ensure, ensure_eq, expect_error};
use crate::{Decision, Failure, REDIRECT, Realm, RealmKind, raw};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("token: an access token alone, until it ends", access_token),
        Scenario::new("token: a custom source is called again after an expiry", source),
        // The expiry is known only from `refresh_expires_in`.
        Scenario::new("token: an offline session has no end", offline)
            .needs(|capabilities| capabilities.offline_access)
            .needs(|capabilities| capabilities.tells_refresh_end),
    ]
}

async fn access_token(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Strict);
    let answer = raw::password(realm, &realm.clients.password, &realm.users.plain).await?;
    let client = harness.client(RealmKind::Strict, Credentials::access_token(answer.text("access_token")?))?;
    client.license().await?;
    tokio::time::sleep(ACCESS_TOKEN_EXPIRED_AFTER).await;
    let error = expect_error("the call", client.license().await)?;
    ensure("a login is needed", error.needs_login())
}

/// Logs in with a password for each requested token.
struct Vault {
    realm: Realm,
    calls: Arc<AtomicUsize>,
}

impl TokenSource for Vault {
    fn token(&self, _rejected: Option<&TokenSet>) -> BoxFuture<'_, documine::Result<TokenSet>> {
        Box::pin(async {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let answer = raw::password(&self.realm, &self.realm.clients.password, &self.realm.users.plain).await;
            // A source that has none gives one that the service refuses, and the scenario fails by that.
            let token = answer.and_then(|answer| answer.text("access_token").map(str::to_owned));
            Ok(TokenSet::new(token.unwrap_or_else(|_| "none".into())))
        })
    }
}

async fn source(harness: Arc<Harness>) -> Result<(), Failure> {
    let calls = Arc::new(AtomicUsize::new(0));
    let vault = Vault { realm: harness.realm(RealmKind::Strict).clone(), calls: Arc::clone(&calls) };
    let client = harness.client(RealmKind::Strict, Credentials::source(vault))?;
    client.license().await?;
    client.license().await?;
    ensure_eq("calls of the source", &calls.load(Ordering::Relaxed), &1)?;
    tokio::time::sleep(ACCESS_TOKEN_EXPIRED_AFTER).await;
    client.license().await?;
    ensure_eq("calls of the source after the expiry", &calls.load(Ordering::Relaxed), &2)
}

async fn offline(harness: Arc<Harness>) -> Result<(), Failure> {
    let id = &harness.realm(RealmKind::Lenient).clients.public;
    let login =
        harness.login(RealmKind::Lenient, id)?.scope("openid").scope("offline_access").authorization(REDIRECT)?;
    let address =
        harness.provider.visit(login.url(), &harness.realm(RealmKind::Lenient).users.plain, Decision::Allow).await?;
    let tokens = login.finish_with_redirect(&address.ok_or("the provider did not send the browser back")?).await?;
    ensure("the scope was granted", tokens.scopes().iter().any(|scope| scope == "offline_access"))?;
    ensure("no end is known", format!("{tokens:?}").contains("refresh_expires_at: None"))?;
    let clock = ScenarioClock::default();
    let client = harness.client_at(RealmKind::Lenient, &clock, Credentials::tokens(id, tokens))?;
    client.license().await?;
    // A year: far beyond all sessions of the realm, by the client's clock.
    clock.ahead(Duration::from_secs(365 * 24 * 3600));
    client.license().await?;
    Ok(())
}
