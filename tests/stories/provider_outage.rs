//! An identity provider that fails while no valid token is left: token requests are spaced out, and calls fail with the remembered error in between.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    BoxFuture, Client, Clock, Credentials, Error, LoginEvent, MemoryStore, Observer, Result, TokenSet, TokenSource,
    TokenStore,
};
use documine_sim::Fault;
use futures_util::future::join_all;

use crate::canned::{self, Canned, answer};
use crate::log_in::tokens;
use crate::scripted::builder;
use crate::world::{SimulatedTime, World};

const TOKEN: &str = r#"{"access_token":"a-1","token_type":"Bearer","expires_in":300}"#;

/// A service that accepts every token, and an identity provider that always gives the current answer.
struct Provider {
    server: Canned,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Provider {
    async fn answering(first: Vec<u8>) -> Self {
        let answer = Arc::new(Mutex::new(first));
        let current = Arc::clone(&answer);
        let server = Canned::answering(move |head| {
            if head.starts_with("POST /auth/") { current.lock().unwrap().clone() } else { canned::json("{}") }
        });
        Self { server: server.await, answer }
    }

    fn answers(&self, answer: Vec<u8>) {
        *self.answer.lock().unwrap() = answer;
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
        Some(pause) => answer("503 Service Unavailable", &[&format!("Retry-After: {pause}")], ""),
        None => answer("503 Service Unavailable", &[], ""),
    }
}

async fn failed(client: &Client) -> Error {
    client.license().await.unwrap_err()
}

#[tokio::test]
async fn two_hundred_tasks_share_one_backoff_of_at_most_a_minute() {
    let provider = Provider::answering(unavailable(None)).await;
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
        time.pass(1);
    }
    let gaps: Vec<u64> = requests.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((10..=25).contains(&requests.len()), "{requests:?}");
    assert!(
        gaps.is_sorted() && gaps.iter().all(|gap| *gap <= 61) && gaps.last().is_some_and(|gap| *gap >= 30),
        "{gaps:?}"
    );
}

#[tokio::test]
async fn the_remembered_error_tells_the_cause_and_the_remaining_pause() {
    let provider = Provider::answering(unavailable(Some("120"))).await;
    let (client, time) = provider.client().await;
    let first = failed(&client).await;
    assert_eq!(first.retry_after(), Some(Duration::from_secs(120)));
    time.pass(50);
    let remembered = failed(&client).await;
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
async fn retry_after_is_kept_and_limited_to_one_hour() {
    let date = "Fri, 31 Dec 9999 23:59:59 GMT";
    let cases = [
        (Some("120"), 120),
        (Some("1800"), 1800),
        (Some("31536000"), 3600),
        (Some("18446744073709551615"), 3600),
        (Some(date), 3600),
        // Shorter than the client's own pause.
        (Some("0"), 1),
        (None, 1),
    ];
    for (asked, pause) in cases {
        for status in ["503 Service Unavailable", "429 Too Many Requests", "500 Internal Server Error"] {
            let headers = asked.map(|asked| format!("Retry-After: {asked}"));
            let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
            let provider = Provider::answering(answer(status, &headers, "")).await;
            let (client, time) = provider.client().await;
            failed(&client).await;
            let before = provider.token_requests();
            if pause > 1 {
                time.pass(pause - 1);
                failed(&client).await;
                assert_eq!(provider.token_requests(), before, "{status} {asked:?}");
            }
            time.pass(1);
            failed(&client).await;
            assert!(provider.token_requests() > before, "{status} {asked:?}");
        }
    }
}

#[tokio::test]
async fn a_success_ends_the_backoff() {
    let provider = Provider::answering(unavailable(None)).await;
    let (client, time) = provider.client().await;
    for _ in 0..20 {
        failed(&client).await;
        time.pass(60);
    }
    provider.answers(canned::json(TOKEN));
    client.license().await.unwrap();
    provider.answers(unavailable(None));
    time.pass(301);
    failed(&client).await;
    // The pauses begin with the first one again.
    time.pass(1);
    provider.answers(canned::json(TOKEN));
    client.license().await.unwrap();
}

#[tokio::test]
async fn any_failure_that_is_not_final_is_spaced_out() {
    let refused = r#"{"error":"invalid_scope","error_description":"no such scope"}"#;
    let answers = [
        ("503", unavailable(None)),
        ("429", answer("429 Too Many Requests", &[], "")),
        ("500", answer("500 Internal Server Error", &[], "")),
        ("404", answer("404 Not Found", &[], "<html>nope</html>")),
        ("400", answer("400 Bad Request", &[], refused)),
        ("no token", canned::json("{}")),
        ("an answer that breaks off", Vec::new()),
    ];
    for (name, answer) in answers {
        let provider = Provider::answering(answer).await;
        let (client, time) = provider.client().await;
        for _ in 0..50 {
            assert!(!failed(&client).await.needs_login(), "{name}");
        }
        assert_eq!(provider.token_requests(), 1, "{name}");
        provider.answers(canned::json(TOKEN));
        time.pass(1);
        client.license().await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_password_is_sent_once_however_much_time_passes() {
    let refused = r#"{"error":"invalid_grant","error_description":"Invalid user credentials"}"#;
    let provider = Provider::answering(answer("400 Bad Request", &[], refused)).await;
    let (client, time) = provider.client().await;
    for _ in 0..20 {
        assert!(failed(&client).await.needs_login());
        time.pass(3600);
    }
    assert_eq!(provider.token_requests(), 1);
}

#[tokio::test]
async fn a_failed_refresh_is_no_error_while_the_token_is_valid() {
    let provider = Provider::answering(canned::json(TOKEN)).await;
    let (client, time) = provider.client().await;
    client.license().await.unwrap();
    provider.answers(unavailable(Some("600")));
    // The refresh is due 30 seconds before the end of the token.
    time.pass(275);
    for _ in 0..24 {
        client.license().await.unwrap();
        client.settle().await;
        time.pass(1);
    }
    assert_eq!(provider.token_requests(), 2, "Retry-After holds for the refresh beside the calls, too");
    time.pass(2);
    let error = failed(&client).await;
    assert!(error.retry_after() > Some(Duration::from_secs(500)), "{error:?}");
    assert_eq!(provider.token_requests(), 2);
}

#[tokio::test]
async fn a_rejected_token_is_not_replaced_more_often_than_the_backoff_allows() {
    let world = World::new().await;
    world.client.license().await.unwrap();
    world.sim.control().provider().expire_access_tokens();
    world.sim.faults().add(Fault::on("token").status(503));
    let before = world.requests("token").len();
    for _ in 0..50 {
        assert!(world.client.license().await.unwrap_err().is_transient());
    }
    assert_eq!(world.requests("token").len(), before + 1);
    world.sim.faults().clear();
    world.time.pass(1);
    world.client.license().await.unwrap();
}

/// Counts the failed refreshes that an observer hears of.
#[derive(Clone, Default)]
struct Failures(Arc<AtomicUsize>);

impl Observer for Failures {
    fn login(&self, event: &LoginEvent<'_>) {
        if matches!(event, LoginEvent::RefreshFailed(_)) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn a_login_that_another_process_stores_ends_the_backoff() {
    let world = World::new().await;
    let store = Arc::new(MemoryStore::default());
    let sim = &world.sim;
    let (failures, provider) = (Failures::default(), Provider::answering(unavailable(Some("3000"))).await);
    let token_path = format!("{}/auth/realms/acme/protocol/openid-connect/token", provider.server.base);
    let stored = |access: &str, refresh: &str| {
        let end = world.time.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() + 250_000;
        let json = format!(
            r#"{{"version": 1, "client_id": "{}", "token_endpoint": "{token_path}", "access_token": "{access}",
                "refresh_token": "{refresh}", "id_token": null, "expires_at": {end}, "refresh_expires_at": null, "scopes": []}}"#,
            sim.client_id()
        );
        documine::StoredLogin::from_json(&json).unwrap()
    };
    let (access, refresh) = tokens(&world).await;
    let old = stored(&access, &refresh);
    assert!(store.compare_and_swap(None, &old).await.unwrap());
    let credentials = Credentials::stored(sim.client_id(), store.clone());
    let builder = world.builder().credentials(credentials).token_path(&token_path).observer(failures.clone());
    let client = builder.build().unwrap();
    client.license().await.unwrap();
    world.time.pass(301);
    for _ in 0..20 {
        assert!(failed(&client).await.is_transient());
    }
    assert_eq!((provider.token_requests(), failures.0.load(Ordering::SeqCst)), (1, 1));
    let (access, refresh) = tokens(&world).await;
    assert!(store.compare_and_swap(Some(&old), &stored(&access, &refresh)).await.unwrap());
    client.license().await.unwrap();
    assert_eq!(provider.token_requests(), 1);
}

/// A vault that is down.
struct Vault(Arc<AtomicUsize>);

impl TokenSource for Vault {
    fn token(&self, _rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(documine::StoredLogin::from_json("the vault is down").unwrap_err()) })
    }
}

#[tokio::test]
async fn a_failing_token_source_is_called_with_the_same_backoff() {
    let (builder, time) = builder("http://127.0.0.1:9").await;
    let calls = Arc::new(AtomicUsize::new(0));
    let client = builder.credentials(Credentials::source(Vault(Arc::clone(&calls)))).build().unwrap();
    for _ in 0..20 {
        failed(&client).await;
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    time.pass(1);
    failed(&client).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
