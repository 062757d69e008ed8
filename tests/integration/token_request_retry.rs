//! Retries of token requests: a code or a refresh token is sent a second time only if the provider states
//! that it did not process the first request.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use documine::{Client, Credentials, ErrorKind, Result, auth::TokenSet};
use documine_sim::Fault;
use tokio::net::TcpSocket;

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::login::query_field;
use crate::harness::scripted::{request_body, request_lines, response_sequence};
use crate::harness::test_env::TestEnv;

const TOKEN: &str = r#"{"access_token":"a-1","token_type":"Bearer","expires_in":300}"#;
const TOKEN_REQUEST: &str = "POST /auth/realms/acme/protocol/openid-connect/token";

/// The grant that a client requests.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Grant {
    Password,
    Refresh,
    Code,
}

const GRANTS: [Grant; 3] = [Grant::Password, Grant::Refresh, Grant::Code];

/// Sends a token request with the grant.
async fn request_token(builder: documine::ClientBuilder, grant: Grant) -> Result<()> {
    match grant {
        Grant::Password => {
            let credentials = Credentials::password("program", "robot", "pa55-w0rd");
            builder.credentials(credentials).build()?.license().await.map(drop)
        }
        Grant::Refresh => {
            let old = TokenSet::new("0ld").refresh_token("r-1").expires_at(SystemTime::UNIX_EPOCH);
            builder.credentials(Credentials::tokens("program", old)).build()?.license().await.map(drop)
        }
        Grant::Code => {
            let login = builder.login("program")?.authorization("http://127.0.0.1/callback")?;
            let state = query_field(login.url(), "state").unwrap();
            login.exchange_code("c0de", &state).await.map(drop)
        }
    }
}

/// Runs a token request against scripted responses.
/// Returns the outcome, the delays in milliseconds and the number of attempts.
async fn run_scripted(responses: Vec<Vec<u8>>, grant: Grant) -> (Result<()>, Vec<u128>, usize) {
    let next = response_sequence(responses);
    let service =
        CannedServer::respond_with(move |head| if head.starts_with("POST ") { next() } else { json_response("{}") })
            .await;
    let time = TestEnv::new().await.time.clone();
    let outcome = request_token(Client::builder(&service.base).workspace("acme").clock(time.clone()), grant).await;
    let attempts = request_lines(&service).iter().filter(|line| *line == TOKEN_REQUEST).count();
    (outcome, time.sleeps().iter().map(Duration::as_millis).collect(), attempts)
}

fn busy_response(status: &str, retry_after: &str) -> Vec<u8> {
    response(status, &[&format!("Retry-After: {retry_after}"), "Date: Sun, 06 Nov 1994 08:49:37 GMT"], "")
}

#[tokio::test]
async fn retries_429_and_503_with_retry_after() {
    for grant in GRANTS {
        for status in ["429 Too Many Requests", "503 Service Unavailable"] {
            let (outcome, delays, attempts) =
                run_scripted(vec![busy_response(status, "3"), json_response(TOKEN)], grant).await;
            outcome.unwrap_or_else(|error| panic!("{grant:?} {status}: {error}"));
            assert_eq!((delays, attempts), (vec![3000], 2), "{grant:?} {status}");
        }
        let date = busy_response("503 Service Unavailable", "Sun, 06 Nov 1994 08:49:44 GMT");
        let (outcome, delays, attempts) = run_scripted(vec![date, json_response(TOKEN)], grant).await;
        assert_eq!((outcome.is_ok(), delays, attempts), (true, vec![7000], 2), "{grant:?}");
        // A `Retry-After` of zero still adds jitter, so that rejected clients do not return together.
        let (outcome, delays, attempts) = run_scripted(vec![busy_response("429 Too Many Requests", "0")], grant).await;
        assert_eq!(outcome.unwrap_err().status().unwrap().as_u16(), 429);
        assert_eq!((delays, attempts), (vec![125, 250], 3), "{grant:?}: three attempts in all");
    }
}

#[tokio::test]
async fn limits_wait_for_token_request() {
    for grant in GRANTS {
        let (outcome, delays, attempts) =
            run_scripted(vec![busy_response("503 Service Unavailable", "60")], grant).await;
        let error = outcome.unwrap_err();
        assert!(
            error.to_string().ends_with(
                ": the identity provider answered 503 Service Unavailable without a reason; it requests a delay of 60s"
            ),
            "{error}"
        );
        assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
        assert!(error.is_transient() && !error.needs_login());
        assert_eq!((delays, attempts), (vec![], 1), "{grant:?}");
        let (outcome, delays, attempts) =
            run_scripted(vec![busy_response("503 Service Unavailable", "20")], grant).await;
        assert!(outcome.is_err());
        assert_eq!((delays, attempts), (vec![20_000], 2), "{grant:?}: ten of thirty seconds are left");
    }
}

#[tokio::test]
async fn does_not_retry_request_that_may_have_been_processed() {
    let token = json_response(TOKEN);
    let responses = [
        Vec::new(),
        token[..token.len() - 20].to_vec(),
        response("503 Service Unavailable", &[], ""),
        response("429 Too Many Requests", &["Retry-After: soon"], ""),
        busy_response("500 Internal Server Error", "1"),
        busy_response("502 Bad Gateway", "1"),
        busy_response("504 Gateway Timeout", "1"),
        busy_response("400 Bad Request", "1"),
        busy_response("302 Found", "1"),
    ];
    for grant in GRANTS {
        for first in &responses {
            let (outcome, delays, attempts) = run_scripted(vec![first.clone(), json_response(TOKEN)], grant).await;
            let shown = String::from_utf8_lossy(first);
            assert!(outcome.is_err(), "{grant:?} {shown}");
            assert_eq!((delays, attempts), (vec![], 1), "{grant:?} {shown}");
        }
    }
}

/// Runs a token request at a provider that starts listening after `after` delays; returns outcome, delays in milliseconds, requests.
async fn run_with_delayed_listener(after: usize, grant: Grant) -> (Result<()>, Vec<u128>, Vec<String>) {
    let service = CannedServer::respond_with(|_| json_response("{}")).await;
    // The port is reserved but not yet listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let token_url = format!("http://{}/token", socket.local_addr().unwrap());
    let time = TestEnv::new().await.time.clone();
    let (socket, server) = (Mutex::new(Some(socket)), Arc::<Mutex<Option<CannedServer>>>::default());
    let started = Arc::clone(&server);
    let clock = time.with_event(after, move || {
        let listener = socket.lock().unwrap().take().unwrap().listen(16).unwrap();
        *started.lock().unwrap() = Some(CannedServer::listen_on(listener, |_| json_response(TOKEN), true));
    });
    let builder = Client::builder(&service.base).workspace("acme").token_path(token_url).clock(clock);
    let outcome = request_token(builder, grant).await;
    let observed = server.lock().unwrap().as_ref().map(request_lines).unwrap_or_default();
    (outcome, time.sleeps().iter().map(Duration::as_millis).collect(), observed)
}

#[tokio::test]
async fn retries_request_that_was_never_sent() {
    for grant in GRANTS {
        for after in [1, 2] {
            let (outcome, delays, observed) = run_with_delayed_listener(after, grant).await;
            outcome.unwrap_or_else(|error| panic!("{grant:?} {after}: {error}"));
            assert_eq!(observed, ["POST /token"], "{grant:?}");
            assert_eq!(delays, [125, 250][..after], "{grant:?}");
        }
        let (outcome, delays, observed) = run_with_delayed_listener(3, grant).await;
        let error = outcome.unwrap_err();
        assert!(format!("{error:#}").contains("the request to the identity provider failed: "), "{error:#}");
        assert_eq!((error.kind(), error.is_transient(), error.needs_login()), (ErrorKind::Connect, true, false));
        assert_eq!((delays, observed.len()), (vec![125, 250], 0), "{grant:?}: three attempts in all");
    }
}

#[tokio::test]
async fn device_login_retries_with_its_own_schedule() {
    let code = r#"{"device_code":"d3vice","user_code":"WDJB-MJHT","verification_uri":"https://login.example","expires_in":600}"#;
    let next = response_sequence(vec![
        busy_response("503 Service Unavailable", "4"),
        json_response(code),
        busy_response("503 Service Unavailable", "1"),
        busy_response("429 Too Many Requests", "1"),
        json_response(TOKEN),
    ]);
    let service = CannedServer::respond_with(move |_| next()).await;
    let time = TestEnv::new().await.time.clone();
    let builder = Client::builder(&service.base).workspace("acme").clock(time.clone());
    builder.login("laptop").unwrap().device(|_| {}).await.unwrap();
    // One delay before the device code, then between the polls: each failing poll doubles the interval, and no retry comes in between.
    assert_eq!(time.sleeps().iter().map(Duration::as_secs).collect::<Vec<_>>(), [4, 5, 10, 20]);
    let device = format!("{TOKEN_REQUEST}s").replace("tokens", "auth/device");
    assert_eq!(request_lines(&service), [&device, &device, TOKEN_REQUEST, TOKEN_REQUEST, TOKEN_REQUEST]);
    let requests = service.requests();
    assert_eq!(request_body(&requests[0]), request_body(&requests[1]));
}

#[tokio::test]
async fn rotating_session_survives_busy_provider() {
    let env = TestEnv::with(|builder| builder.rotate_refresh(true)).await;
    env.client.license().await.unwrap();
    env.time.advance(301);
    env.add_fault(Fault::on("token").status(503).header("Retry-After", "2").times(1));
    env.client.license().await.unwrap();
    env.time.advance(301);
    env.client.license().await.unwrap();
    let refreshed = ["token 200", "getLicense 200"];
    assert_eq!(env.request_log()[..3], ["token 200", "getLicense 200", "token 503"]);
    assert_eq!(env.request_log()[3..], [refreshed, refreshed].concat());
    assert_eq!(env.time.sleeps(), [Duration::from_secs(2)]);
}
