//! Refreshing (RFC 6749 section 6): early, with rotation, once for all, and every way in which a session can come to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use documine::{Client, Credentials, TokenSet};
use documine_sim::Simulator;
use futures_util::future::join_all;

use super::Story;
use crate::clock::StoryClock;
use crate::raw::{self, field};
use crate::stage::{SURELY_OVER, Stage, holds, refused, same};
use crate::{Act, Failure, Grant, Place, REDIRECT, User};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than an access token lives at either realm.
const LONG: Duration = Duration::from_secs(400);

pub(super) fn stories() -> Vec<Story> {
    vec![
        Story::new("refresh: early, and no call waits for it", early),
        Story::new("refresh: the rotated token is used next", rotated),
        Story::new("refresh: a token that somebody else has used ends the session", replayed),
        Story::new("refresh: one for two hundred calls whose token the service refuses", one_for_all),
        Story::new("refresh: one for two hundred calls whose token is known to be old", one_for_all_known),
        Story::new("refresh: the session was ended", ended),
        Story::new("refresh: the account was disabled", disabled),
        Story::new("refresh: the realm's keys were changed", keys_changed).alone(),
    ]
}

/// Tokens of a login by code: nothing but a person can get new ones.
async fn log_in(stage: &Stage, place: Place, user: &User) -> Result<TokenSet, Failure> {
    let login = stage.login(place, &stage.realm(place).clients.public)?.authorization(REDIRECT)?;
    let address = stage.provider.visit(login.url(), user, Act::Allow).await?;
    let address = address.ok_or("the provider did not send the browser back")?;
    Ok(login.exchange(&field(&address, "code")?, &field(&address, "state")?).await?)
}

/// A client with a person's tokens, and its clock.
async fn client(stage: &Stage, place: Place, user: &User) -> Result<(Client, StoryClock), Failure> {
    let clock = StoryClock::default();
    let tokens = log_in(stage, place, user).await?;
    let credentials = Credentials::tokens(&stage.realm(place).clients.public, tokens);
    Ok((stage.client_at(place, &clock, credentials)?, clock))
}

/// Whether the service has got a request with another token than this.
fn other_token_came(service: &Simulator, first: &str) -> bool {
    let bearer = format!("Bearer {first}");
    let with_other = |request: &documine_sim::RecordedRequest| {
        request.header("x-story") == Some("early") && request.header("authorization") != Some(&bearer)
    };
    service.requests().iter().any(with_other)
}

async fn early(stage: Arc<Stage>) -> Result<(), Failure> {
    let tokens = log_in(&stage, Place::Long, &stage.realm(Place::Long).users.plain).await?;
    let first = tokens.access_token().expose().to_owned();
    let clock = StoryClock::default();
    let credentials = Credentials::tokens(&stage.realm(Place::Long).clients.public, tokens);
    let client = stage.client_at(Place::Long, &clock, credentials)?;
    // Of 300 seconds, 30 before the end.
    clock.ahead(280 * SECOND);
    client.license().with_header("x-story", "early").await?;
    let service = stage.service(Place::Long);
    holds("the call that finds the token old does not wait", !other_token_came(service, &first))?;
    let started = Instant::now();
    while !other_token_came(service, &first) {
        holds("a new token comes soon", started.elapsed() < 10 * SECOND)?;
        tokio::time::sleep(SECOND / 10).await;
        client.license().with_header("x-story", "early").await?;
    }
    Ok(())
}

async fn rotated(stage: Arc<Stage>) -> Result<(), Failure> {
    let (client, clock) = client(&stage, Place::Short, &stage.realm(Place::Short).users.plain).await?;
    // A spent token would be refused the second time, and end the session.
    for _ in 0..3 {
        client.license().await?;
        clock.ahead(10 * SECOND);
    }
    client.license().await?;
    Ok(())
}

/// Tokens by a request of our own, whose refresh token is known here: without an end that the SDK would know of.
async fn bare_tokens(stage: &Stage, place: Place, client: &str) -> Result<(TokenSet, String), Failure> {
    let realm = stage.realm(place);
    let answer = raw::password(realm, client, &realm.users.plain).await?;
    let refresh = answer.text("refresh_token")?.to_owned();
    Ok((TokenSet::new(answer.text("access_token")?).refresh_token(refresh.as_str()), refresh))
}

async fn replayed(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Short);
    let id = &realm.clients.password;
    let (tokens, stolen) = bare_tokens(&stage, Place::Short, id).await?;
    let thief = raw::refresh(realm, id, &stolen).await?;
    let newest = thief.text("refresh_token")?;
    let clock = StoryClock::default();
    let known_end = tokens.expires_at(std::time::SystemTime::now());
    let client = stage.client_at(Place::Short, &clock, Credentials::tokens(id, known_end))?;
    clock.ahead(SECOND);
    let error = refused("a call with the spent token", client.license().await)?;
    holds("a login is needed", error.needs_login())?;
    holds("the token is not shown", !format!("{error:?}").contains(&stolen))?;
    let after = raw::refresh(realm, id, newest).await?.outcome();
    same("the thief's newest token", &after.as_str(), &"400 invalid_grant")
}

async fn one_for_all(stage: Arc<Stage>) -> Result<(), Failure> {
    let id = &stage.realm(Place::Short).clients.counted;
    let (tokens, _) = bare_tokens(&stage, Place::Short, id).await?;
    tokio::time::sleep(SURELY_OVER).await;
    let client = stage.client(Place::Short, Credentials::tokens(id, tokens))?;
    two_hundred_calls(&stage, Place::Short, &client).await
}

async fn one_for_all_known(stage: Arc<Stage>) -> Result<(), Failure> {
    let id = &stage.realm(Place::Long).clients.counted;
    let (tokens, _) = bare_tokens(&stage, Place::Long, id).await?;
    let clock = StoryClock::default();
    let known_end = tokens.expires_at(std::time::SystemTime::now());
    let client = stage.client_at(Place::Long, &clock, Credentials::tokens(id, known_end))?;
    clock.ahead(SECOND);
    two_hundred_calls(&stage, Place::Long, &client).await
}

async fn two_hundred_calls(stage: &Stage, place: Place, client: &Client) -> Result<(), Failure> {
    let id = &stage.realm(place).clients.counted;
    let before = stage.provider.token_requests(place, id, Grant::Refresh).await?;
    for outcome in join_all((0..200).map(|_| client.license().into_future())).await {
        outcome?;
    }
    let after = stage.provider.token_requests(place, id, Grant::Refresh).await?;
    same("refreshes", &(after - before), &1)
}

async fn ended(stage: Arc<Stage>) -> Result<(), Failure> {
    let user = &stage.realm(Place::Long).users.ended;
    let (client, clock) = client(&stage, Place::Long, user).await?;
    client.license().await?;
    stage.provider.end_sessions(Place::Long, user).await?;
    clock.ahead(LONG);
    final_word(&client).await?;

    // A program that has a password needs nobody.
    let id = &stage.realm(Place::Long).clients.password;
    let clock = StoryClock::default();
    let robot = Credentials::password(id, &user.name, user.password.as_str());
    let robot = stage.client_at(Place::Long, &clock, robot)?;
    robot.license().await?;
    stage.provider.end_sessions(Place::Long, user).await?;
    clock.ahead(LONG);
    robot.license().await?;
    Ok(())
}

async fn disabled(stage: Arc<Stage>) -> Result<(), Failure> {
    let user = &stage.realm(Place::Long).users.switched;
    let (client, clock) = client(&stage, Place::Long, user).await?;
    client.license().await?;
    stage.provider.set_enabled(Place::Long, user, false).await?;
    clock.ahead(LONG);
    let outcome = final_word(&client).await;
    stage.provider.set_enabled(Place::Long, user, true).await?;
    outcome
}

/// The next call says that a login is needed, and so does the one after it.
async fn final_word(client: &Client) -> Result<(), Failure> {
    for _ in 0..2 {
        let error = refused("the call", client.license().await)?;
        holds(&format!("{:?} asks for a login", error.to_string()), error.needs_login())?;
        holds("trying again would not help", !error.is_transient())?;
    }
    Ok(())
}

async fn keys_changed(stage: Arc<Stage>) -> Result<(), Failure> {
    let user = &stage.realm(Place::Long).users.plain;
    let (old, _) = client(&stage, Place::Long, user).await?;
    old.license().await?;
    stage.provider.change_keys(Place::Long).await?;
    // By a token with a new key the service learns that there are new keys.
    let (new, _) = client(&stage, Place::Long, user).await?;
    new.license().await?;

    let outcome = old.license().with_header("x-story", "keys").await;
    let requests = stage.service(Place::Long).requests();
    let mut statuses = requests.iter().filter(|r| r.header("x-story") == Some("keys")).map(|request| request.status);
    same("what the service says to the old token", &statuses.next(), &Some(401))?;
    if stage.provider.facts().refresh_outlives_keys {
        outcome?;
        same("and then to the new one", &statuses.next(), &Some(200))
    } else {
        holds("a login is needed", refused("the call", outcome)?.needs_login())
    }
}
