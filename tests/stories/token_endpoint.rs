//! When the identity provider is asked again, and when not: a code or a refresh token that was sent once is never sent a second time unless the
//! provider says that it did nothing with the first.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use documine::{Client, Credentials, ErrorKind, Result, TokenSet};
use documine_sim::Fault;
use tokio::net::TcpSocket;

use crate::canned::{self, Canned, answer};
use crate::log_in_by_browser::field;
use crate::scripted::{asked, body, in_turn};
use crate::world::World;

const TOKEN: &str = r#"{"access_token":"a-1","token_type":"Bearer","expires_in":300}"#;
const TOKEN_REQUEST: &str = "POST /auth/realms/acme/protocol/openid-connect/token";

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Grant {
    Password,
    Refresh,
    Code,
}

const GRANTS: [Grant; 3] = [Grant::Password, Grant::Refresh, Grant::Code];

/// Has the builder's identity provider asked for tokens.
async fn ask(builder: documine::ClientBuilder, grant: Grant) -> Result<()> {
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
            let state = field(login.url(), "state").unwrap();
            login.exchange("c0de", &state).await.map(drop)
        }
    }
}

/// A service that is content with every token, and whose identity provider says these in turn; how asking it ends; the pauses in milliseconds;
/// how often it was asked.
async fn at(answers: Vec<Vec<u8>>, grant: Grant) -> (Result<()>, Vec<u128>, usize) {
    let next = in_turn(answers);
    let service =
        Canned::answering(move |head| if head.starts_with("POST ") { next() } else { canned::json("{}") }).await;
    let time = World::new().await.time.clone();
    let outcome = ask(Client::builder(&service.base).workspace("acme").clock(time.clone()), grant).await;
    let tries = asked(&service).iter().filter(|line| *line == TOKEN_REQUEST).count();
    (outcome, time.sleeps().iter().map(Duration::as_millis).collect(), tries)
}

fn busy(status: &str, retry_after: &str) -> Vec<u8> {
    answer(status, &[&format!("Retry-After: {retry_after}"), "Date: Sun, 06 Nov 1994 08:49:37 GMT"], "")
}

#[tokio::test]
async fn a_provider_that_did_nothing_and_says_when_to_come_back_is_asked_again() {
    for grant in GRANTS {
        for status in ["429 Too Many Requests", "503 Service Unavailable"] {
            let (outcome, pauses, tries) = at(vec![busy(status, "3"), canned::json(TOKEN)], grant).await;
            outcome.unwrap_or_else(|error| panic!("{grant:?} {status}: {error}"));
            assert_eq!((pauses, tries), (vec![3000], 2), "{grant:?} {status}");
        }
        let date = busy("503 Service Unavailable", "Sun, 06 Nov 1994 08:49:44 GMT");
        let (outcome, pauses, tries) = at(vec![date, canned::json(TOKEN)], grant).await;
        assert_eq!((outcome.is_ok(), pauses, tries), (true, vec![7000], 2), "{grant:?}");
        // At once is not at the first moment: who was turned away together does not come back together.
        let (outcome, pauses, tries) = at(vec![busy("429 Too Many Requests", "0")], grant).await;
        assert_eq!(outcome.unwrap_err().status().unwrap().as_u16(), 429);
        assert_eq!((pauses, tries), (vec![125, 250], 3), "{grant:?}: three tries in all");
    }
}

#[tokio::test]
async fn a_call_does_not_wait_for_its_token_for_ever() {
    for grant in GRANTS {
        let (outcome, pauses, tries) = at(vec![busy("503 Service Unavailable", "60")], grant).await;
        let error = outcome.unwrap_err();
        assert!(
            error.to_string().ends_with(
                ": the identity provider answered 503 Service Unavailable without a reason; it requests a delay of 60s"
            ),
            "{error}"
        );
        assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
        assert!(error.is_transient() && !error.needs_login());
        assert_eq!((pauses, tries), (vec![], 1), "{grant:?}");
        let (outcome, pauses, tries) = at(vec![busy("503 Service Unavailable", "20")], grant).await;
        assert!(outcome.is_err());
        assert_eq!((pauses, tries), (vec![20_000], 2), "{grant:?}: ten of thirty seconds are left");
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_asked_for_again() {
    let token = canned::json(TOKEN);
    let answers = [
        Vec::new(),
        token[..token.len() - 20].to_vec(),
        answer("503 Service Unavailable", &[], ""),
        answer("429 Too Many Requests", &["Retry-After: soon"], ""),
        busy("500 Internal Server Error", "1"),
        busy("502 Bad Gateway", "1"),
        busy("504 Gateway Timeout", "1"),
        busy("400 Bad Request", "1"),
        busy("302 Found", "1"),
    ];
    for grant in GRANTS {
        for first in &answers {
            let (outcome, pauses, tries) = at(vec![first.clone(), canned::json(TOKEN)], grant).await;
            let shown = String::from_utf8_lossy(first);
            assert!(outcome.is_err(), "{grant:?} {shown}");
            assert_eq!((pauses, tries), (vec![], 1), "{grant:?} {shown}");
        }
    }
}

/// Asks a provider that listens only after so many pauses: how it ends, the pauses in milliseconds, what the provider was asked.
async fn closed_for(after: usize, grant: Grant) -> (Result<()>, Vec<u128>, Vec<String>) {
    let service = Canned::answering(|_| canned::json("{}")).await;
    // The port is taken, so that nobody else gets it, but nobody listens there.
    let door = TcpSocket::new_v4().unwrap();
    door.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let place = format!("http://{}/token", door.local_addr().unwrap());
    let time = World::new().await.time.clone();
    let (door, opened) = (Mutex::new(Some(door)), Arc::<Mutex<Option<Canned>>>::default());
    let shown = Arc::clone(&opened);
    let clock = time.with_event(after, move || {
        let listener = door.lock().unwrap().take().unwrap().listen(16).unwrap();
        *shown.lock().unwrap() = Some(Canned::on(listener, |_| canned::json(TOKEN), true));
    });
    let builder = Client::builder(&service.base).workspace("acme").token_path(place).clock(clock);
    let outcome = ask(builder, grant).await;
    let seen = opened.lock().unwrap().as_ref().map(asked).unwrap_or_default();
    (outcome, time.sleeps().iter().map(Duration::as_millis).collect(), seen)
}

#[tokio::test]
async fn what_never_left_is_tried_again() {
    for grant in GRANTS {
        for after in [1, 2] {
            let (outcome, pauses, seen) = closed_for(after, grant).await;
            outcome.unwrap_or_else(|error| panic!("{grant:?} {after}: {error}"));
            assert_eq!(seen, ["POST /token"], "{grant:?}");
            assert_eq!(pauses, [125, 250][..after], "{grant:?}");
        }
        let (outcome, pauses, seen) = closed_for(3, grant).await;
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains("the request to the identity provider failed: "), "{error}");
        assert_eq!((error.kind(), error.is_transient(), error.needs_login()), (ErrorKind::Connect, true, false));
        assert_eq!((pauses, seen.len()), (vec![125, 250], 0), "{grant:?}: three tries in all");
    }
}

#[tokio::test]
async fn a_device_login_has_a_patience_of_its_own() {
    let code = r#"{"device_code":"d3vice","user_code":"WDJB-MJHT","verification_uri":"https://login.example","expires_in":600}"#;
    let next = in_turn(vec![
        busy("503 Service Unavailable", "4"),
        canned::json(code),
        busy("503 Service Unavailable", "1"),
        busy("429 Too Many Requests", "1"),
        canned::json(TOKEN),
    ]);
    let service = Canned::answering(move |_| next()).await;
    let time = World::new().await.time.clone();
    let builder = Client::builder(&service.base).workspace("acme").clock(time.clone());
    builder.login("laptop").unwrap().device(|_| {}).await.unwrap();
    // One pause for the beginning, then those between the questions: each that fails makes the next one rarer, and none is asked in between.
    assert_eq!(time.sleeps().iter().map(Duration::as_secs).collect::<Vec<_>>(), [4, 5, 10, 20]);
    let device = format!("{TOKEN_REQUEST}s").replace("tokens", "auth/device");
    assert_eq!(asked(&service), [&device, &device, TOKEN_REQUEST, TOKEN_REQUEST, TOKEN_REQUEST]);
    let requests = service.requests();
    assert_eq!(body(&requests[0]), body(&requests[1]));
}

#[tokio::test]
async fn a_session_with_rotation_survives_a_provider_that_is_busy() {
    let world = World::with(|builder| builder.rotate_refresh(true)).await;
    world.client.license().await.unwrap();
    world.time.pass(301);
    world.sim.faults().add(Fault::on("token").status(503).header("Retry-After", "2").times(1));
    world.client.license().await.unwrap();
    world.time.pass(301);
    world.client.license().await.unwrap();
    let refreshed = ["token 200", "getLicense 200"];
    assert_eq!(world.journal()[..3], ["token 200", "getLicense 200", "token 503"]);
    assert_eq!(world.journal()[3..], [refreshed, refreshed].concat());
    assert_eq!(world.time.sleeps(), [Duration::from_secs(2)]);
}
