//! Logging in by device code (RFC 8628): a page on one device, a program on another, and everything that can come between.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{Client, Credentials, DeviceCode, ErrorKind, Result, TokenSet};
use serde_json::json;

use crate::canned::{Canned, answer};
use crate::scripted::{body, in_turn};
use crate::world::{SimulatedTime, World};

/// What the program showed.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Option<DeviceCode>>>);

impl Screen {
    fn show(&self, code: &DeviceCode) {
        assert_eq!(self.0.lock().unwrap().replace(code.clone()), None, "shown once");
    }

    fn code(&self) -> DeviceCode {
        self.0.lock().unwrap().clone().expect("a code is shown")
    }
}

/// Logs in at the simulator; after `after` pauses the person does `act` with the code on the screen.
async fn log_in(
    world: &World,
    after: usize,
    act: impl Fn(&documine_sim::idp::Provider, &str) + Send + Sync + 'static,
) -> Result<TokenSet> {
    let (screen, provider) = (Screen::default(), world.sim.control().provider().clone());
    let seen = screen.clone();
    let person = world.time.with_event(after, move || act(&provider, &seen.code().user_code));
    let login = world.builder().clock(person).login(world.sim.client_id()).unwrap();
    login.client_secret(world.sim.client_secret()).device(|code| screen.show(code)).await
}

fn seconds(sleeps: &[Duration]) -> Vec<u64> {
    sleeps.iter().map(Duration::as_secs).collect()
}

#[tokio::test]
async fn a_person_confirms_on_another_device() {
    let world = World::new().await;
    let user = world.sim.username().to_owned();
    let tokens = log_in(&world, 2, move |provider, code| assert!(provider.approve_device(code, &user))).await.unwrap();
    assert_eq!(world.journal(), ["device 200", "token 400", "token 200"]);
    assert_eq!(seconds(&world.time.sleeps()), [5, 5]);
    assert!(!format!("{tokens:?}").contains(tokens.access_token().expose()));

    // The tokens open the service, and stay fresh without the person.
    let credentials = Credentials::tokens(world.sim.client_id(), tokens).client_secret(world.sim.client_secret());
    let client = world.client_with(credentials);
    client.license().await.unwrap();
    world.time.pass(400);
    client.license().await.unwrap();
    assert_eq!(world.journal_since(3), ["getLicense 200", "token 200", "getLicense 200"]);
}

#[tokio::test]
async fn a_person_refuses() {
    let world = World::new().await;
    let error = log_in(&world, 3, |provider, code| assert!(provider.deny_device(code))).await.unwrap_err();
    assert_eq!(error.to_string(), "login by device code: the person refused the login");
    assert!(error.needs_login() && error.kind() == ErrorKind::Auth);
    assert_eq!(world.journal(), ["device 200", "token 400", "token 400", "token 400"]);
}

#[tokio::test]
async fn nobody_confirms() {
    let world = World::new().await;
    let error = log_in(&world, usize::MAX, |_, _| {}).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login by device code: the device code expired before it was confirmed; start the login again"
    );
    assert!(error.needs_login());
    // 600 seconds, a question every five.
    assert_eq!(world.journal().len(), 121);
}

#[tokio::test]
async fn a_client_that_may_not_is_told_so_before_anything_is_shown() {
    let world = World::new().await;
    let login = world.builder().login("nobody").unwrap();
    let error = login.device(|code| panic!("nothing is to be shown: {code:?}")).await.unwrap_err();
    assert_eq!(world.journal(), ["device 401"]);
    assert!(error.to_string().starts_with("login by device code: the identity provider refused: "), "{error}");
    assert!(error.to_string().ends_with("; check the client id, its secret, and its allowed grants"), "{error}");
    let empty = world.builder().login(" ").unwrap_err();
    assert_eq!(empty.to_string(), "the client id is empty; give the one that is registered with the identity provider");
}

fn refused(code: &str) -> Vec<u8> {
    answer("400 Bad Request", &["Content-Type: application/json"], &json!({ "error": code }).to_string())
}

/// A provider that answers these in turn, and how a login there ends.
async fn at(answers: Vec<Vec<u8>>) -> (Canned, SimulatedTime, Result<TokenSet>) {
    let next = in_turn(answers);
    let service = Canned::answering(move |_| next()).await;
    let world = World::new().await;
    let builder = Client::builder(&service.base).workspace("acme").clock(world.time.clone());
    let outcome = builder.login("laptop").unwrap().scope("openid").scope("offline_access").device(|_| {}).await;
    (service, world.time.clone(), outcome)
}

fn code(link: &str, more: &serde_json::Value) -> Vec<u8> {
    let mut fields = json!({"device_code": "d3vice", "user_code": "WDJB-MJHT", "verification_uri": link});
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    answer("200 OK", &["Content-Type: application/json"], &fields.to_string())
}

#[tokio::test]
async fn the_provider_sets_the_pace_and_may_be_away_for_a_while() {
    let token = json!({"access_token": "t0ken", "token_type": "Bearer", "expires_in": 60});
    let (service, time, outcome) = at(vec![
        code("https://login.example/device", &json!({"expires_in": 600})),
        refused("authorization_pending"),
        refused("slow_down"),
        refused("authorization_pending"),
        answer("503 Service Unavailable", &["Content-Type: text/html"], "<html>"),
        answer("502 Bad Gateway", &[], ""),
        refused("authorization_pending"),
        answer("200 OK", &["Content-Type: application/json"], &token.to_string()),
    ])
    .await;
    assert_eq!(outcome.unwrap().access_token().expose(), "t0ken");
    // Five is the standard's, ten since `slow_down`, longer while nobody is there.
    assert_eq!(seconds(&time.sleeps()), [5, 5, 10, 10, 20, 40, 10]);

    let requests = service.requests();
    let field = |request: &str, name: &str| {
        let form = reqwest::Url::parse(&format!("form:?{}", body(request))).unwrap();
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
async fn a_provider_that_stays_away_ends_with_the_code() {
    let away = answer("503 Service Unavailable", &[], "");
    let mut answers = vec![code("https://login.example/device", &json!({"expires_in": 100, "interval": 1}))];
    answers.extend(std::iter::repeat_n(away, 20));
    let (service, time, outcome) = at(answers).await;
    let error = outcome.unwrap_err();
    assert!(error.is_transient() && !error.needs_login(), "{error}");
    assert_eq!(seconds(&time.sleeps()), [1, 2, 4, 8, 16, 32, 60]);
    assert!(!service.requests().is_empty());
}

#[tokio::test]
async fn answers_that_are_none() {
    for hostile in ["javascript:alert(1)", "file:///etc/passwd", "login.example"] {
        let (_, _, outcome) = at(vec![code(hostile, &json!({"expires_in": 600}))]).await;
        let error = outcome.unwrap_err();
        assert_eq!(
            error.to_string(),
            "login by device code: the identity provider's verification page is not an http or https URL"
        );
    }
    let secret = answer("200 OK", &["Content-Type: application/json"], r#"{"device_code": "s3cret"}"#);
    let error = at(vec![secret]).await.2.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login by device code: the identity provider's response holds no device code; check the device path"
    );
    assert!(!format!("{error:?}").contains("s3cret"));
    let unread = vec![
        code("https://login.example/device", &json!({"expires_in": 600})),
        answer("200 OK", &["Content-Type: application/json"], r#"{"access_token": 7, "s": "s3cret"}"#),
    ];
    let error = at(unread).await.2.unwrap_err();
    assert_eq!(error.to_string(), "login by device code: the identity provider's response holds no access token");
    assert!(!format!("{error:?}").contains("s3cret"));
}
