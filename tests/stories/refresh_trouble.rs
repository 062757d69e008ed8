//! When a login or a refresh goes wrong: nobody is locked out, no account is locked, and no secret shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use documine::{BoxFuture, Client, Credentials, DownloadId, ErrorKind, Result, TokenSet, TokenSource, WaitError};
use serde_json::json;

use crate::canned::{self, Canned, answer};
use crate::scripted::{asked, body, builder, client, in_turn, service};
use crate::world::{SimulatedTime, World};

/// A service that is content with every token, and whose identity provider gives these answers in turn.
async fn provider(answers: Vec<Vec<u8>>) -> Canned {
    let next = in_turn(answers);
    Canned::answering(move |head| if is_login(head) { next() } else { canned::json("{}") }).await
}

fn is_login(request: &str) -> bool {
    request.starts_with("POST /auth/")
}

/// The provider's refusal.
fn refusal(status: &str, error: &str, description: &str) -> Vec<u8> {
    let body = json!({"error": error, "error_description": description}).to_string();
    answer(status, &["Content-Type: application/json"], &body)
}

async fn robot(service: &Canned) -> (Client, SimulatedTime) {
    let (builder, time) = builder(&service.base).await;
    let credentials = Credentials::password("client", "robot", "pa55-w0rd").client_secret("cl1ent-s3cret");
    (builder.credentials(credentials).build().unwrap(), time)
}

/// The grants that the provider was asked for.
fn grants(service: &Canned) -> Vec<String> {
    let grant = |request: &String| {
        let fields = body(request).split('&');
        fields.filter_map(|field| field.strip_prefix("grant_type=")).collect::<String>()
    };
    service.requests().iter().filter(|request| is_login(request)).map(grant).collect()
}

/// The tokens that calls came with.
fn bearers(service: &Canned) -> Vec<String> {
    let bearer = |request: &String| {
        request.lines().find_map(|line| Some(line.split_once("earer ")?.1.to_owned())).unwrap_or_default()
    };
    service.requests().iter().filter(|request| !is_login(request)).map(bearer).collect()
}

/// Does something wrong the first time it is asked, and gives a token from then on.
struct Clumsy {
    asked: Arc<AtomicUsize>,
    first: fn() -> BoxFuture<'static, ()>,
}

impl TokenSource for Clumsy {
    fn token(&self, _rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
        Box::pin(async {
            if self.asked.fetch_add(1, Ordering::SeqCst) == 0 {
                (self.first)().await;
            }
            Ok(TokenSet::new("t0ken"))
        })
    }
}

#[tokio::test]
async fn a_token_source_that_panics_once_locks_nobody_out() {
    let service = service(vec![canned::json("{}")]).await;
    let times = Arc::new(AtomicUsize::new(0));
    let source = Clumsy { asked: Arc::clone(&times), first: || Box::pin(async { panic!("clumsy") }) };
    let client = builder(&service.base).await.0.credentials(Credentials::source(source)).build().unwrap();
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: the token refresh was aborted; call again");
    assert_eq!((error.kind(), error.needs_login(), error.was_sent()), (ErrorKind::Auth, false, false));
    client.license().await.unwrap();
    assert_eq!(times.load(Ordering::SeqCst), 2);
}

#[test]
fn a_refresh_whose_runtime_has_ended_locks_nobody_out() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let service = second.block_on(service(vec![canned::json("{}")]));
    let times = Arc::new(AtomicUsize::new(0));
    let source = Clumsy { asked: Arc::clone(&times), first: || Box::pin(std::future::pending()) };
    let builder = second.block_on(builder(&service.base)).0;
    let client = builder.credentials(Credentials::source(source)).build().unwrap();
    first.block_on(async {
        let call = tokio::spawn(client.license().send());
        while times.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!call.is_finished());
    });
    drop(first);
    second.block_on(client.license().send()).unwrap();
    assert_eq!(times.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_that_lives_for_ever_is_never_renewed() {
    let for_ever = r#"{"access_token":"a-1","token_type":"Bearer","expires_in":18446744073709551615}"#;
    let service = provider(vec![canned::json(for_ever)]).await;
    let (client, time) = robot(&service).await;
    client.license().await.unwrap();
    time.pass(100 * 365 * 86400);
    client.license().await.unwrap();
    assert_eq!(grants(&service), ["password"]);
}

#[tokio::test]
async fn a_refresh_token_that_lives_for_ever_is_used_for_ever() {
    let for_ever = r#"{"access_token":"a-1","token_type":"Bearer","expires_in":300,"refresh_token":"r-1","refresh_expires_in":9223372036854775807}"#;
    let service = provider(vec![canned::json(for_ever)]).await;
    let (client, time) = robot(&service).await;
    client.license().await.unwrap();
    time.pass(100 * 365 * 86400);
    client.license().await.unwrap();
    assert_eq!(grants(&service), ["password", "refresh_token"]);
}

#[tokio::test]
async fn a_token_without_its_type_is_a_bearer_token() {
    let service = provider(vec![canned::json(r#"{"access_token":"a-1","expires_in":300}"#)]).await;
    let (client, _) = robot(&service).await;
    client.license().await.unwrap();
    assert_eq!(bearers(&service), ["a-1"]);
}

#[tokio::test]
async fn a_provider_that_echoes_the_form_shows_no_secret_and_fills_no_screen() {
    let echo = format!(
        "bad form: password=pa55-w0rd,\nclient_secret=cl1ent-s3cret, and a long explanation: {}",
        "x".repeat(100_000)
    );
    let service = provider(vec![refusal("400 Bad Request", "invalid_request", &echo)]).await;
    let error = robot(&service).await.0.license().await.unwrap_err();
    let text = error.to_string();
    let beginning = "login with a password: the identity provider refused: bad form: password=[redacted], \
                     client_secret=[redacted], and a long explanation: xxx";
    assert!(text.starts_with(beginning), "{text}");
    assert!(text.len() < 700 && text.lines().count() == 1, "{text}");
    let shown = format!("{error:?} {:?} {:?}", error.api_message(), error.body_snippet());
    assert!(!shown.contains("pa55-w0rd") && !shown.contains("cl1ent-s3cret"), "{shown}");
}

#[tokio::test]
async fn a_provider_that_echoes_the_refresh_token_does_not_show_it() {
    let service = provider(vec![refusal("400 Bad Request", "invalid_grant", "r3fresh-t0ken is used up")]).await;
    let (builder, time) = builder(&service.base).await;
    let end = documine::Clock::now(&time) + Duration::from_secs(300);
    let tokens = TokenSet::new("a-1").refresh_token("r3fresh-t0ken").expires_at(end);
    let client = builder.credentials(Credentials::tokens("client", tokens)).build().unwrap();
    time.pass(301);
    let error = client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refresh of the access token: the identity provider refused: [redacted] is used up (invalid_grant); log in again or give other credentials"
    );
    assert!(!format!("{error:?} {:?}", error.api_message()).contains("r3fresh-t0ken"));
}

#[tokio::test]
async fn a_proxy_that_echoes_the_request_does_not_show_its_token() {
    let page = "<html>Forbidden: Authorization: Bearer 0wn-t0ken</html>";
    let service = service(vec![answer("403 Forbidden", &["Content-Type: text/html"], page)]).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_eq!(error.body_snippet(), Some("<html>Forbidden: Authorization: Bearer [redacted]</html>"));
    assert!(!format!("{error:?}").contains("0wn-t0ken"));
}

#[tokio::test]
async fn a_token_path_that_leads_nowhere_is_not_a_thing_that_is_not_found() {
    let service = provider(vec![answer("404 Not Found", &["Content-Type: text/html"], "<html>nope</html>")]).await;
    let (client, time) = robot(&service).await;
    let line = "login with a password: the identity provider has no such path (404); \
                check the base URL, the workspace and the token path";
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), line);
    assert_eq!((error.kind(), error.is_not_found()), (ErrorKind::Auth, false));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));

    time.pass(1);
    let error = client.download("d-1".parse::<DownloadId>().unwrap()).operation().wait().await.unwrap_err();
    let WaitError::Poll { what, error, .. } = error else { panic!("{error:?}") };
    assert_eq!((what.as_str(), error.to_string().as_str()), ("package d-1", line));
    assert!(bearers(&service).is_empty());
}

#[tokio::test]
async fn a_call_does_not_wait_for_the_next_token_while_the_old_one_lives() {
    let first = canned::json(r#"{"access_token":"a-1","expires_in":300,"token_type":"Bearer","refresh_token":"r-1"}"#);
    let next = in_turn(vec![first, Vec::new()]);
    let service =
        Canned::answering_and_holding(move |head| if is_login(head) { next() } else { canned::json("{}") }).await;
    let (client, time) = robot(&service).await;
    client.license().await.unwrap();
    time.pass(275);
    let calls = async {
        client.license().await.unwrap();
        // The refresh is under way, and stays so: the provider says nothing.
        while grants(&service).len() < 2 {
            tokio::task::yield_now().await;
        }
        client.license().await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(120), calls).await.expect("no call waits");
    assert_eq!(bearers(&service), ["a-1"; 3]);
    assert_eq!(grants(&service), ["password", "refresh_token"]);
}

#[tokio::test]
async fn the_token_that_was_fetched_beside_is_used_once_it_is_there() {
    let token = |name: &str| {
        canned::json(&format!(
            r#"{{"access_token":"{name}","token_type":"Bearer","expires_in":300,"refresh_token":"r-1"}}"#
        ))
    };
    let service = provider(vec![token("a-1"), token("a-2")]).await;
    let (client, time) = robot(&service).await;
    client.license().await.unwrap();
    time.pass(275);
    let calls = async {
        while bearers(&service).last().is_none_or(|last| last == "a-1") {
            client.license().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(120), calls).await.expect("the new token comes");
    assert_eq!(bearers(&service).last().unwrap(), "a-2");
    assert_eq!(grants(&service), ["password", "refresh_token"]);
}

#[tokio::test]
async fn a_wrong_password_is_offered_once_and_never_again() {
    let world = World::new().await;
    let wrong = Credentials::password(world.sim.client_id(), world.sim.username(), "wr0ng-w0rd")
        .client_secret(world.sim.client_secret());
    let client = world.client_with(wrong);
    for _ in 0..20 {
        let error = client.license().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "login with a password: the identity provider refused: Invalid user credentials (invalid_grant); log in again or give other credentials"
        );
        assert!(error.needs_login());
    }
    assert_eq!(world.journal(), ["token 400"]);
    assert_eq!(client.requests_sent(), 0);
}

#[tokio::test]
async fn a_client_that_the_provider_does_not_know_needs_other_credentials() {
    let service = provider(vec![refusal("401 Unauthorized", "invalid_client", "Unknown client")]).await;
    let (client, _) = robot(&service).await;
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
    assert_eq!(asked(&service), ["POST /auth/realms/acme/protocol/openid-connect/token"; 2]);
}

#[tokio::test]
async fn a_provider_that_is_busy_is_asked_again() {
    let busy = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&busy);
    let service = Canned::answering(move |head| match (is_login(head), flag.load(Ordering::SeqCst)) {
        // Whatever it says while it is in trouble is not its final word.
        (true, true) => refusal("503 Service Unavailable", "invalid_grant", "database is down"),
        (true, false) => canned::json(r#"{"access_token":"a-1","token_type":"Bearer"}"#),
        (false, _) => canned::json("{}"),
    })
    .await;
    let (client, time) = robot(&service).await;
    let error = client.license().await.unwrap_err();
    assert!(error.is_transient() && !error.needs_login());
    busy.store(false, Ordering::SeqCst);
    time.pass(1);
    client.license().await.unwrap();
}
