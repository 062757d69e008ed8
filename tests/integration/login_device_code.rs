//! Login with a device code (RFC 8628): confirmation on another device, and its failures.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    Client, ErrorKind, Result,
    auth::{DeviceCode, TokenSet},
};
use serde_json::json;

use crate::harness::canned_server::{CannedServer, response};
use crate::harness::messages::UNSAFE_VERIFICATION_PAGE;
use crate::harness::scripted::{request_body, response_sequence};
use crate::harness::test_env::{SimulatedTime, TestEnv};

/// The code that the program showed.
#[derive(Clone, Default)]
struct ShownCode(Arc<Mutex<Option<DeviceCode>>>);

impl ShownCode {
    fn show(&self, code: &DeviceCode) {
        assert_eq!(self.0.lock().unwrap().replace(code.clone()), None, "shown once");
    }

    fn code(&self) -> DeviceCode {
        self.0.lock().unwrap().clone().expect("a code was shown")
    }
}

/// Logs in at the simulator and calls `action` with the shown code after `after` sleeps.
async fn log_in_at_simulator(
    env: &TestEnv,
    after: usize,
    action: impl Fn(&documine_sim::idp::Provider, &str) + Send + Sync + 'static,
) -> Result<TokenSet> {
    let (shown, provider) = (ShownCode::default(), env.sim.control().provider().clone());
    let observed = shown.clone();
    let clock = env.time.with_event(after, move || action(&provider, &observed.code().user_code));
    let login = env.builder().clock(clock).login(env.sim.client_id()).unwrap();
    login.client_secret(env.sim.client_secret()).device(|code| shown.show(code)).await
}

fn seconds(sleeps: &[Duration]) -> Vec<u64> {
    sleeps.iter().map(Duration::as_secs).collect()
}

#[tokio::test]
async fn completes_device_login_after_confirmation() {
    let env = TestEnv::new().await;
    let user = env.sim.username().to_owned();
    let tokens = log_in_at_simulator(&env, 2, move |provider, code| assert!(provider.approve_device(code, &user)))
        .await
        .unwrap();
    assert_eq!(env.request_log(), ["device 200", "token 400", "token 200"]);
    assert_eq!(seconds(&env.time.sleeps()), [5, 5]);
    assert!(!format!("{tokens:?}").contains(tokens.access_token().expose()));

    // The tokens open the service and are refreshed without another confirmation.
    let client = env.client_with(env.token_credentials(tokens));
    client.license().await.unwrap();
    env.time.advance(400);
    client.license().await.unwrap();
    assert_eq!(env.request_log_since(3), ["getLicense 200", "token 200", "getLicense 200"]);
}

#[tokio::test]
async fn reports_denied_device_login() {
    let env = TestEnv::new().await;
    let error = log_in_at_simulator(&env, 3, |provider, code| assert!(provider.deny_device(code))).await.unwrap_err();
    assert_eq!(error.to_string(), "login by device code: the person refused the login");
    assert!(error.needs_login() && error.kind() == ErrorKind::Auth);
    assert_eq!(env.request_log(), ["device 200", "token 400", "token 400", "token 400"]);
}

#[tokio::test]
async fn reports_expired_device_code() {
    let env = TestEnv::new().await;
    let error = log_in_at_simulator(&env, usize::MAX, |_, _| {}).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login by device code: the device code expired before it was confirmed; start the login again"
    );
    assert!(error.needs_login());
    // 600 seconds with one poll every five.
    assert_eq!(env.request_log().len(), 121);
}

#[tokio::test]
async fn reports_unauthorized_client_before_showing_code() {
    let env = TestEnv::new().await;
    let login = env.builder().login("nobody").unwrap();
    let error = login.device(|code| panic!("unexpected code: {code:?}")).await.unwrap_err();
    assert_eq!(env.request_log(), ["device 401"]);
    assert!(error.to_string().starts_with("login by device code: the identity provider refused: "), "{error}");
    assert!(error.to_string().ends_with("; check the client id, its secret, and its allowed grants"), "{error}");
    let empty = env.builder().login(" ").unwrap_err();
    assert_eq!(empty.to_string(), "the client id is empty; give the one that is registered with the identity provider");
}

fn token_error(code: &str) -> Vec<u8> {
    response("400 Bad Request", &["Content-Type: application/json"], &json!({ "error": code }).to_string())
}

/// Starts a provider with these responses and returns the outcome of a device login.
async fn device_login_with(responses: Vec<Vec<u8>>) -> (CannedServer, SimulatedTime, Result<TokenSet>) {
    let next = response_sequence(responses);
    let service = CannedServer::respond_with(move |_| next()).await;
    let env = TestEnv::new().await;
    let builder = Client::builder(&service.base).workspace("acme").clock(env.time.clone());
    let outcome = builder.login("laptop").unwrap().scope("openid").scope("offline_access").device(|_| {}).await;
    (service, env.time.clone(), outcome)
}

fn code(link: &str, more: &serde_json::Value) -> Vec<u8> {
    let mut fields = json!({"device_code": "d3vice", "user_code": "WDJB-MJHT", "verification_uri": link});
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    response("200 OK", &["Content-Type: application/json"], &fields.to_string())
}

#[tokio::test]
async fn respects_polling_interval_and_tolerates_outage() {
    let token = json!({"access_token": "t0ken", "token_type": "Bearer", "expires_in": 60});
    let (service, time, outcome) = device_login_with(vec![
        code("https://login.example/device", &json!({"expires_in": 600})),
        token_error("authorization_pending"),
        token_error("slow_down"),
        token_error("authorization_pending"),
        response("503 Service Unavailable", &["Content-Type: text/html"], "<html>"),
        response("502 Bad Gateway", &[], ""),
        token_error("authorization_pending"),
        response("200 OK", &["Content-Type: application/json"], &token.to_string()),
    ])
    .await;
    assert_eq!(outcome.unwrap().access_token().expose(), "t0ken");
    // Five seconds is the standard's default, ten after `slow_down`, more while the provider is unavailable.
    assert_eq!(seconds(&time.sleeps()), [5, 5, 10, 10, 20, 40, 10]);

    let requests = service.requests();
    let field = |request: &str, name: &str| {
        let form = reqwest::Url::parse(&format!("form:?{}", request_body(request))).unwrap();
        form.query_pairs().find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
    };
    let start = &requests[0];
    assert!(start.starts_with("POST /auth/realms/acme/protocol/openid-connect/auth/device "), "{start}");
    assert_eq!(field(start, "scope").as_deref(), Some("openid offline_access"));
    assert_eq!((field(start, "client_id").as_deref(), field(start, "client_secret")), (Some("laptop"), None));
    assert_eq!(field(start, "code_challenge_method").as_deref(), Some("S256"));
    let polls: Vec<_> =
        requests[1..].iter().map(|poll| (field(poll, "device_code"), field(poll, "code_verifier"))).collect();
    assert_eq!(polls[0].0.as_deref(), Some("d3vice"));
    assert!(polls.iter().all(|poll| *poll == polls[0]) && polls[0].1.is_some());
}

#[tokio::test]
async fn gives_up_when_provider_stays_unavailable() {
    let unavailable = response("503 Service Unavailable", &[], "");
    let mut responses = vec![code("https://login.example/device", &json!({"expires_in": 100, "interval": 1}))];
    responses.extend(std::iter::repeat_n(unavailable, 20));
    let (service, time, outcome) = device_login_with(responses).await;
    let error = outcome.unwrap_err();
    assert!(error.is_transient() && !error.needs_login(), "{error}");
    assert_eq!(seconds(&time.sleeps()), [1, 2, 4, 8, 16, 32, 60]);
    assert!(!service.requests().is_empty());
}

#[tokio::test]
async fn rejects_invalid_device_responses() {
    for hostile in ["javascript:alert(1)", "file:///etc/passwd", "login.example"] {
        let (_, _, outcome) = device_login_with(vec![code(hostile, &json!({"expires_in": 600}))]).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.to_string(), UNSAFE_VERIFICATION_PAGE);
    }
    let secret = response("200 OK", &["Content-Type: application/json"], r#"{"device_code": "s3cret"}"#);
    let error = device_login_with(vec![secret]).await.2.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login by device code: the identity provider's response holds no device code; check the device path"
    );
    assert!(!format!("{error:?}").contains("s3cret"));
    let malformed = vec![
        code("https://login.example/device", &json!({"expires_in": 600})),
        response("200 OK", &["Content-Type: application/json"], r#"{"access_token": 7, "s": "s3cret"}"#),
    ];
    let error = device_login_with(malformed).await.2.unwrap_err();
    assert_eq!(error.to_string(), "login by device code: the identity provider's response holds no access token");
    assert!(!format!("{error:?}").contains("s3cret"));
}
