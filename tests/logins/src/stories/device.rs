//! Device authorization grant (RFC 8628).

use std::sync::Arc;
use std::time::Duration;

use documine::{Credentials, DeviceCode, TokenSet};
use tokio::sync::oneshot;

use super::Story;
use crate::clock::StoryClock;
use crate::raw;
use crate::stage::{Stage, holds, refused, same};
use crate::{Act, Failure, Grant, Place, Screen};

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn stories() -> Vec<Story> {
    vec![
        Story::new("device: the person allows it", approved),
        Story::new("device: the person refuses", denied),
        Story::new("device: nobody comes", expired),
        Story::new("device: slow_down is obeyed", slow_down),
        Story::new("device: a wrong verifier does not burn the code", wrong_verifier),
    ]
}

/// A login at the strict realm, and a person who does `act` when the code is shown.
async fn log_in(stage: &Stage, clock: &StoryClock, act: Option<Act>) -> Result<documine::Result<TokenSet>, Failure> {
    let realm = stage.realm(Place::Short);
    let login = stage.builder(Place::Short, clock).login(&realm.clients.public)?;
    let (shown, code) = oneshot::channel::<DeviceCode>();
    let login = login.device(move |code| drop(shown.send(code.clone())));
    let person = async {
        let code = code.await?;
        holds("the code has an end", code.expires_in > SECOND)?;
        match act {
            Some(act) => stage.provider.confirm(&Screen::from(&code), &realm.users.plain, act).await,
            None => Ok(()),
        }
    };
    let (tokens, person) = tokio::join!(login, person);
    person?;
    Ok(tokens)
}

async fn approved(stage: Arc<Stage>) -> Result<(), Failure> {
    let tokens = log_in(&stage, &StoryClock::default(), Some(Act::Allow)).await??;
    let id = &stage.realm(Place::Short).clients.public;
    let clock = StoryClock::default();
    let client = stage.client_at(Place::Short, &clock, Credentials::tokens(id, tokens))?;
    client.license().await?;
    clock.ahead(10 * SECOND);
    client.license().await?;
    Ok(())
}

async fn denied(stage: Arc<Stage>) -> Result<(), Failure> {
    let error = refused("the login", log_in(&stage, &StoryClock::default(), Some(Act::Refuse)).await?)?;
    same("the error", &error.to_string().as_str(), &"login by device code: the person refused the login")?;
    holds("a login is needed", error.needs_login())
}

async fn expired(stage: Arc<Stage>) -> Result<(), Failure> {
    let error = refused("the login", log_in(&stage, &StoryClock::default(), None).await?)?;
    let text = "login by device code: the code has expired before anybody confirmed it; begin again";
    same("the error", &error.to_string().as_str(), &text)?;
    holds("a login is needed", error.needs_login())
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
    same("the pauses", &clock.pauses(), &vec![2 * SECOND, 2 * SECOND, third])
}

async fn wrong_verifier(stage: Arc<Stage>) -> Result<(), Failure> {
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    if !stage.provider.facts().device_pkce {
        return Ok(());
    }
    let realm = stage.realm(Place::Short);
    let id = realm.clients.public.as_str();
    let start = [("client_id", id), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let device = raw::post(realm, "auth/device", &start).await?;
    let code = device.text("device_code")?;
    let shown = Screen { user_code: device.text("user_code")?.into(), page: device.text("verification_uri")?.into() };
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
    let wrong = ask(&VERIFIER.replace('d', "e")).await?.outcome();
    same("the wrong verifier", &wrong.as_str(), &"400 invalid_grant")?;
    tokio::time::sleep(2 * SECOND + SECOND / 5).await;
    same("the right one afterwards", &ask(VERIFIER).await?.outcome().as_str(), &"200")
}
