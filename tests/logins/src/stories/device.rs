//! Device authorization grant (RFC 8628).

use std::sync::Arc;
use std::time::Duration;

use documine::{Credentials, DeviceCode, TokenSet};
use tokio::sync::oneshot;

use super::Story;
use crate::clock::StoryClock;
use crate::raw::{self, CHALLENGE, VERIFIER, WRONG_VERIFIER};
use crate::stage::{Stage, holds, refused, same};
use crate::{Act, Failure, Grant, Place, Screen};

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn stories() -> Vec<Story> {
    vec![
        Story::new("device: the person allows it", approved),
        Story::new("device: the person refuses", denied),
        Story::new("device: nobody comes", expired),
        Story::new("device: slow_down is obeyed", slow_down),
        Story::new("device: a wrong verifier does not burn the code", wrong_verifier).needs(|facts| facts.device_pkce),
    ]
}

/// A login at the strict realm, and a person who does `act` when the code is shown.
async fn log_in(stage: &Stage, act: Act) -> Result<documine::Result<TokenSet>, Failure> {
    let realm = stage.realm(Place::Short);
    let login = stage.login(Place::Short, &realm.clients.public)?;
    let (shown, code) = oneshot::channel::<DeviceCode>();
    let login = login.device(move |code| drop(shown.send(code.clone())));
    let person = async {
        let code = code.await?;
        holds("the code has an end", code.expires_in > SECOND)?;
        stage.provider.confirm(&Screen::from(&code), &realm.users.plain, act).await
    };
    let (tokens, person) = tokio::join!(login, person);
    person?;
    Ok(tokens)
}

async fn approved(stage: Arc<Stage>) -> Result<(), Failure> {
    let tokens = log_in(&stage, Act::Allow).await??;
    let id = &stage.realm(Place::Short).clients.public;
    let clock = StoryClock::default();
    let client = stage.client_at(Place::Short, &clock, Credentials::tokens(id, tokens))?;
    client.license().await?;
    clock.ahead(10 * SECOND);
    client.license().await?;
    Ok(())
}

async fn denied(stage: Arc<Stage>) -> Result<(), Failure> {
    let error = refused("the login", log_in(&stage, Act::Refuse).await?)?;
    same("the error", &error.to_string().as_str(), &"login by device code: the person refused the login")?;
    holds("a login is needed", error.needs_login())
}

/// One long pause, so that it is the provider that says so, and not the client's own clock before it.
async fn expired(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Short);
    let clock = StoryClock::default();
    let login = stage.builder(Place::Short, &clock).login(&realm.clients.public)?;
    // Providers let a code live a little longer than they say.
    let outcome = login.device(|code| clock.cut(vec![code.expires_in + 3 * SECOND])).await;
    let error = refused("the login", outcome)?;
    let text = "login by device code: the device code expired before it was confirmed; start the login again";
    same("the error", &error.to_string().as_str(), &text)?;
    holds("a login is needed", error.needs_login())?;
    same("the number of questions", &clock.pauses().len(), &1)
}

/// The client's clock cuts the second pause short, so that it asks too early, and the pause after that, because the story has no time.
async fn slow_down(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Short);
    let clock = StoryClock::default();
    clock.cut(vec![2 * SECOND, SECOND / 10, 3 * SECOND]);
    let login = stage.builder(Place::Short, &clock).login(&realm.clients.public)?;
    let (shown, code) = oneshot::channel::<DeviceCode>();
    let login = login.device(move |code| drop(shown.send(code.clone())));
    let person = async {
        let code = code.await?;
        // Not before the two early questions.
        tokio::time::sleep(2 * SECOND + SECOND / 2).await;
        stage.provider.confirm(&Screen::from(&code), &realm.users.plain, Act::Allow).await
    };
    let (tokens, person) = tokio::join!(login, person);
    person?;
    tokens?;
    let third = if stage.provider.facts().says_slow_down { 7 * SECOND } else { 2 * SECOND };
    // There are more, where the person was slow.
    let pauses = clock.pauses();
    same("the first pauses", &pauses.iter().take(3).copied().collect(), &vec![2 * SECOND, 2 * SECOND, third])
}

async fn wrong_verifier(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Short);
    let id = realm.clients.public.as_str();
    let start = [("client_id", id), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let device = raw::post(realm, "auth/device", &start).await?;
    let code = device.text("device_code")?;
    let shown = device.screen()?;
    stage.provider.confirm(&shown, &realm.users.plain, Act::Allow).await?;
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
    same("the wrong verifier", &wrong.as_str(), &"400 invalid_grant")?;
    tokio::time::sleep(2 * SECOND + SECOND / 5).await;
    same("the right one afterwards", &ask(VERIFIER).await?.outcome().as_str(), &"200")
}
