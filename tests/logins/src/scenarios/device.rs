//! Device authorization grant (RFC 8628).

use std::sync::Arc;
use std::time::Duration;

use documine::{
    Credentials,
    auth::{DeviceCode, TokenSet},
};
use tokio::sync::oneshot;

use super::Scenario;
use crate::clock::ScenarioClock;
use crate::harness::{Harness, ensure, ensure_eq, expect_error};
use crate::raw::{self, CHALLENGE, VERIFIER, WRONG_VERIFIER};
use crate::{Decision, DevicePrompt, Failure, Grant, RealmKind};

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("device: the user confirms", approved),
        Scenario::new("device: the user denies", denied),
        Scenario::new("device: the code expires unconfirmed", expired),
        Scenario::new("device: slow_down is obeyed", slow_down),
        Scenario::new("device: a wrong verifier does not consume the code", wrong_verifier)
            .needs(|capabilities| capabilities.device_pkce),
    ]
}

/// A login at the strict realm, and a person who does `act` when the code is shown.
async fn log_in(harness: &Harness, decision: Decision) -> Result<documine::Result<TokenSet>, Failure> {
    let realm = harness.realm(RealmKind::Strict);
    let login = harness.login(RealmKind::Strict, &realm.clients.public)?;
    let (shown, code) = oneshot::channel::<DeviceCode>();
    let login = login.device(move |code| drop(shown.send(code.clone())));
    let person = async {
        let code = code.await?;
        ensure("the code has an end", code.expires_in > SECOND)?;
        harness.provider.confirm(&DevicePrompt::from(&code), &realm.users.plain, decision).await
    };
    let (tokens, person) = tokio::join!(login, person);
    person?;
    Ok(tokens)
}

async fn approved(harness: Arc<Harness>) -> Result<(), Failure> {
    let tokens = log_in(&harness, Decision::Allow).await??;
    let id = &harness.realm(RealmKind::Strict).clients.public;
    let clock = ScenarioClock::default();
    let client = harness.client_at(RealmKind::Strict, &clock, Credentials::tokens(id, tokens))?;
    client.license().await?;
    clock.ahead(10 * SECOND);
    client.license().await?;
    Ok(())
}

async fn denied(harness: Arc<Harness>) -> Result<(), Failure> {
    let error = expect_error("the login", log_in(&harness, Decision::Deny).await?)?;
    ensure_eq("the error", &error.to_string().as_str(), &"login by device code: the person refused the login")?;
    ensure("a login is needed", error.needs_login())
}

/// One long pause, so that the provider reports the expiry before the client's own clock does.
async fn expired(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Strict);
    let clock = ScenarioClock::default();
    let login = harness.builder(RealmKind::Strict, &clock).login(&realm.clients.public)?;
    // Providers accept a code a little longer than announced.
    let outcome = login.device(|code| clock.cut(vec![code.expires_in + 3 * SECOND])).await;
    let error = expect_error("the login", outcome)?;
    let text = "login by device code: the device code expired before it was confirmed; start the login again";
    ensure_eq("the error", &error.to_string().as_str(), &text)?;
    ensure("a login is needed", error.needs_login())?;
    ensure_eq("the number of polls", &clock.pauses().len(), &1)
}

/// The client's clock shortens the second pause, so that the poll comes too early, and the third pause to save time.
async fn slow_down(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Strict);
    let clock = ScenarioClock::default();
    clock.cut(vec![2 * SECOND, SECOND / 10, 3 * SECOND]);
    let login = harness.builder(RealmKind::Strict, &clock).login(&realm.clients.public)?;
    let (shown, code) = oneshot::channel::<DeviceCode>();
    let login = login.device(move |code| drop(shown.send(code.clone())));
    let person = async {
        let code = code.await?;
        // After the two early polls.
        tokio::time::sleep(2 * SECOND + SECOND / 2).await;
        harness.provider.confirm(&DevicePrompt::from(&code), &realm.users.plain, Decision::Allow).await
    };
    let (tokens, person) = tokio::join!(login, person);
    person?;
    tokens?;
    let third = if harness.provider.capabilities().says_slow_down { 7 * SECOND } else { 2 * SECOND };
    // More polls follow if the user was slow.
    let pauses = clock.pauses();
    ensure_eq("the first pauses", &pauses.iter().take(3).copied().collect(), &vec![2 * SECOND, 2 * SECOND, third])
}

async fn wrong_verifier(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Strict);
    let id = realm.clients.public.as_str();
    let start = [("client_id", id), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let device = raw::post(realm, "auth/device", &start).await?;
    let code = device.text("device_code")?;
    let shown = device.prompt()?;
    harness.provider.confirm(&shown, &realm.users.plain, Decision::Allow).await?;
    let ask = async |verifier: &str| {
        let form = [
            ("grant_type", Grant::Device.name()),
            ("client_id", id),
            ("device_code", code),
            ("code_verifier", verifier),
        ];
        raw::post(realm, "token", &form).await
    };
    let wrong = ask(WRONG_VERIFIER).await?.outcome();
    ensure_eq("the wrong verifier", &wrong.as_str(), &"400 invalid_grant")?;
    tokio::time::sleep(2 * SECOND + SECOND / 5).await;
    ensure_eq("the right one afterwards", &ask(VERIFIER).await?.outcome().as_str(), &"200")
}
