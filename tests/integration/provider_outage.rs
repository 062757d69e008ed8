//! An identity provider that fails while no token is valid: token requests are spaced out, and calls fail with the remembered error.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    BoxFuture, Client, Clock, Credentials, Error, Result,
    auth::{LoginEvent, MemoryStore, TokenSet, TokenSource, TokenStore},
    observe::Observer,
};
use documine_sim::Fault;
use futures_util::future::join_all;

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::login::issue_tokens;
use crate::harness::scripted::builder;
use crate::harness::test_env::{SimulatedTime, TestEnv};

const TOKEN: &str = r#"{"access_token":"a-1","token_type":"Bearer","expires_in":300}"#;

/// A service that accepts every token, with an identity provider that sends the current response.
struct Provider {
    server: CannedServer,
    response: Arc<Mutex<Vec<u8>>>,
}

impl Provider {
    async fn respond_with(first: Vec<u8>) -> Self {
        let response = Arc::new(Mutex::new(first));
        let current = Arc::clone(&response);
        let server = CannedServer::respond_with(move |head| {
            if head.starts_with("POST /auth/") { current.lock().unwrap().clone() } else { json_response("{}") }
        });
        Self { server: server.await, response }
    }

    fn set_response(&self, response: Vec<u8>) {
        *self.response.lock().unwrap() = response;
    }

    fn token_requests(&self) -> usize {
        self.server.requests().iter().filter(|request| request.starts_with("POST /auth/")).count()
    }

    async fn client(&self) -> (Client, SimulatedTime) {
        let (builder, time) = builder(&self.server.base).await;
        (builder.credentials(Credentials::password("client", "robot", "pa55-w0rd")).build().unwrap(), time)
    }
}

fn unavailable(retry_after: Option<&str>) -> Vec<u8> {
    match retry_after {
        Some(delay) => response("503 Service Unavailable", &[&format!("Retry-After: {delay}")], ""),
        None => response("503 Service Unavailable", &[], ""),
    }
}

async fn call_error(client: &Client) -> Error {
    client.license().await.unwrap_err()
}

#[tokio::test]
async fn two_hundred_tasks_share_one_backoff_of_at_most_a_minute() {
    let provider = Provider::respond_with(unavailable(None)).await;
    let (client, time) = provider.client().await;
    let mut requests = Vec::new();
    for second in 0..600 {
        // Clones share the state, as all tasks of a program do.
        let errors = join_all((0..200).map(|_| client.clone().license().send())).await;
        assert!(errors.iter().all(|outcome| outcome.as_ref().is_err_and(Error::is_transient)));
        if provider.token_requests() > requests.len() {
            requests.push(second);
        }
        assert_eq!(provider.token_requests(), requests.len(), "second {second}");
        time.advance(1);
    }
    let gaps: Vec<u64> = requests.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((10..=25).contains(&requests.len()), "{requests:?}");
    assert!(
        gaps.is_sorted() && gaps.iter().all(|gap| *gap <= 61) && gaps.last().is_some_and(|gap| *gap >= 30),
        "{gaps:?}"
    );
}

#[tokio::test]
async fn remembered_error_includes_cause_and_remaining_delay() {
    let provider = Provider::respond_with(unavailable(Some("120"))).await;
    let (client, time) = provider.client().await;
    let first = call_error(&client).await;
    assert_eq!(first.retry_after(), Some(Duration::from_secs(120)));
    time.advance(50);
    let remembered = call_error(&client).await;
    assert_eq!(
        remembered.to_string(),
        "login with a password: the identity provider answered 503 Service Unavailable without a reason; it requests a delay of 120s; \
         repeated from the last attempt, the next one is possible in 70s"
    );
    assert_eq!(remembered.retry_after(), Some(Duration::from_secs(70)));
    assert!(remembered.is_transient() && !remembered.needs_login() && !remembered.was_sent());
    assert_eq!(provider.token_requests(), 1);
}

#[tokio::test]
async fn respects_retry_after_up_to_one_hour() {
    let date = "Fri, 31 Dec 9999 23:59:59 GMT";
    let cases = [
        (Some("120"), 120),
        (Some("1800"), 1800),
        (Some("31536000"), 3600),
        (Some("18446744073709551615"), 3600),
        (Some(date), 3600),
        // Shorter than the client's own backoff.
        (Some("0"), 1),
        (None, 1),
    ];
    for (retry_after, delay) in cases {
        for status in ["503 Service Unavailable", "429 Too Many Requests", "500 Internal Server Error"] {
            let headers = retry_after.map(|retry_after| format!("Retry-After: {retry_after}"));
            let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
            let provider = Provider::respond_with(response(status, &headers, "")).await;
            let (client, time) = provider.client().await;
            call_error(&client).await;
            let before = provider.token_requests();
            if delay > 1 {
                time.advance(delay - 1);
                call_error(&client).await;
                assert_eq!(provider.token_requests(), before, "{status} {retry_after:?}");
            }
            time.advance(1);
            call_error(&client).await;
            assert!(provider.token_requests() > before, "{status} {retry_after:?}");
        }
    }
}

#[tokio::test]
async fn success_resets_backoff() {
    let provider = Provider::respond_with(unavailable(None)).await;
    let (client, time) = provider.client().await;
    for _ in 0..20 {
        call_error(&client).await;
        time.advance(60);
    }
    provider.set_response(json_response(TOKEN));
    client.license().await.unwrap();
    provider.set_response(unavailable(None));
    time.advance(301);
    call_error(&client).await;
    // The backoff starts from its first delay again.
    time.advance(1);
    provider.set_response(json_response(TOKEN));
    client.license().await.unwrap();
}

#[tokio::test]
async fn backs_off_after_any_failure_that_is_not_final() {
    let refused = r#"{"error":"invalid_scope","error_description":"no such scope"}"#;
    let set_response = [
        ("503", unavailable(None)),
        ("429", response("429 Too Many Requests", &[], "")),
        ("500", response("500 Internal Server Error", &[], "")),
        ("404", response("404 Not Found", &[], "<html>nope</html>")),
        ("400", response("400 Bad Request", &[], refused)),
        ("no token", json_response("{}")),
        ("truncated response", Vec::new()),
    ];
    for (name, response) in set_response {
        let provider = Provider::respond_with(response).await;
        let (client, time) = provider.client().await;
        for _ in 0..50 {
            assert!(!call_error(&client).await.needs_login(), "{name}");
        }
        assert_eq!(provider.token_requests(), 1, "{name}");
        provider.set_response(json_response(TOKEN));
        time.advance(1);
        client.license().await.unwrap();
    }
}

#[tokio::test]
async fn sends_wrong_password_once() {
    let refused = r#"{"error":"invalid_grant","error_description":"Invalid user credentials"}"#;
    let provider = Provider::respond_with(response("400 Bad Request", &[], refused)).await;
    let (client, time) = provider.client().await;
    for _ in 0..20 {
        assert!(call_error(&client).await.needs_login());
        time.advance(3600);
    }
    assert_eq!(provider.token_requests(), 1);
}

#[tokio::test]
async fn failed_refresh_does_not_fail_calls_while_token_is_valid() {
    let provider = Provider::respond_with(json_response(TOKEN)).await;
    let (client, time) = provider.client().await;
    client.license().await.unwrap();
    provider.set_response(unavailable(Some("600")));
    // The refresh is due 30 seconds before the token expires.
    time.advance(275);
    for _ in 0..24 {
        client.license().await.unwrap();
        client.wait_for_refresh().await;
        time.advance(1);
    }
    assert_eq!(provider.token_requests(), 2, "Retry-After applies to background refreshes");
    time.advance(2);
    let error = call_error(&client).await;
    assert!(error.retry_after() > Some(Duration::from_secs(500)), "{error:?}");
    assert_eq!(provider.token_requests(), 2);
}

#[tokio::test]
async fn backs_off_when_replacing_rejected_token() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    env.sim.control().provider().expire_access_tokens();
    env.add_fault(Fault::on("token").status(503));
    let before = env.requests("token").len();
    for _ in 0..50 {
        assert!(env.client.license().await.unwrap_err().is_transient());
    }
    assert_eq!(env.requests("token").len(), before + 1);
    env.sim.faults().clear();
    env.time.advance(1);
    env.client.license().await.unwrap();
}

/// Counts the failed refreshes reported to an observer.
#[derive(Clone, Default)]
struct RefreshFailureCounter(Arc<AtomicUsize>);

impl Observer for RefreshFailureCounter {
    fn login(&self, event: &LoginEvent<'_>) {
        if matches!(event, LoginEvent::RefreshFailed(_)) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn login_stored_by_another_process_ends_backoff() {
    let env = TestEnv::new().await;
    let store = Arc::new(MemoryStore::default());
    let sim = &env.sim;
    let (failures, provider) =
        (RefreshFailureCounter::default(), Provider::respond_with(unavailable(Some("3000"))).await);
    let token_path = format!("{}/auth/realms/acme/protocol/openid-connect/token", provider.server.base);
    let stored = |access: &str, refresh: &str| {
        let end = env.time.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() + 250_000;
        let json = format!(
            r#"{{"version": 1, "client_id": "{}", "token_endpoint": "{token_path}", "access_token": "{access}",
                "refresh_token": "{refresh}", "id_token": null, "expires_at": {end}, "refresh_expires_at": null, "scopes": []}}"#,
            sim.client_id()
        );
        documine::auth::StoredLogin::from_json(&json).unwrap()
    };
    let (access, refresh) = issue_tokens(&env).await;
    let old = stored(&access, &refresh);
    assert!(store.compare_and_swap(None, &old).await.unwrap());
    let credentials = Credentials::stored(sim.client_id(), store.clone());
    let builder = env.builder().credentials(credentials).token_path(&token_path).observer(failures.clone());
    let client = builder.build().unwrap();
    client.license().await.unwrap();
    env.time.advance(301);
    for _ in 0..20 {
        assert!(call_error(&client).await.is_transient());
    }
    assert_eq!((provider.token_requests(), failures.0.load(Ordering::SeqCst)), (1, 1));
    let (access, refresh) = issue_tokens(&env).await;
    assert!(store.compare_and_swap(Some(&old), &stored(&access, &refresh)).await.unwrap());
    client.license().await.unwrap();
    assert_eq!(provider.token_requests(), 1);
}

/// A token source that always fails.
struct FailingSource(Arc<AtomicUsize>);

impl TokenSource for FailingSource {
    fn token(&self, _rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(documine::auth::StoredLogin::from_json("the vault is down").unwrap_err()) })
    }
}

#[tokio::test]
async fn backs_off_for_failing_token_source() {
    let (builder, time) = builder("http://127.0.0.1:9").await;
    let calls = Arc::new(AtomicUsize::new(0));
    let client = builder.credentials(Credentials::source(FailingSource(Arc::clone(&calls)))).build().unwrap();
    for _ in 0..20 {
        call_error(&client).await;
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    time.advance(1);
    call_error(&client).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
