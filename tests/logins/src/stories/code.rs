//! Authorization code grant (RFC 6749 section 4.1) with PKCE (RFC 7636), and the listener on the loopback address (RFC 8252).

use std::sync::Arc;
use std::time::Duration;

use documine::{Authorization, Credentials, ErrorKind, Loopback, TimeoutPhase, TokenSet};
use tokio::sync::oneshot;

use super::Story;
use crate::clock::StoryClock;
use crate::raw::{self, CHALLENGE, VERIFIER, WRONG_VERIFIER, field};
use crate::stage::{Stage, holds, refused, same};
use crate::{Act, Failure, Place, REDIRECT};

pub(super) fn stories() -> Vec<Story> {
    vec![
        Story::new("code: the address is pasted", pasted),
        Story::new("code: with the scope openid, whose ID token repeats the nonce", openid),
        Story::new("code: a web application's own callback, confidential client", callback),
        Story::new("code: the program listens on the loopback address", loopback),
        Story::new("code: an answer with another state", wrong_state),
        Story::new("code: the person refuses", denied),
        Story::new("code: too old", expired),
        Story::new("code: a wrong verifier", wrong_verifier),
        Story::new("code: a replay kills the tokens", replayed),
        Story::new("code: an unknown redirect URI never calls back", never_calls_back),
    ]
}

/// A login of the public client that the person has allowed, and the address that the browser was sent back to.
async fn allowed(stage: &Stage, place: Place) -> Result<(Authorization, String), Failure> {
    let login = stage.login(place, &stage.realm(place).clients.public)?.authorization(REDIRECT)?;
    let address = visit(stage, place, login.url(), Act::Allow).await?;
    Ok((login, address))
}

async fn visit(stage: &Stage, place: Place, page: &str, act: Act) -> Result<String, Failure> {
    let address = stage.provider.visit(page, &stage.realm(place).users.plain, act).await?;
    address.ok_or_else(|| "the provider did not send the browser back".into())
}

/// The tokens open the service, and stay fresh: the next call, when they are old, refreshes them.
async fn opens(stage: &Stage, client: &str, secret: Option<&str>, tokens: TokenSet) -> Result<(), Failure> {
    let told = format!("{tokens:?}").contains("refresh_expires_at: Some");
    same("the end of the refresh token is told", &told, &stage.provider.facts().tells_refresh_end)?;
    let clock = StoryClock::default();
    let mut credentials = Credentials::tokens(client, tokens);
    if let Some(secret) = secret {
        credentials = credentials.client_secret(secret);
    }
    let client = stage.client_at(Place::Long, &clock, credentials)?;
    client.license().await?;
    clock.ahead(Duration::from_secs(400));
    client.license().await?;
    Ok(())
}

async fn pasted(stage: Arc<Stage>) -> Result<(), Failure> {
    let (login, address) = allowed(&stage, Place::Long).await?;
    holds("the browser ends at the redirect URI", address.starts_with(REDIRECT))?;
    let tokens = login.redirected(&address).await?;
    opens(&stage, &stage.realm(Place::Long).clients.public, None, tokens).await
}

async fn openid(stage: Arc<Stage>) -> Result<(), Failure> {
    let id = &stage.realm(Place::Long).clients.public;
    let login = stage.login(Place::Long, id)?.scope("openid").authorization(REDIRECT)?;
    holds("the request has a nonce", !field(login.url(), "nonce")?.is_empty())?;
    let address = visit(&stage, Place::Long, login.url(), Act::Allow).await?;
    let tokens = login.redirected(&address).await?;
    opens(&stage, id, None, tokens).await
}

async fn callback(stage: Arc<Stage>) -> Result<(), Failure> {
    let (id, secret) = &stage.realm(Place::Long).clients.confidential;
    let login = stage.login(Place::Long, id)?.client_secret(secret.as_str()).authorization(REDIRECT)?;
    let address = visit(&stage, Place::Long, login.url(), Act::Allow).await?;
    let tokens = login.exchange(&field(&address, "code")?, &field(&address, "state")?).await?;
    opens(&stage, id, Some(secret), tokens).await
}

async fn loopback(stage: Arc<Stage>) -> Result<(), Failure> {
    let id = &stage.realm(Place::Long).clients.public;
    let login = stage.login(Place::Long, id)?;
    let (shown, page) = oneshot::channel::<String>();
    let person = async {
        let address = visit(&stage, Place::Long, &page.await?, Act::Allow).await?;
        let answer = raw::http()?.get(address).send().await?;
        same("what the browser is told", &answer.status().as_u16(), &200)
    };
    let place = Loopback::default().time_limit(Duration::from_secs(30));
    let login = login.browser(place, move |page| drop(shown.send(page.to_owned())));
    let (tokens, person) = tokio::join!(login, person);
    person?;
    opens(&stage, id, None, tokens?).await
}

async fn wrong_state(stage: Arc<Stage>) -> Result<(), Failure> {
    let (login, address) = allowed(&stage, Place::Long).await?;
    let other = address.replace(&field(&address, "state")?, "another");
    let error = refused("the login", login.redirected(&other).await)?;
    holds("it says which", error.to_string().contains("belongs to another login (state mismatch)"))
}

async fn denied(stage: Arc<Stage>) -> Result<(), Failure> {
    let login = stage.login(Place::Long, &stage.realm(Place::Long).clients.consent)?.authorization(REDIRECT)?;
    let address = visit(&stage, Place::Long, login.url(), Act::Refuse).await?;
    let error = refused("the login", login.redirected(&address).await)?;
    same("the error", &error.to_string().as_str(), &"login by browser: the person refused the login")?;
    holds("a login is needed", error.needs_login())
}

async fn expired(stage: Arc<Stage>) -> Result<(), Failure> {
    let (login, address) = allowed(&stage, Place::Short).await?;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let error = refused("the login", login.redirected(&address).await)?;
    holds("a login is needed", error.needs_login())?;
    holds("the code is not shown", !format!("{error:?}").contains(&field(&address, "code")?))
}

/// A code by a request with our own challenge, whose verifier is known here.
async fn own_code(stage: &Stage) -> Result<String, Failure> {
    let realm = stage.realm(Place::Long);
    let query = raw::form([
        ("response_type", "code"),
        ("client_id", realm.clients.public.as_str()),
        ("redirect_uri", REDIRECT),
        ("state", "own"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let address = visit(stage, Place::Long, &format!("{}?{query}", realm.endpoint("auth")), Act::Allow).await?;
    field(&address, "code")
}

async fn exchange(stage: &Stage, code: &str, verifier: &str) -> Result<raw::Answer, Failure> {
    let realm = stage.realm(Place::Long);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", realm.clients.public.as_str()),
        ("redirect_uri", REDIRECT),
        ("code", code),
        ("code_verifier", verifier),
    ];
    raw::post(realm, "token", &form).await
}

async fn wrong_verifier(stage: Arc<Stage>) -> Result<(), Failure> {
    let code = own_code(&stage).await?;
    let wrong = exchange(&stage, &code, WRONG_VERIFIER).await?.outcome();
    same("the wrong verifier", &wrong.as_str(), &"400 invalid_grant")?;
    let right = exchange(&stage, &code, VERIFIER).await?.outcome();
    let expected = if stage.provider.facts().wrong_verifier_burns { "400 invalid_grant" } else { "200" };
    same("the right one afterwards", &right.as_str(), &expected)
}

async fn replayed(stage: Arc<Stage>) -> Result<(), Failure> {
    let id = &stage.realm(Place::Long).clients.public;
    let code = own_code(&stage).await?;
    let first = exchange(&stage, &code, VERIFIER).await?;
    let tokens = TokenSet::new(first.text("access_token")?).refresh_token(first.text("refresh_token")?);
    let replay = exchange(&stage, &code, VERIFIER).await?.outcome();
    same("the replay", &replay.as_str(), &"400 invalid_grant")?;
    let clock = StoryClock::default();
    let old = tokens.expires_at(std::time::SystemTime::now());
    let client = stage.client_at(Place::Long, &clock, Credentials::tokens(id, old))?;
    clock.ahead(Duration::from_secs(1));
    let error = refused("a call with the first one's tokens", client.license().await)?;
    holds("a login is needed", error.needs_login())
}

async fn never_calls_back(stage: Arc<Stage>) -> Result<(), Failure> {
    let login = stage.login(Place::Long, &stage.realm(Place::Long).clients.public)?;
    let (shown, page) = oneshot::channel::<String>();
    let person = async {
        let mut page = url::Url::parse(&page.await?)?;
        let elsewhere = |(name, value): (String, String)| {
            if name == "redirect_uri" { (name, "http://evil.example/callback".into()) } else { (name, value) }
        };
        let query: Vec<_> = page.query_pairs().into_owned().map(elsewhere).collect();
        page.query_pairs_mut().clear().extend_pairs(query);
        let answer = stage.provider.visit(page.as_str(), &stage.realm(Place::Long).users.plain, Act::Allow).await?;
        same("where the browser is sent", &answer, &None)
    };
    let place = Loopback::default().time_limit(Duration::from_secs(3));
    let login = login.browser(place, move |page| drop(shown.send(page.to_owned())));
    let (tokens, person) = tokio::join!(login, person);
    person?;
    let error = refused("the login", tokens)?;
    same("its kind", &error.kind(), &ErrorKind::Timeout)?;
    same("its limit", &error.timeout_phase(), &Some(TimeoutPhase::Login))
}
