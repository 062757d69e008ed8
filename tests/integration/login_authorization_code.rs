//! Login with an authorization code (RFC 6749 section 4.1): the redirect is pasted, or received by a web application.

use documine::{Client, ErrorKind, auth::Authorization};
use serde_json::json;

use crate::harness::canned_server::{CannedServer, response};
use crate::harness::login::{log_in_on_page, query_field};
use crate::harness::messages::{DENIED_LOGIN, FOREIGN_ISSUER, FOREIGN_STATE};
use crate::harness::scripted::{request_body, response_sequence};
use crate::harness::test_env::TestEnv;

const CALLBACK: &str = "http://127.0.0.1/callback";

/// Starts a login of the environment's client.
fn login(env: &TestEnv) -> Authorization {
    env.login().authorization(CALLBACK).unwrap()
}

#[tokio::test]
async fn completes_login_with_pasted_redirect_url() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let login = login(&env);
    let redirect_url = log_in_on_page(login.url(), env.sim.username(), env.sim.password()).await;
    assert!(redirect_url.starts_with(CALLBACK), "{redirect_url}");
    // Pasted text may contain spaces and line breaks.
    let tokens = login.finish_with_redirect(&format!(" {redirect_url}\n")).await.unwrap();
    assert_eq!(env.request_log(), ["auth 200", "login 302", "token 200"]);

    let client = env.client_with(env.token_credentials(tokens));
    env.time.advance(400);
    client.license().await.unwrap();
    assert_eq!(env.request_log_since(3), ["token 200", "getLicense 200"]);
}

#[tokio::test]
async fn matches_callback_to_login_by_state() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let (first, second) = (login(&env), login(&env));
    assert_ne!(first.state().expose(), second.state().expose());
    let redirect_url = log_in_on_page(first.url(), env.sim.username(), env.sim.password()).await;
    let (code, state) = (query_field(&redirect_url, "code").unwrap(), query_field(&redirect_url, "state").unwrap());
    // The state identifies the login of a redirect.
    assert_eq!(first.state().expose(), state);
    let error = second.exchange_code(&code, &state).await.unwrap_err();
    assert_eq!(error.to_string(), FOREIGN_STATE);
    assert_eq!(env.request_log().len(), 2, "the code was not used");
    first.exchange_code(&code, &state).await.unwrap();
}

#[tokio::test]
async fn rejects_code_of_another_login() {
    // An injected code belongs to a login with another challenge (RFC 7636).
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let (own_login, other_login) = (login(&env), login(&env));
    let redirect_url = log_in_on_page(other_login.url(), env.sim.username(), env.sim.password()).await;
    let code = query_field(&redirect_url, "code").unwrap();
    let state = own_login.state().expose().to_owned();
    let error = own_login.exchange_code(&code, &state).await.unwrap_err();
    assert!(error.needs_login(), "{error}");
    assert!(error.to_string().contains("invalid_grant"), "{error}");
    assert!(!format!("{error:?}").contains(&code));
}

#[tokio::test]
async fn rejects_invalid_redirects() {
    let env = TestEnv::new().await;
    let error_for = |make: fn(&str) -> String| {
        let login = login(&env);
        let answer = make(login.state().expose());
        async move {
            let error = login.finish_with_redirect(&answer).await.unwrap_err();
            (error.to_string(), error.kind(), error.needs_login())
        }
    };
    let refused = error_for(|state| format!("{CALLBACK}?error=access_denied&state={state}")).await;
    assert_eq!(refused, (DENIED_LOGIN.into(), ErrorKind::Auth, true));
    let scope =
        error_for(|state| format!("error=invalid_scope&error_description=Invalid+scopes%3A%0Ax&state={state}")).await;
    assert_eq!(scope.0, "login by browser: the identity provider refused: Invalid scopes: x (invalid_scope)");
    let missing_code = error_for(|state| format!("?state={state}")).await;
    assert_eq!(
        missing_code.0,
        "login by browser: the identity provider's response holds no code; start the login again"
    );
    let duplicate = error_for(|state| format!("code=a&code=b&state={state}")).await;
    assert_eq!(duplicate.0, "login by browser: the response holds `code` twice; start the login again");
    let other_issuer = error_for(|state| format!("code=a&state={state}&iss=https%3A%2F%2Fevil.example")).await;
    assert_eq!(other_issuer.0, FOREIGN_ISSUER);
    for invalid in ["", "4/P7q7W91a-oMsCeLvIaQm6bTrgtp7", "https://acme.example/"] {
        let error = login(&env).finish_with_redirect(invalid).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        assert!(!error.to_string().contains("P7q7"));
    }
    // The state is compared first: a redirect of another login is not reported as denied.
    let foreign =
        login(&env).finish_with_redirect("error=access_denied&error_description=call+0900&state=x").await.unwrap_err();
    assert_eq!(foreign.to_string(), FOREIGN_STATE);
    for wrong in ["", "callback", "http://127.0.0.1/#here"] {
        let error = env.builder().login("laptop").unwrap().authorization(wrong).unwrap_err();
        assert_eq!(error.to_string(), "the redirect URI is not an absolute URL, or has a fragment");
    }
    assert_eq!(env.request_log(), Vec::<String>::new());
}

#[tokio::test]
async fn sends_code_only_once() {
    let token = json!({"access_token": "t0ken", "token_type": "Bearer"}).to_string();
    let next = response_sequence(vec![
        response("503 Service Unavailable", &[], ""),
        response("200 OK", &["Content-Type: application/json"], &token),
    ]);
    let provider = CannedServer::respond_with(move |_| next()).await;
    let builder = Client::builder(&provider.base).workspace("acme").auth_path("/a?tenant=x");
    let login = || builder.login("laptop").unwrap().scope("openid").authorization(CALLBACK).unwrap();
    let first_login = login();
    assert_eq!(query_field(first_login.url(), "tenant").as_deref(), Some("x"), "configured parameters are kept");
    assert_eq!(query_field(first_login.url(), "response_type").as_deref(), Some("code"));
    assert_eq!(query_field(first_login.url(), "redirect_uri").as_deref(), Some(CALLBACK));
    assert_eq!(query_field(first_login.url(), "scope").as_deref(), Some("openid"));
    assert_eq!(query_field(first_login.url(), "code_challenge_method").as_deref(), Some("S256"));
    let shown = format!("{first_login:?}");
    assert!(!shown.contains(first_login.state().expose()), "{shown}");
    let state = first_login.state().expose().to_owned();
    let error = first_login.exchange_code("the c0de", &state).await.unwrap_err();
    assert!(error.is_transient() && !format!("{error:?}").contains("the c0de"), "{error:?}");
    assert_eq!(provider.requests().len(), 1);
    let form = format!("form:?{}", request_body(&provider.requests()[0]));
    assert_eq!(query_field(&form, "code").as_deref(), Some("the c0de"));
    assert_eq!(query_field(&form, "redirect_uri").as_deref(), Some(CALLBACK));
    assert!(query_field(&form, "code_verifier").is_some_and(|verifier| verifier.len() >= 43));
    let second_login = login();
    let state = second_login.state().expose().to_owned();
    assert_eq!(second_login.exchange_code("another", &state).await.unwrap().access_token().expose(), "t0ken");
}
