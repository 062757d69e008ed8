//! Refreshing (RFC 6749 section 6): early, with rotation, one refresh for all, and every way in which a session can end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use documine::{Client, Credentials, auth::TokenSet};
use documine_sim::Simulator;
use futures_util::future::join_all;

use super::Scenario;
use crate::clock::ScenarioClock;
use crate::harness::{ACCESS_TOKEN_EXPIRED_AFTER, Harness, ensure, ensure_eq, expect_error};
use crate::raw::{self, field};
use crate::{Decision, Failure, Grant, REDIRECT, RealmKind, User};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than an access token lives at either realm.
const LONG: Duration = Duration::from_secs(400);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("refresh: early, and no call waits for it", early),
        Scenario::new("refresh: the rotated token is used next", rotated),
        Scenario::new("refresh: a replayed token ends the session", replayed),
        Scenario::new("refresh: one for two hundred calls whose token the service refuses", one_for_all),
        Scenario::new("refresh: one for two hundred calls whose token is known to be old", one_for_all_known),
        Scenario::new("refresh: the session was ended", ended),
        Scenario::new("refresh: the account was disabled", disabled),
        Scenario::new("refresh: the realm's keys were changed", keys_changed).alone(),
    ]
}

/// Tokens of a code login: only a user can get new ones.
async fn log_in(harness: &Harness, realm_kind: RealmKind, user: &User) -> Result<TokenSet, Failure> {
    let login = harness.login(realm_kind, &harness.realm(realm_kind).clients.public)?.authorization(REDIRECT)?;
    let address = harness.provider.visit(login.url(), user, Decision::Allow).await?;
    let address = address.ok_or("the provider did not send the browser back")?;
    Ok(login.exchange_code(&field(&address, "code")?, &field(&address, "state")?).await?)
}

/// A client with a user's tokens, and its clock.
async fn client(harness: &Harness, realm_kind: RealmKind, user: &User) -> Result<(Client, ScenarioClock), Failure> {
    let clock = ScenarioClock::default();
    let tokens = log_in(harness, realm_kind, user).await?;
    let credentials = Credentials::tokens(&harness.realm(realm_kind).clients.public, tokens);
    Ok((harness.client_at(realm_kind, &clock, credentials)?, clock))
}

/// Returns `true` if the service has received a request with a different token.
fn other_token_came(service: &Simulator, first: &str) -> bool {
    let bearer = format!("Bearer {first}");
    let with_other = |request: &documine_sim::RecordedRequest| {
        request.header("x-scenario") == Some("early") && request.header("authorization") != Some(&bearer)
    };
    service.requests().iter().any(with_other)
}

async fn early(harness: Arc<Harness>) -> Result<(), Failure> {
    let tokens = log_in(&harness, RealmKind::Lenient, &harness.realm(RealmKind::Lenient).users.plain).await?;
    let first = tokens.access_token().expose().to_owned();
    let clock = ScenarioClock::default();
    let credentials = Credentials::tokens(&harness.realm(RealmKind::Lenient).clients.public, tokens);
    let client = harness.client_at(RealmKind::Lenient, &clock, credentials)?;
    // 280 of 300 seconds: within the last 30.
    clock.ahead(280 * SECOND);
    client.license().with_header("x-scenario", "early").await?;
    let service = harness.service(RealmKind::Lenient);
    ensure("the call that finds the token old does not wait", !other_token_came(service, &first))?;
    let started = Instant::now();
    while !other_token_came(service, &first) {
        ensure("a new token comes soon", started.elapsed() < 10 * SECOND)?;
        tokio::time::sleep(SECOND / 10).await;
        client.license().with_header("x-scenario", "early").await?;
    }
    Ok(())
}

async fn rotated(harness: Arc<Harness>) -> Result<(), Failure> {
    let (client, clock) = client(&harness, RealmKind::Strict, &harness.realm(RealmKind::Strict).users.plain).await?;
    // A spent token would be refused the second time, and end the session.
    for _ in 0..3 {
        client.license().await?;
        clock.ahead(10 * SECOND);
    }
    client.license().await?;
    Ok(())
}

/// Tokens of a direct request, without a known expiry, with the refresh token.
async fn bare_tokens(harness: &Harness, realm_kind: RealmKind, client: &str) -> Result<(TokenSet, String), Failure> {
    let realm = harness.realm(realm_kind);
    let answer = raw::password(realm, client, &realm.users.plain).await?;
    let refresh = answer.text("refresh_token")?.to_owned();
    Ok((TokenSet::new(answer.text("access_token")?).refresh_token(refresh.as_str()), refresh))
}

async fn replayed(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Strict);
    let id = &realm.clients.password;
    let (tokens, stolen) = bare_tokens(&harness, RealmKind::Strict, id).await?;
    let thief = raw::refresh(realm, id, &stolen).await?;
    let newest = thief.text("refresh_token")?;
    let clock = ScenarioClock::default();
    let known_end = tokens.expires_at(std::time::SystemTime::now());
    let client = harness.client_at(RealmKind::Strict, &clock, Credentials::tokens(id, known_end))?;
    clock.ahead(SECOND);
    let error = expect_error("a call with the spent token", client.license().await)?;
    ensure("a login is needed", error.needs_login())?;
    ensure("the token is not shown", !format!("{error:?}").contains(&stolen))?;
    let after = raw::refresh(realm, id, newest).await?.outcome();
    ensure_eq("the thief's newest token", &after.as_str(), &"400 invalid_grant")
}

async fn one_for_all(harness: Arc<Harness>) -> Result<(), Failure> {
    let id = &harness.realm(RealmKind::Strict).clients.counted;
    let (tokens, _) = bare_tokens(&harness, RealmKind::Strict, id).await?;
    tokio::time::sleep(ACCESS_TOKEN_EXPIRED_AFTER).await;
    let client = harness.client(RealmKind::Strict, Credentials::tokens(id, tokens))?;
    two_hundred_calls(&harness, RealmKind::Strict, &client).await
}

async fn one_for_all_known(harness: Arc<Harness>) -> Result<(), Failure> {
    let id = &harness.realm(RealmKind::Lenient).clients.counted;
    let (tokens, _) = bare_tokens(&harness, RealmKind::Lenient, id).await?;
    let clock = ScenarioClock::default();
    let known_end = tokens.expires_at(std::time::SystemTime::now());
    let client = harness.client_at(RealmKind::Lenient, &clock, Credentials::tokens(id, known_end))?;
    clock.ahead(SECOND);
    two_hundred_calls(&harness, RealmKind::Lenient, &client).await
}

async fn two_hundred_calls(harness: &Harness, realm_kind: RealmKind, client: &Client) -> Result<(), Failure> {
    let id = &harness.realm(realm_kind).clients.counted;
    let before = harness.provider.token_requests(realm_kind, id, Grant::Refresh).await?;
    for outcome in join_all((0..200).map(|_| client.license().into_future())).await {
        outcome?;
    }
    let after = harness.provider.token_requests(realm_kind, id, Grant::Refresh).await?;
    ensure_eq("refreshes", &(after - before), &1)
}

async fn ended(harness: Arc<Harness>) -> Result<(), Failure> {
    let user = &harness.realm(RealmKind::Lenient).users.ended;
    let (client, clock) = client(&harness, RealmKind::Lenient, user).await?;
    client.license().await?;
    harness.provider.end_sessions(RealmKind::Lenient, user).await?;
    clock.ahead(LONG);
    requires_login(&client).await?;

    // A program with a password logs in again by itself.
    let id = &harness.realm(RealmKind::Lenient).clients.password;
    let clock = ScenarioClock::default();
    let robot = Credentials::password(id, &user.name, user.password.as_str());
    let robot = harness.client_at(RealmKind::Lenient, &clock, robot)?;
    robot.license().await?;
    harness.provider.end_sessions(RealmKind::Lenient, user).await?;
    clock.ahead(LONG);
    robot.license().await?;
    Ok(())
}

async fn disabled(harness: Arc<Harness>) -> Result<(), Failure> {
    let user = &harness.realm(RealmKind::Lenient).users.switched;
    let (client, clock) = client(&harness, RealmKind::Lenient, user).await?;
    client.license().await?;
    harness.provider.set_enabled(RealmKind::Lenient, user, false).await?;
    clock.ahead(LONG);
    let outcome = requires_login(&client).await;
    harness.provider.set_enabled(RealmKind::Lenient, user, true).await?;
    outcome
}

/// The next two calls fail with an error that requires a login.
async fn requires_login(client: &Client) -> Result<(), Failure> {
    for _ in 0..2 {
        let error = expect_error("the call", client.license().await)?;
        ensure(&format!("{:?} requires a login", error.to_string()), error.needs_login())?;
        ensure("the error is not transient", !error.is_transient())?;
    }
    Ok(())
}

async fn keys_changed(harness: Arc<Harness>) -> Result<(), Failure> {
    let user = &harness.realm(RealmKind::Lenient).users.plain;
    let (old, _) = client(&harness, RealmKind::Lenient, user).await?;
    old.license().await?;
    harness.provider.change_keys(RealmKind::Lenient).await?;
    // By a token with a new key the service learns that there are new keys.
    let (new, _) = client(&harness, RealmKind::Lenient, user).await?;
    new.license().await?;

    let outcome = old.license().with_header("x-scenario", "keys").await;
    let requests = harness.service(RealmKind::Lenient).requests();
    let mut statuses = requests.iter().filter(|r| r.header("x-scenario") == Some("keys")).map(|request| request.status);
    ensure_eq("the status for the old token", &statuses.next(), &Some(401))?;
    if harness.provider.capabilities().refresh_outlives_keys {
        outcome?;
        ensure_eq("the status for the new token", &statuses.next(), &Some(200))
    } else {
        ensure("a login is needed", expect_error("the call", outcome)?.needs_login())
    }
}
