//! Values that bind a redirect to its login: the `nonce` of OpenID Connect and `iss` of RFC 9207.

use documine::{
    Client, Result,
    auth::{Authorization, TokenSet},
};
use serde_json::json;

use crate::harness::canned_server::{CannedServer, json_response};
use crate::harness::login::{jwt, log_in_on_page, query_field};
use crate::harness::messages::FOREIGN_ISSUER;
use crate::harness::test_env::TestEnv;

const CALLBACK: &str = "http://127.0.0.1/callback";

fn issuer(env: &TestEnv) -> String {
    format!("{}/auth/realms/{}", env.sim.base_url(), env.sim.workspace_id())
}

fn login(env: &TestEnv, scope: &str) -> Authorization {
    let login = env.login();
    login.scope(scope).authorization(CALLBACK).unwrap()
}

#[tokio::test]
async fn logs_in_at_provider_that_requires_nonce() {
    let mut env = TestEnv::with(|builder| builder.require_nonce(true)).await;
    env.allow_unauthenticated_requests();
    for scope in ["openid", "profile openid"] {
        let login = login(&env, scope);
        assert!(query_field(login.url(), "nonce").unwrap().len() >= 16);
        let redirect_url = log_in_on_page(login.url(), env.sim.username(), env.sim.password()).await;
        let tokens = login.finish_with_redirect(&redirect_url).await.unwrap();
        let client = env.client_with(documine::Credentials::tokens(env.sim.client_id(), tokens));
        assert_eq!(client.identity().await.unwrap().account.as_deref(), Some(env.sim.username()));
    }
    // A web application with its own callback.
    let login = login(&env, "openid");
    let redirect_url = log_in_on_page(login.url(), env.sim.username(), env.sim.password()).await;
    login
        .exchange_code(&query_field(&redirect_url, "code").unwrap(), &query_field(&redirect_url, "state").unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn sends_fresh_nonce_only_with_scope_openid() {
    let env = TestEnv::new().await;
    let nonces: Vec<_> = (0..3).map(|_| query_field(login(&env, "openid").url(), "nonce").unwrap()).collect();
    assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2]);
    for scope in ["profile", "openidx", ""] {
        assert_eq!(query_field(login(&env, scope).url(), "nonce"), None, "{scope:?}");
    }
    let shown = login(&env, "openid");
    assert!(!format!("{shown:?}").contains(&query_field(shown.url(), "nonce").unwrap()));
}

/// Logs in with an ID token built by `make` from the nonce that was sent, and returns the outcome.
async fn with_id_token(scope: &str, make: impl Fn(&str) -> Option<String>) -> Result<TokenSet> {
    let body = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let body_copy = std::sync::Arc::clone(&body);
    let provider = CannedServer::respond_with(move |_| json_response(&body_copy.lock().unwrap())).await;
    let login = Client::builder(&provider.base).workspace("acme").login("laptop").unwrap().scope(scope);
    let login = login.authorization(CALLBACK).unwrap();
    let nonce = query_field(login.url(), "nonce").unwrap_or_default();
    *body.lock().unwrap() = json!({"access_token": "s3cret", "id_token": make(&nonce)}).to_string();
    let state = login.state().expose().to_owned();
    login.finish_with_redirect(&format!("code=c0de&state={state}")).await
}

#[tokio::test]
async fn rejects_id_token_with_another_nonce() {
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
        // Without the scope `openid`, the ID token is not checked.
        assert!(with_id_token("profile", |_| Some(token.clone())).await.is_ok(), "{token}");
    }
    let truncated = with_id_token("openid", |nonce| Some(jwt(&json!({"nonce": &nonce[1..]}).to_string()))).await;
    assert_eq!(truncated.unwrap_err().to_string(), line);
}

#[tokio::test]
async fn accepts_id_token_with_own_nonce_or_none() {
    let accepted = [
        |nonce: &str| Some(jwt(&json!({"sub": "x", "nonce": nonce}).to_string())),
        |nonce: &str| Some(jwt(&json!({"aud": ["a", "b"], "exp": "soon", "nonce": nonce}).to_string())),
        |nonce: &str| Some(jwt(&json!({"nonce": nonce}).to_string()).replacen(".c2", "=.c2", 1)),
        // A provider without ID tokens ignores the scope.
        |_: &str| None,
        |_: &str| Some(String::new()),
    ];
    for (at, make) in accepted.into_iter().enumerate() {
        let tokens = with_id_token("openid", make).await.unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(tokens.access_token().expose(), "s3cret");
    }
}

/// Logs in at a discovered provider whose discovery document is extended by `metadata`, and returns the outcome.
/// `{iss}` in `answer` stands for the provider's issuer.
async fn discovered(metadata: serde_json::Value, answer: &str) -> std::result::Result<(), String> {
    let provider = CannedServer::respond_with(move |head| {
        let host = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
        let issuer = format!("http://{}", host.unwrap());
        let mut document = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token"), "authorization_endpoint": format!("{issuer}/auth")});
        document.as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
        json_response(&if head.starts_with("GET ") { document } else { json!({"access_token": "a"}) }.to_string())
    })
    .await;
    let builder = Client::builder(&provider.base).workspace("acme").discover(&provider.base).await.unwrap();
    let login = builder.login("laptop").unwrap().authorization(CALLBACK).unwrap();
    let state = login.state().expose().to_owned();
    let iss: String = provider.base.replace(':', "%3A").replace('/', "%2F");
    let outcome = match answer {
        "exchange" => login.exchange_code("c0de", &state).await,
        "paste" => login.finish_with_pasted("c0de").await,
        answer => {
            login.finish_with_redirect(&format!("{CALLBACK}?state={state}&{}", answer.replace("{iss}", &iss))).await
        }
    };
    outcome.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn rejects_redirect_without_announced_issuer() {
    let missing = "login by browser: the response lacks the issuer (iss) that this provider announces; paste the whole \
                   URL, or start the login again";
    let other = FOREIGN_ISSUER;
    let whole = "login by browser: this provider's responses name their issuer (iss), which has to be checked; pass the whole query to \
                 `finish_with_redirect`";
    let flag = |value: serde_json::Value| json!({"authorization_response_iss_parameter_supported": value});
    for announced in [flag(json!(true)), flag(json!("true"))] {
        let outcome = async |answer| discovered(announced.clone(), answer).await;
        assert_eq!(outcome("code=a&iss={iss}").await, Ok(()));
        assert_eq!(outcome("code=a&iss={iss}%2F").await, Ok(()), "a trailing slash is ignored");
        assert_eq!(outcome("code=a").await.unwrap_err(), missing);
        assert_eq!(outcome("error=access_denied").await.unwrap_err(), missing);
        assert_eq!(outcome("code=a&iss=").await.unwrap_err(), other);
        assert_eq!(outcome("code=a&iss=https%3A%2F%2Fevil.example").await.unwrap_err(), other);
        assert_eq!(outcome("exchange").await.unwrap_err(), whole);
        assert_eq!(outcome("paste").await, Ok(()), "PKCE protects a pasted code");
    }
    for silent in [flag(json!(false)), flag(json!(null)), flag(json!("no")), flag(json!(1)), json!({})] {
        let outcome = async |answer| discovered(silent.clone(), answer).await;
        assert_eq!(outcome("code=a").await, Ok(()), "{silent}");
        assert_eq!(outcome("exchange").await, Ok(()), "{silent}");
        assert_eq!(outcome("code=a&iss={iss}").await, Ok(()), "{silent}");
        assert_eq!(outcome("code=a&iss=https%3A%2F%2Fevil.example").await.unwrap_err(), other, "{silent}");
    }
}

#[tokio::test]
async fn manual_auth_path_requires_no_issuer() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let page = format!("{}/protocol/openid-connect/auth", issuer(&env));
    for manual in [
        env.builder().auth_path(&page).discover(&issuer(&env)).await.unwrap(),
        env.builder().discover(&issuer(&env)).await.unwrap().auth_path(&page),
    ] {
        let login = manual.login(env.sim.client_id()).unwrap().client_secret(env.sim.client_secret());
        let login = login.authorization(CALLBACK).unwrap();
        let redirect_url = log_in_on_page(login.url(), env.sim.username(), env.sim.password()).await;
        login
            .exchange_code(&query_field(&redirect_url, "code").unwrap(), &query_field(&redirect_url, "state").unwrap())
            .await
            .unwrap();
    }
}
