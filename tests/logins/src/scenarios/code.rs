//! Authorization code grant (RFC 6749 section 4.1) with PKCE (RFC 7636), and the listener on the loopback address (RFC 8252).

use std::sync::Arc;
use std::time::Duration;

use documine::{
    Credentials, ErrorKind, TimeoutPhase,
    auth::{Authorization, Loopback, TokenSet},
};
use tokio::sync::oneshot;

use super::Scenario;
use crate::clock::ScenarioClock;
use crate::harness::{Harness, ensure, ensure_eq, expect_error};
use crate::raw::{self, CHALLENGE, VERIFIER, WRONG_VERIFIER, field};
use crate::{Decision, Failure, REDIRECT, RealmKind};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("code: the address is pasted", pasted),
        Scenario::new("code: with the scope openid, whose ID token repeats the nonce", openid),
        Scenario::new("code: a web application's own callback, confidential client", callback),
        Scenario::new("code: the program listens on the loopback address", loopback),
        Scenario::new("code: an answer with another state", wrong_state),
        Scenario::new("code: the person refuses", denied),
        Scenario::new("code: too old", expired),
        Scenario::new("code: a wrong verifier", wrong_verifier),
        Scenario::new("code: a replay kills the tokens", replayed),
        Scenario::new("code: an unknown redirect URI never calls back", never_calls_back),
    ]
}

/// A login of the public client that the person has allowed, and the address that the browser was sent back to.
async fn allowed(harness: &Harness, realm_kind: RealmKind) -> Result<(Authorization, String), Failure> {
    let login = harness.login(realm_kind, &harness.realm(realm_kind).clients.public)?.authorization(REDIRECT)?;
    let address = visit(harness, realm_kind, login.url(), Decision::Allow).await?;
    Ok((login, address))
}

async fn visit(harness: &Harness, realm_kind: RealmKind, page: &str, decision: Decision) -> Result<String, Failure> {
    let address = harness.provider.visit(page, &harness.realm(realm_kind).users.plain, decision).await?;
    address.ok_or_else(|| "the provider did not send the browser back".into())
}

/// The tokens open the service, and stay fresh: the next call, when they are old, refreshes them.
async fn opens(harness: &Harness, client: &str, secret: Option<&str>, tokens: TokenSet) -> Result<(), Failure> {
    let has_expiry = format!("{tokens:?}").contains("refresh_expires_at: Some");
    ensure_eq(
        "the expiry of the refresh token is known",
        &has_expiry,
        &harness.provider.capabilities().tells_refresh_end,
    )?;
    let clock = ScenarioClock::default();
    let mut credentials = Credentials::tokens(client, tokens);
    if let Some(secret) = secret {
        credentials = credentials.client_secret(secret);
    }
    let client = harness.client_at(RealmKind::Lenient, &clock, credentials)?;
    client.license().await?;
    clock.ahead(Duration::from_secs(400));
    client.license().await?;
    Ok(())
}

async fn pasted(harness: Arc<Harness>) -> Result<(), Failure> {
    let (login, address) = allowed(&harness, RealmKind::Lenient).await?;
    ensure("the browser ends at the redirect URI", address.starts_with(REDIRECT))?;
    let tokens = login.finish_with_redirect(&address).await?;
    opens(&harness, &harness.realm(RealmKind::Lenient).clients.public, None, tokens).await
}

async fn openid(harness: Arc<Harness>) -> Result<(), Failure> {
    let id = &harness.realm(RealmKind::Lenient).clients.public;
    let login = harness.login(RealmKind::Lenient, id)?.scope("openid").authorization(REDIRECT)?;
    ensure("the request has a nonce", !field(login.url(), "nonce")?.is_empty())?;
    let address = visit(&harness, RealmKind::Lenient, login.url(), Decision::Allow).await?;
    let tokens = login.finish_with_redirect(&address).await?;
    opens(&harness, id, None, tokens).await
}

async fn callback(harness: Arc<Harness>) -> Result<(), Failure> {
    let (id, secret) = &harness.realm(RealmKind::Lenient).clients.confidential;
    let login = harness.login(RealmKind::Lenient, id)?.client_secret(secret.as_str()).authorization(REDIRECT)?;
    let address = visit(&harness, RealmKind::Lenient, login.url(), Decision::Allow).await?;
    let tokens = login.exchange_code(&field(&address, "code")?, &field(&address, "state")?).await?;
    opens(&harness, id, Some(secret), tokens).await
}

async fn loopback(harness: Arc<Harness>) -> Result<(), Failure> {
    let id = &harness.realm(RealmKind::Lenient).clients.public;
    let login = harness.login(RealmKind::Lenient, id)?;
    let (shown, page) = oneshot::channel::<String>();
    let person = async {
        let address = visit(&harness, RealmKind::Lenient, &page.await?, Decision::Allow).await?;
        let answer = raw::http()?.get(address).send().await?;
        ensure_eq("the redirect of the browser", &answer.status().as_u16(), &200)
    };
    let realm_kind = Loopback::default().time_limit(Duration::from_secs(30));
    let login = login.browser(realm_kind, move |page| drop(shown.send(page.to_owned())));
    let (tokens, person) = tokio::join!(login, person);
    person?;
    opens(&harness, id, None, tokens?).await
}

async fn wrong_state(harness: Arc<Harness>) -> Result<(), Failure> {
    let (login, address) = allowed(&harness, RealmKind::Lenient).await?;
    let other = address.replace(&field(&address, "state")?, "another");
    let error = expect_error("the login", login.finish_with_redirect(&other).await)?;
    ensure("it says which", error.to_string().contains("belongs to another login (state mismatch)"))
}

async fn denied(harness: Arc<Harness>) -> Result<(), Failure> {
    let login = harness
        .login(RealmKind::Lenient, &harness.realm(RealmKind::Lenient).clients.consent)?
        .authorization(REDIRECT)?;
    let address = visit(&harness, RealmKind::Lenient, login.url(), Decision::Deny).await?;
    let error = expect_error("the login", login.finish_with_redirect(&address).await)?;
    ensure_eq("the error", &error.to_string().as_str(), &"login by browser: the person refused the login")?;
    ensure("a login is needed", error.needs_login())
}

async fn expired(harness: Arc<Harness>) -> Result<(), Failure> {
    let (login, address) = allowed(&harness, RealmKind::Strict).await?;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let error = expect_error("the login", login.finish_with_redirect(&address).await)?;
    ensure("a login is needed", error.needs_login())?;
    ensure("the code is not shown", !format!("{error:?}").contains(&field(&address, "code")?))
}

/// A code by a request with our own challenge, whose verifier is known here.
async fn own_code(harness: &Harness) -> Result<String, Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    let query = raw::form([
        ("response_type", "code"),
        ("client_id", realm.clients.public.as_str()),
        ("redirect_uri", REDIRECT),
        ("state", "own"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let address =
        visit(harness, RealmKind::Lenient, &format!("{}?{query}", realm.endpoint("auth")), Decision::Allow).await?;
    field(&address, "code")
}

async fn exchange(harness: &Harness, code: &str, verifier: &str) -> Result<raw::Answer, Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", realm.clients.public.as_str()),
        ("redirect_uri", REDIRECT),
        ("code", code),
        ("code_verifier", verifier),
    ];
    raw::post(realm, "token", &form).await
}

async fn wrong_verifier(harness: Arc<Harness>) -> Result<(), Failure> {
    let code = own_code(&harness).await?;
    let wrong = exchange(&harness, &code, WRONG_VERIFIER).await?.outcome();
    ensure_eq("the wrong verifier", &wrong.as_str(), &"400 invalid_grant")?;
    let right = exchange(&harness, &code, VERIFIER).await?.outcome();
    let expected = if harness.provider.capabilities().wrong_verifier_burns { "400 invalid_grant" } else { "200" };
    ensure_eq("the right one afterwards", &right.as_str(), &expected)
}

async fn replayed(harness: Arc<Harness>) -> Result<(), Failure> {
    let id = &harness.realm(RealmKind::Lenient).clients.public;
    let code = own_code(&harness).await?;
    let first = exchange(&harness, &code, VERIFIER).await?;
    let tokens = TokenSet::new(first.text("access_token")?).refresh_token(first.text("refresh_token")?);
    let replay = exchange(&harness, &code, VERIFIER).await?.outcome();
    ensure_eq("the replay", &replay.as_str(), &"400 invalid_grant")?;
    let clock = ScenarioClock::default();
    let old = tokens.expires_at(std::time::SystemTime::now());
    let client = harness.client_at(RealmKind::Lenient, &clock, Credentials::tokens(id, old))?;
    clock.ahead(Duration::from_secs(1));
    let error = expect_error("a call with the first one's tokens", client.license().await)?;
    ensure("a login is needed", error.needs_login())
}

async fn never_calls_back(harness: Arc<Harness>) -> Result<(), Failure> {
    let login = harness.login(RealmKind::Lenient, &harness.realm(RealmKind::Lenient).clients.public)?;
    let (shown, page) = oneshot::channel::<String>();
    let person = async {
        let mut page = url::Url::parse(&page.await?)?;
        let elsewhere = |(name, value): (String, String)| {
            if name == "redirect_uri" { (name, "http://evil.example/callback".into()) } else { (name, value) }
        };
        let query: Vec<_> = page.query_pairs().into_owned().map(elsewhere).collect();
        page.query_pairs_mut().clear().extend_pairs(query);
        let answer = harness
            .provider
            .visit(page.as_str(), &harness.realm(RealmKind::Lenient).users.plain, Decision::Allow)
            .await?;
        ensure_eq("where the browser is sent", &answer, &None)
    };
    let realm_kind = Loopback::default().time_limit(Duration::from_secs(3));
    let login = login.browser(realm_kind, move |page| drop(shown.send(page.to_owned())));
    let (tokens, person) = tokio::join!(login, person);
    person?;
    let error = expect_error("the login", tokens)?;
    ensure_eq("its kind", &error.kind(), &ErrorKind::Timeout)?;
    ensure_eq("its limit", &error.timeout_phase(), &Some(TimeoutPhase::Login))
}
