//! The values that bind a response of the login page to its request: the `nonce` of OpenID Connect, and `iss` of RFC 9207.

use documine::{Authorization, Client, Result, TokenSet};
use serde_json::json;

use crate::canned::{Canned, json as json_answer};
use crate::log_in_by_browser::{field, visit};
use crate::provider_answers::jwt;
use crate::world::World;

const CALLBACK: &str = "http://127.0.0.1/callback";

fn issuer(world: &World) -> String {
    format!("{}/auth/realms/{}", world.sim.base_url(), world.sim.workspace_id())
}

fn login(world: &World, scope: &str) -> Authorization {
    let login = world.builder().login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
    login.scope(scope).authorization(CALLBACK).unwrap()
}

#[tokio::test]
async fn logs_in_at_a_provider_that_requires_a_nonce() {
    let mut world = World::with(|builder| builder.require_nonce(true)).await;
    world.allow_bare_requests();
    for scope in ["openid", "profile openid"] {
        let login = login(&world, scope);
        assert!(field(login.url(), "nonce").unwrap().len() >= 16);
        let ended_at = visit(login.url(), world.sim.username(), world.sim.password()).await;
        let tokens = login.redirected(&ended_at).await.unwrap();
        let client = world.client_with(documine::Credentials::tokens(world.sim.client_id(), tokens));
        assert_eq!(client.who_am_i().await.unwrap().account.as_deref(), Some(world.sim.username()));
    }
    // A web application's own callback.
    let login = login(&world, "openid");
    let ended_at = visit(login.url(), world.sim.username(), world.sim.password()).await;
    login.exchange(&field(&ended_at, "code").unwrap(), &field(&ended_at, "state").unwrap()).await.unwrap();
}

#[tokio::test]
async fn sends_a_fresh_nonce_with_the_scope_openid_only() {
    let world = World::new().await;
    let nonces: Vec<_> = (0..3).map(|_| field(login(&world, "openid").url(), "nonce").unwrap()).collect();
    assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2]);
    for scope in ["profile", "openidx", ""] {
        assert_eq!(field(login(&world, scope).url(), "nonce"), None, "{scope:?}");
    }
    let shown = login(&world, "openid");
    assert!(!format!("{shown:?}").contains(&field(shown.url(), "nonce").unwrap()));
}

/// Logs in with an ID token that `make` makes of the nonce that was sent, and returns the outcome.
async fn with_id_token(scope: &str, make: impl Fn(&str) -> Option<String>) -> Result<TokenSet> {
    let body = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let told = std::sync::Arc::clone(&body);
    let provider = Canned::answering(move |_| json_answer(&told.lock().unwrap())).await;
    let login = Client::builder(&provider.base).workspace("acme").login("laptop").unwrap().scope(scope);
    let login = login.authorization(CALLBACK).unwrap();
    let nonce = field(login.url(), "nonce").unwrap_or_default();
    *body.lock().unwrap() = json!({"access_token": "s3cret", "id_token": make(&nonce)}).to_string();
    let state = login.state().expose().to_owned();
    login.redirected(&format!("code=c0de&state={state}")).await
}

#[tokio::test]
async fn an_id_token_of_another_login_is_refused() {
    let line = "login by browser: the ID token belongs to another login (nonce mismatch or unreadable); start the login again, or \
                remove the scope `openid`";
    let foreign = [
        jwt(r#"{"sub":"x","nonce":"another"}"#),
        jwt(r#"{"sub":"x","nonce":""}"#),
        jwt(r#"{"sub":"x","nonce":["a"]}"#),
        jwt(r#"{"sub":"x"}"#),
        jwt(r#"{"sub":"x","nonce":"a","nonce":"b"}"#),
        "no JWT".to_owned(),
        "a.b.c".to_owned(),
    ];
    for token in foreign {
        let error = with_id_token("openid", |_| Some(token.clone())).await.unwrap_err();
        assert_eq!(error.to_string(), line, "{token}");
        assert!(!format!("{error:?}").contains("s3cret"));
        // Who asks for no ID token holds it against nothing.
        assert!(with_id_token("profile", |_| Some(token.clone())).await.is_ok(), "{token}");
    }
    let truncated = with_id_token("openid", |nonce| Some(jwt(&json!({"nonce": &nonce[1..]}).to_string()))).await;
    assert_eq!(truncated.unwrap_err().to_string(), line);
}

#[tokio::test]
async fn an_id_token_of_this_login_or_none_is_accepted() {
    let ours = [
        |nonce: &str| Some(jwt(&json!({"sub": "x", "nonce": nonce}).to_string())),
        |nonce: &str| Some(jwt(&json!({"aud": ["a", "b"], "exp": "soon", "nonce": nonce}).to_string())),
        |nonce: &str| Some(jwt(&json!({"nonce": nonce}).to_string()).replacen(".c2", "=.c2", 1)),
        // A provider without ID tokens passes the scope over.
        |_: &str| None,
        |_: &str| Some(String::new()),
    ];
    for (at, make) in ours.into_iter().enumerate() {
        let tokens = with_id_token("openid", make).await.unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(tokens.access_token().expose(), "s3cret");
    }
}

/// Logs in at a discovered provider whose metadata have these members more, and returns the outcome.
/// `{iss}` in `answer` stands for the provider's issuer.
async fn discovered(metadata: serde_json::Value, answer: &str) -> std::result::Result<(), String> {
    let provider = Canned::answering(move |head| {
        let host = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
        let issuer = format!("http://{}", host.unwrap());
        let mut document = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token"), "authorization_endpoint": format!("{issuer}/auth")});
        document.as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
        json_answer(&if head.starts_with("GET ") { document } else { json!({"access_token": "a"}) }.to_string())
    })
    .await;
    let builder = Client::builder(&provider.base).workspace("acme").discover(&provider.base).await.unwrap();
    let login = builder.login("laptop").unwrap().authorization(CALLBACK).unwrap();
    let state = login.state().expose().to_owned();
    let iss: String = provider.base.replace(':', "%3A").replace('/', "%2F");
    let outcome = match answer {
        "exchange" => login.exchange("c0de", &state).await,
        "paste" => login.pasted("c0de").await,
        answer => login.redirected(&format!("{CALLBACK}?state={state}&{}", answer.replace("{iss}", &iss))).await,
    };
    outcome.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_answer_without_the_issuer_that_is_announced_is_refused() {
    let missing = "login by browser: the response lacks the issuer (iss) that this provider announces; paste the whole \
                   URL, or start the login again";
    let other = "login by browser: the response comes from another identity provider than expected (iss mismatch); start the login again";
    let whole = "login by browser: this provider's responses name their issuer (iss), which has to be checked; pass the whole query to \
                 `redirected`";
    let flag = |value: serde_json::Value| json!({"authorization_response_iss_parameter_supported": value});
    for announced in [flag(json!(true)), flag(json!("true"))] {
        let told = async |answer| discovered(announced.clone(), answer).await;
        assert_eq!(told("code=a&iss={iss}").await, Ok(()));
        assert_eq!(told("code=a&iss={iss}%2F").await, Ok(()), "a slash makes no other issuer");
        assert_eq!(told("code=a").await.unwrap_err(), missing);
        assert_eq!(told("error=access_denied").await.unwrap_err(), missing);
        assert_eq!(told("code=a&iss=").await.unwrap_err(), other);
        assert_eq!(told("code=a&iss=https%3A%2F%2Fevil.example").await.unwrap_err(), other);
        assert_eq!(told("exchange").await.unwrap_err(), whole);
        assert_eq!(told("paste").await, Ok(()), "a code alone is held by PKCE");
    }
    for silent in [flag(json!(false)), flag(json!(null)), flag(json!("no")), flag(json!(1)), json!({})] {
        let told = async |answer| discovered(silent.clone(), answer).await;
        assert_eq!(told("code=a").await, Ok(()), "{silent}");
        assert_eq!(told("exchange").await, Ok(()), "{silent}");
        assert_eq!(told("code=a&iss={iss}").await, Ok(()), "{silent}");
        assert_eq!(told("code=a&iss=https%3A%2F%2Fevil.example").await.unwrap_err(), other, "{silent}");
    }
}

#[tokio::test]
async fn a_page_set_by_hand_announces_nothing() {
    let mut world = World::new().await;
    world.allow_bare_requests();
    let page = format!("{}/protocol/openid-connect/auth", issuer(&world));
    for by_hand in [
        world.builder().auth_path(&page).discover(&issuer(&world)).await.unwrap(),
        world.builder().discover(&issuer(&world)).await.unwrap().auth_path(&page),
    ] {
        let login = by_hand.login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
        let login = login.authorization(CALLBACK).unwrap();
        let ended_at = visit(login.url(), world.sim.username(), world.sim.password()).await;
        login.exchange(&field(&ended_at, "code").unwrap(), &field(&ended_at, "state").unwrap()).await.unwrap();
    }
}
