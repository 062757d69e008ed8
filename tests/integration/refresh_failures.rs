//! Failing logins and refreshes: later calls are not blocked, accounts are not locked, and secrets are redacted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use documine::{
    BoxFuture, Client, Credentials, ErrorKind, Result,
    auth::{TokenSet, TokenSource},
    models::DownloadId,
    wait::WaitErrorKind,
};
use serde_json::json;

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::messages::{REJECTED_PASSWORD, UNKNOWN_TOKEN_PATH};
use crate::harness::scripted::{builder, client, request_body, request_lines, response_sequence, scripted_server};
use crate::harness::test_env::{SimulatedTime, TestEnv};

/// Starts a service that accepts every token, with an identity provider that sends these responses in turn.
async fn provider(responses: Vec<Vec<u8>>) -> CannedServer {
    let next = response_sequence(responses);
    CannedServer::respond_with(move |head| if is_login(head) { next() } else { json_response("{}") }).await
}

fn is_login(request: &str) -> bool {
    request.starts_with("POST /auth/")
}

/// Builds an error response of the provider.
fn error_response(status: &str, error: &str, description: &str) -> Vec<u8> {
    let body = json!({"error": error, "error_description": description}).to_string();
    response(status, &["Content-Type: application/json"], &body)
}

async fn robot_client(service: &CannedServer) -> (Client, SimulatedTime) {
    let (builder, time) = builder(&service.base).await;
    let credentials = Credentials::password("client", "robot", "pa55-w0rd").client_secret("cl1ent-s3cret");
    (builder.credentials(credentials).build().unwrap(), time)
}

/// Returns the grants requested from the provider.
fn grants(service: &CannedServer) -> Vec<String> {
    let grant = |request: &String| {
        let fields = request_body(request).split('&');
        fields.filter_map(|field| field.strip_prefix("grant_type=")).collect::<String>()
    };
    service.requests().iter().filter(|request| is_login(request)).map(grant).collect()
}

/// Returns the tokens sent with calls.
fn bearers(service: &CannedServer) -> Vec<String> {
    let bearer = |request: &String| {
        request.lines().find_map(|line| Some(line.split_once("earer ")?.1.to_owned())).unwrap_or_default()
    };
    service.requests().iter().filter(|request| !is_login(request)).map(bearer).collect()
}

/// A token source that misbehaves at its first call and returns a token afterwards.
struct FailsFirstSource {
    calls: Arc<AtomicUsize>,
    first: fn() -> BoxFuture<'static, ()>,
}

impl TokenSource for FailsFirstSource {
    fn token(&self, _rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
        Box::pin(async {
            if self.calls.fetch_add(1, Ordering::SeqCst) == 0 {
                (self.first)().await;
            }
            Ok(TokenSet::new("t0ken"))
        })
    }
}

#[tokio::test]
async fn panic_of_token_source_does_not_block_later_calls() {
    let service = scripted_server(vec![json_response("{}")]).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let source =
        FailsFirstSource { calls: Arc::clone(&calls), first: || Box::pin(async { panic!("first call fails") }) };
    let client = builder(&service.base).await.0.credentials(Credentials::source(source)).build().unwrap();
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: the token refresh was aborted; call again");
    assert_eq!((error.kind(), error.needs_login(), error.was_sent()), (ErrorKind::Auth, false, false));
    client.license().await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[test]
fn refresh_of_ended_runtime_does_not_block_later_calls() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let service = second.block_on(scripted_server(vec![json_response("{}")]));
    let calls = Arc::new(AtomicUsize::new(0));
    let source = FailsFirstSource { calls: Arc::clone(&calls), first: || Box::pin(std::future::pending()) };
    let builder = second.block_on(builder(&service.base)).0;
    let client = builder.credentials(Credentials::source(source)).build().unwrap();
    first.block_on(async {
        let call = tokio::spawn(client.license().send());
        while calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!call.is_finished());
    });
    drop(first);
    second.block_on(client.license().send()).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn never_renews_token_without_expiry() {
    let without_expiry = r#"{"access_token":"a-1","token_type":"Bearer","expires_in":18446744073709551615}"#;
    let service = provider(vec![json_response(without_expiry)]).await;
    let (client, time) = robot_client(&service).await;
    client.license().await.unwrap();
    time.advance(100 * 365 * 86400);
    client.license().await.unwrap();
    assert_eq!(grants(&service), ["password"]);
}

#[tokio::test]
async fn uses_refresh_token_without_expiry_indefinitely() {
    let without_expiry = concat!(
        r#"{"access_token":"a-1","token_type":"Bearer","expires_in":300,"refresh_token":"r-1","#,
        r#""refresh_expires_in":9223372036854775807}"#
    );
    let service = provider(vec![json_response(without_expiry)]).await;
    let (client, time) = robot_client(&service).await;
    client.license().await.unwrap();
    time.advance(100 * 365 * 86400);
    client.license().await.unwrap();
    assert_eq!(grants(&service), ["password", "refresh_token"]);
}

#[tokio::test]
async fn treats_token_without_type_as_bearer() {
    let service = provider(vec![json_response(r#"{"access_token":"a-1","expires_in":300}"#)]).await;
    let (client, _) = robot_client(&service).await;
    client.license().await.unwrap();
    assert_eq!(bearers(&service), ["a-1"]);
}

#[tokio::test]
async fn redacts_and_truncates_echoed_form() {
    let echo = format!(
        "bad form: password=pa55-w0rd,\nclient_secret=cl1ent-s3cret, and a long explanation: {}",
        "x".repeat(100_000)
    );
    let service = provider(vec![error_response("400 Bad Request", "invalid_request", &echo)]).await;
    let error = robot_client(&service).await.0.license().await.unwrap_err();
    let text = error.to_string();
    let beginning = "login with a password: the identity provider refused: bad form: password=[redacted], \
                     client_secret=[redacted], and a long explanation: xxx";
    assert!(text.starts_with(beginning), "{text}");
    assert!(text.len() < 700 && text.lines().count() == 1, "{text}");
    let shown = format!("{error:?} {:?} {:?}", error.api_message(), error.body_snippet());
    assert!(!shown.contains("pa55-w0rd") && !shown.contains("cl1ent-s3cret"), "{shown}");
}

#[tokio::test]
async fn redacts_echoed_refresh_token() {
    let service = provider(vec![error_response("400 Bad Request", "invalid_grant", "r3fresh-t0ken is used up")]).await;
    let (builder, time) = builder(&service.base).await;
    let end = documine::Clock::now(&time) + Duration::from_secs(300);
    let tokens = TokenSet::new("a-1").refresh_token("r3fresh-t0ken").expires_at(end);
    let client = builder.credentials(Credentials::tokens("client", tokens)).build().unwrap();
    time.advance(301);
    let error = client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refresh of the access token: the identity provider refused: [redacted] is used up (invalid_grant); log in again or give other credentials"
    );
    assert!(!format!("{error:?} {:?}", error.api_message()).contains("r3fresh-t0ken"));
}

#[tokio::test]
async fn redacts_token_echoed_by_proxy() {
    let page = "<html>Forbidden: Authorization: Bearer 0wn-t0ken</html>";
    let service = scripted_server(vec![response("403 Forbidden", &["Content-Type: text/html"], page)]).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_eq!(error.body_snippet(), Some("<html>Forbidden: Authorization: Bearer [redacted]</html>"));
    assert!(!format!("{error:?}").contains("0wn-t0ken"));
}

#[tokio::test]
async fn reports_unknown_token_path_as_auth_error() {
    let service = provider(vec![response("404 Not Found", &["Content-Type: text/html"], "<html>nope</html>")]).await;
    let (client, time) = robot_client(&service).await;
    let line = UNKNOWN_TOKEN_PATH;
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), line);
    assert_eq!((error.kind(), error.is_not_found()), (ErrorKind::Auth, false));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));

    time.advance(1);
    let error = client.download("d-1".parse::<DownloadId>().unwrap()).job().wait().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Poll, "{error:?}");
    let poll_error = error.poll_error().map(ToString::to_string);
    assert_eq!((error.target(), poll_error.as_deref()), ("package d-1", Some(line)));
    assert!(bearers(&service).is_empty());
}

#[tokio::test]
async fn call_does_not_wait_for_refresh_while_token_is_valid() {
    let first = json_response(r#"{"access_token":"a-1","expires_in":300,"token_type":"Bearer","refresh_token":"r-1"}"#);
    let next = response_sequence(vec![first, Vec::new()]);
    let service =
        CannedServer::respond_and_hold(move |head| if is_login(head) { next() } else { json_response("{}") }).await;
    let (client, time) = robot_client(&service).await;
    client.license().await.unwrap();
    time.advance(275);
    let calls = async {
        client.license().await.unwrap();
        // The refresh stays in progress, because the provider does not respond.
        while grants(&service).len() < 2 {
            tokio::task::yield_now().await;
        }
        client.license().await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(120), calls).await.expect("no call blocks");
    assert_eq!(bearers(&service), ["a-1"; 3]);
    assert_eq!(grants(&service), ["password", "refresh_token"]);
}

#[tokio::test]
async fn uses_refreshed_token_once_available() {
    let token = |name: &str| {
        json_response(&format!(
            r#"{{"access_token":"{name}","token_type":"Bearer","expires_in":300,"refresh_token":"r-1"}}"#
        ))
    };
    let service = provider(vec![token("a-1"), token("a-2")]).await;
    let (client, time) = robot_client(&service).await;
    client.license().await.unwrap();
    time.advance(275);
    let calls = async {
        while bearers(&service).last().is_none_or(|last| last == "a-1") {
            client.license().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(120), calls).await.expect("the new token is used");
    assert_eq!(bearers(&service).last().unwrap(), "a-2");
    assert_eq!(grants(&service), ["password", "refresh_token"]);
}

#[tokio::test]
async fn sends_wrong_password_only_once() {
    let env = TestEnv::new().await;
    let wrong = Credentials::password(env.sim.client_id(), env.sim.username(), "wr0ng-w0rd")
        .client_secret(env.sim.client_secret());
    let client = env.client_with(wrong);
    for _ in 0..20 {
        let error = client.license().await.unwrap_err();
        assert_eq!(error.to_string(), REJECTED_PASSWORD);
        assert!(error.needs_login());
    }
    assert_eq!(env.request_log(), ["token 400"]);
    assert_eq!(client.requests_sent(), 0);
}

#[tokio::test]
async fn reports_unknown_client_as_needs_login() {
    let service = provider(vec![error_response("401 Unauthorized", "invalid_client", "Unknown client")]).await;
    let (client, _) = robot_client(&service).await;
    for _ in 0..3 {
        let error = client.license().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "login with a password: the identity provider refused: Unknown client (invalid_client); \
             check the client id, its secret, and its allowed grants"
        );
        assert!(error.needs_login() && !error.is_transient());
    }
    // The secret is sent in the form, and once in the header.
    assert_eq!(request_lines(&service), ["POST /auth/realms/acme/protocol/openid-connect/token"; 2]);
}

#[tokio::test]
async fn retries_login_after_provider_was_busy() {
    let busy = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&busy);
    let service = CannedServer::respond_with(move |head| match (is_login(head), flag.load(Ordering::SeqCst)) {
        // An error code sent with a 503 is not final.
        (true, true) => error_response("503 Service Unavailable", "invalid_grant", "database is down"),
        (true, false) => json_response(r#"{"access_token":"a-1","token_type":"Bearer"}"#),
        (false, _) => json_response("{}"),
    })
    .await;
    let (client, time) = robot_client(&service).await;
    let error = client.license().await.unwrap_err();
    assert!(error.is_transient() && !error.needs_login());
    busy.store(false, Ordering::SeqCst);
    time.advance(1);
    client.license().await.unwrap();
}
