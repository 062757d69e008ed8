//! Logging in and staying logged in: passwords, tokens of one's own, refresh, and what a refusal says.

use std::time::Duration;

use documine::{Credentials, ErrorKind, TokenSet};
use futures_util::future::try_join_all;

use crate::world::{World, header};

/// What the identity provider hands out for the world's user, asked for behind the client's back.
pub async fn tokens(world: &World) -> (String, String) {
    let pairs = [
        ("grant_type", "password"),
        ("client_id", world.sim.client_id()),
        ("client_secret", world.sim.client_secret()),
        ("username", world.sim.username()),
        ("password", world.sim.password()),
    ];
    let form: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let url =
        format!("{}/auth/realms/{}/protocol/openid-connect/token", world.sim.base_url(), world.sim.workspace_id());
    let request = crate::world::bare_http()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.join("&"));
    let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| format!("{out}%{byte:02X}"))
}

/// Credentials of a client that has tokens and does not know when they end.
fn kept_fresh(world: &World, access: &str, refresh: &str) -> Credentials {
    Credentials::tokens(world.sim.client_id(), TokenSet::new(access).refresh_token(refresh))
        .client_secret(world.sim.client_secret())
}

#[tokio::test]
async fn the_client_logs_in_at_its_first_call_and_not_before() {
    let world = World::new().await;
    assert_eq!(world.journal(), Vec::<String>::new());
    world.client.license().await.unwrap();
    world.client.license().await.unwrap();
    assert_eq!(world.journal(), ["token 200", "getLicense 200", "getLicense 200"]);
    assert_eq!(world.client.requests_sent(), 2);
}

#[tokio::test]
async fn a_password_may_hold_any_characters() {
    let long = "x+".repeat(64);
    for word in ["p&ss w=rd+%41", "Grüße, 世界 🔑", r#"a"b'c\d<e>#;?/"#, " inside  blanks ", &long] {
        let world = World::with(|builder| builder.user("röbot@acme.example", word)).await;
        world.client.license().await.unwrap();
        assert_eq!(world.journal(), ["token 200", "getLicense 200"], "{word}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_in_one_line_and_asked_for_once() {
    let world = World::new().await;
    let wrong = Credentials::password(world.sim.client_id(), world.sim.username(), "wr0ng-s3cret")
        .client_secret(world.sim.client_secret());
    let client = world.client_with(wrong);
    let error = client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login with a password: the identity provider refused: Invalid user credentials (invalid_grant); log in again or give other credentials"
    );
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.needs_login() && !error.is_transient() && !error.was_sent());
    assert!(!format!("{error:?}").contains("wr0ng-s3cret"));
    assert_eq!(world.journal(), ["token 400"]);
    // The provider's word is final: asking again could only lock the account.
    #[cfg(has = "getUsers")]
    assert!(client.users().await.unwrap_err().needs_login());
    assert_eq!(world.journal(), ["token 400"]);
}

#[tokio::test]
async fn a_wrong_client_secret_says_what_to_check() {
    let world = World::new().await;
    let wrong = Credentials::password(world.sim.client_id(), world.sim.username(), world.sim.password())
        .client_secret("n0t-it");
    let error = world.client_with(wrong).license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login with a password: the identity provider refused: Invalid client or Invalid client credentials (unauthorized_client); \
         check the client id, its secret, and its allowed grants"
    );
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.needs_login() && !error.was_sent());
    assert!(!format!("{error:?}").contains("n0t-it"));
}

#[tokio::test]
async fn an_access_token_of_ones_own_is_used_until_the_service_refuses_it() {
    let world = World::new().await;
    let (access, _) = tokens(&world).await;
    let client = world.client_with(Credentials::access_token(access.as_str()));
    client.license().await.unwrap();
    world.time.pass(301);
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: the access token was refused or has expired; log in again");
    assert!(error.needs_login() && error.is_unauthorized());
    assert!(!format!("{error:?} {client:?}").contains(&access));
    assert_eq!(world.journal(), ["token 200", "getLicense 200", "getLicense 401"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_with_an_expired_token_cause_one_refresh() {
    let world = World::new().await;
    world.client.license().await.unwrap();
    world.time.pass(301);
    let before = world.journal().len();
    let calls = (0..200).map(|_| tokio::spawn(world.client.license().send()));
    for result in try_join_all(calls).await.unwrap() {
        result.unwrap();
    }
    let mut expected = vec!["token 200".to_owned()];
    expected.extend(std::iter::repeat_n("getLicense 200".to_owned(), 200));
    assert_eq!(world.journal_since(before), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_that_are_refused_cause_one_refresh_and_one_replay_each() {
    let world = World::new().await;
    let (access, refresh) = tokens(&world).await;
    let client = world.client_with(kept_fresh(&world, &access, &refresh));
    world.time.pass(301);
    let before = world.journal().len();
    let calls = (0..200).map(|_| tokio::spawn(client.license().send()));
    for result in try_join_all(calls).await.unwrap() {
        result.unwrap();
    }
    let journal = world.journal_since(before);
    let count = |what: &str| journal.iter().filter(|line| *line == what).count();
    assert_eq!((count("token 200"), count("getLicense 200")), (1, 200));
    // A call that came after the refresh was never refused.
    assert!((1..=200).contains(&count("getLicense 401")), "{journal:?}");
    assert_eq!(journal.len(), 201 + count("getLicense 401"));
}

/// Waits until the identity provider has answered `count` times: near its end a token is renewed beside the calls.
async fn answered(world: &World, count: usize) {
    while world.requests("token").len() < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The client has its answer a few turns of the runtime later; each sleep is one at least.
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_token_is_renewed_shortly_before_its_end_and_no_call_waits_for_it() {
    let world = World::new().await;
    world.client.license().await.unwrap();
    world.time.pass(269);
    world.client.license().await.unwrap();
    assert_eq!(world.requests("token").len(), 1);
    world.time.pass(1);
    world.client.license().await.unwrap();
    answered(&world, 2).await;
    world.client.license().await.unwrap();
    let bearers: Vec<_> =
        world.requests("getLicense").iter().map(|request| header(request, "authorization").unwrap()).collect();
    assert_eq!((&bearers[0], &bearers[0]), (&bearers[1], &bearers[2]));
    assert_ne!(bearers[2], bearers[3]);
    assert!(world.sim.requests().iter().all(|request| request.status == 200));
    assert_eq!(world.requests("token").len(), 2);
}

#[tokio::test]
async fn a_failed_early_renewal_is_no_error_while_the_token_lives() {
    let world = World::new().await;
    world.client.license().await.unwrap();
    world.time.pass(275);
    world.sim.faults().add(documine_sim::Fault::on("token").status(503).times(1));
    world.client.license().await.unwrap();
    answered(&world, 2).await;
    // The provider is left alone for ten seconds.
    world.time.pass(9);
    world.client.license().await.unwrap();
    world.time.pass(1);
    world.client.license().await.unwrap();
    answered(&world, 3).await;
    world.client.license().await.unwrap();
    let statuses: Vec<_> = world.requests("token").iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 503, 200]);
    assert_eq!(world.requests("getLicense").iter().filter(|request| request.status == 200).count(), 5);
}

#[tokio::test]
async fn a_call_that_is_refused_gets_a_new_token_and_is_repeated_once() {
    let world = World::new().await;
    world.client.license().await.unwrap();
    world.sim.control().provider().expire_access_tokens();
    let before = world.journal().len();
    world.client.license().await.unwrap();
    assert_eq!(world.journal_since(before), ["getLicense 401", "token 200", "getLicense 200"]);
}

#[tokio::test]
async fn a_call_that_is_refused_again_is_not_repeated_for_ever() {
    let world = World::new().await;
    let refusal = documine_sim::Fault::on("getLicense")
        .status(401)
        .body("application/json", r#"{"timestamp":"2023-09-21T12:45:00Z","message":"Not you."}"#);
    world.sim.faults().add(refusal);
    let error = world.client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 401 Unauthorized: Not you.");
    assert!(error.is_unauthorized());
    assert_eq!(error.attempts(), 2);
    assert_eq!(world.journal(), ["token 200", "getLicense 401", "token 200", "getLicense 401"]);
}

#[tokio::test]
async fn a_creation_that_is_refused_is_repeated_with_its_whole_body() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.control().provider().expire_access_tokens();
    let before = world.journal().len();
    let file = dossier.upload(documine::Source::bytes("a.pdf", crate::paper::STUDY)).await.unwrap();
    let created = world.requests("uploadFile")[1].status;
    assert!(created == 201 || (!cfg!(reconstruction) && created == 200), "{created}");
    let created = format!("uploadFile {created}");
    assert_eq!(world.journal_since(before), ["uploadFile 401", "token 200", created.as_str()]);
    assert_eq!(file.status().await.unwrap().file_size, Some(i64::try_from(crate::paper::STUDY.len()).unwrap()));
}

#[tokio::test]
async fn a_dead_refresh_token_needs_a_login() {
    let world = World::new().await;
    let (access, refresh) = tokens(&world).await;
    let client = world.client_with(kept_fresh(&world, &access, &refresh));
    world.time.pass(1801);
    let before = world.journal().len();
    let error = client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refresh of the access token: the identity provider refused: Token is not active (invalid_grant); log in again or give other credentials"
    );
    assert!(error.needs_login());
    assert_eq!(world.journal_since(before), ["getLicense 401", "token 400"]);
    // It is not offered again: the provider's word is final.
    let again = client.license().await.unwrap_err();
    assert!(again.needs_login());
    assert_eq!(again.to_string(), error.to_string());
    assert_eq!(world.journal_since(before), ["getLicense 401", "token 400", "getLicense 401"]);
    assert!(!format!("{error:?} {again:?}").contains(&refresh));
}

#[tokio::test]
async fn a_password_logs_in_again_where_the_refresh_token_is_dead() {
    let world = World::new().await;
    world.client.license().await.unwrap();
    world.sim.control().revoke_tokens();
    let before = world.journal().len();
    world.client.license().await.unwrap();
    assert_eq!(world.journal_since(before), ["getLicense 401", "token 400", "token 200", "getLicense 200"]);
}

#[tokio::test]
async fn trouble_of_the_provider_throws_no_token_away() {
    let world = World::new().await;
    let (access, refresh) = tokens(&world).await;
    let client = world.client_with(kept_fresh(&world, &access, &refresh));
    world.time.pass(301);
    world
        .sim
        .faults()
        .add(documine_sim::Fault::on("token").status(503).body("text/html", "<html>busy</html>").times(1));
    let error = client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refresh of the access token: the identity provider answered 503 Service Unavailable without a reason"
    );
    assert!(!error.needs_login() && error.is_transient());
    world.time.pass(1);
    client.license().await.unwrap();
}

#[tokio::test]
async fn a_rotated_refresh_token_takes_the_place_of_the_old_one() {
    let world = World::with(|builder| builder.rotate_refresh(true)).await;
    let (access, refresh) = tokens(&world).await;
    let client = world.client_with(kept_fresh(&world, &access, &refresh));
    for _ in 0..3 {
        world.time.pass(301);
        client.license().await.unwrap();
    }
    let refused = world.requests("token").iter().filter(|request| request.status != 200).count();
    assert_eq!(refused, 0, "{:?}", world.journal());
    assert_eq!(world.requests("token").len(), 4);
}

#[tokio::test]
async fn a_caller_that_goes_away_during_a_refresh_loses_no_rotated_token() {
    let world = World::with(|builder| builder.rotate_refresh(true)).await;
    let (access, refresh) = tokens(&world).await;
    let client = world.client_with(kept_fresh(&world, &access, &refresh));
    client.license().await.unwrap();
    world.sim.control().provider().expire_access_tokens();
    let before = world.requests("token").len();
    let call = tokio::spawn(client.license().send());
    while world.requests("token").len() == before && !call.is_finished() {
        tokio::task::yield_now().await;
    }
    call.abort();
    let _ = call.await;
    client.license().await.unwrap();
    assert!(world.requests("token").iter().all(|request| request.status == 200), "{:?}", world.journal());
    assert_eq!(world.requests("token").len(), before + 1);
}

#[tokio::test]
async fn the_environment_has_all_that_a_client_needs() {
    let world = World::new().await;
    let variables = world.sim.environment();
    let lookup = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let client = documine::ClientBuilder::from_variables(lookup).unwrap().clock(world.time.clone()).build().unwrap();
    client.license().await.unwrap();
    let request = &world.requests("getLicense")[0];
    assert_eq!(header(request, "x-tenant-id").as_deref(), Some(world.sim.workspace_id()));
    assert!(client.base_url() == world.sim.base_url() && client.workspace() == world.sim.workspace_id());
}
