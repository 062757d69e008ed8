//! Login and session: passwords, caller-provided tokens, refresh, and error texts.

use std::time::Duration;

use documine::{Credentials, ErrorKind, auth::TokenSet};
use futures_util::future::try_join_all;

use crate::harness::login::issue_tokens;
use crate::harness::messages::REJECTED_PASSWORD;
use crate::harness::pdf_fixtures;
use crate::harness::test_env::{TestEnv, header};

/// Returns credentials with tokens of unknown expiry.
fn refreshable_credentials(env: &TestEnv, access: &str, refresh: &str) -> Credentials {
    env.token_credentials(TokenSet::new(access).refresh_token(refresh))
}

#[tokio::test]
async fn logs_in_at_first_call() {
    let env = TestEnv::new().await;
    assert_eq!(env.request_log(), Vec::<String>::new());
    env.client.license().await.unwrap();
    env.client.license().await.unwrap();
    assert_eq!(env.request_log(), ["token 200", "getLicense 200", "getLicense 200"]);
    assert_eq!(env.client.requests_sent(), 2);
}

#[tokio::test]
async fn accepts_any_characters_in_password() {
    let long = "x+".repeat(64);
    for word in ["p&ss w=rd+%41", "Grüße, 世界 🔑", r#"a"b'c\d<e>#;?/"#, " inside  blanks ", &long] {
        let env = TestEnv::with(|builder| builder.user("röbot@acme.example", word)).await;
        env.client.license().await.unwrap();
        assert_eq!(env.request_log(), ["token 200", "getLicense 200"], "{word}");
    }
}

#[tokio::test]
async fn reports_wrong_password_once() {
    let env = TestEnv::new().await;
    let wrong = Credentials::password(env.sim.client_id(), env.sim.username(), "wr0ng-s3cret")
        .client_secret(env.sim.client_secret());
    let client = env.client_with(wrong);
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), REJECTED_PASSWORD);
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.needs_login() && !error.is_transient() && !error.was_sent());
    assert!(!format!("{error:?}").contains("wr0ng-s3cret"));
    assert_eq!(env.request_log(), ["token 400"]);
    // The provider's rejection is final: another attempt could lock the account.
    #[cfg(has = "getUsers")]
    assert!(client.users().await.unwrap_err().needs_login());
    assert_eq!(env.request_log(), ["token 400"]);
}

#[tokio::test]
async fn reports_wrong_client_secret_with_advice() {
    let env = TestEnv::new().await;
    let wrong =
        Credentials::password(env.sim.client_id(), env.sim.username(), env.sim.password()).client_secret("n0t-it");
    let error = env.client_with(wrong).license().await.unwrap_err();
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
async fn uses_access_token_until_service_rejects_it() {
    let env = TestEnv::new().await;
    let (access, _) = issue_tokens(&env).await;
    let client = env.client_with(Credentials::access_token(access.as_str()));
    client.license().await.unwrap();
    env.time.advance(301);
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: the access token was refused or has expired; log in again");
    assert!(error.needs_login() && error.is_unauthorized());
    assert!(!format!("{error:?} {client:?}").contains(&access));
    assert_eq!(env.request_log(), ["token 200", "getLicense 200", "getLicense 401"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_once_for_200_calls_with_expired_token() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    env.time.advance(301);
    let before = env.request_log().len();
    let calls = (0..200).map(|_| tokio::spawn(env.client.license().send()));
    for result in try_join_all(calls).await.unwrap() {
        result.unwrap();
    }
    let mut expected = vec!["token 200".to_owned()];
    expected.extend(std::iter::repeat_n("getLicense 200".to_owned(), 200));
    assert_eq!(env.request_log_since(before), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_once_for_200_rejected_calls_and_replays_each() {
    let env = TestEnv::new().await;
    let (access, refresh) = issue_tokens(&env).await;
    let client = env.client_with(refreshable_credentials(&env, &access, &refresh));
    env.time.advance(301);
    let before = env.request_log().len();
    let calls = (0..200).map(|_| tokio::spawn(client.license().send()));
    for result in try_join_all(calls).await.unwrap() {
        result.unwrap();
    }
    let request_log = env.request_log_since(before);
    let count = |entry: &str| request_log.iter().filter(|line| *line == entry).count();
    assert_eq!((count("token 200"), count("getLicense 200")), (1, 200));
    // A call sent after the refresh is never rejected.
    assert!((1..=200).contains(&count("getLicense 401")), "{request_log:?}");
    assert_eq!(request_log.len(), 201 + count("getLicense 401"));
}

/// Waits until the identity provider has sent `count` responses: tokens are renewed in the background.
async fn wait_for_token_responses(env: &TestEnv, count: usize) {
    while env.requests("token").len() < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The client processes the response a few scheduler turns later; each sleep yields at least once.
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn renews_token_before_expiry_without_blocking_calls() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    env.time.advance(269);
    env.client.license().await.unwrap();
    assert_eq!(env.requests("token").len(), 1);
    env.time.advance(1);
    env.client.license().await.unwrap();
    wait_for_token_responses(&env, 2).await;
    env.client.license().await.unwrap();
    let bearers: Vec<_> =
        env.requests("getLicense").iter().map(|request| header(request, "authorization").unwrap()).collect();
    assert_eq!((&bearers[0], &bearers[0]), (&bearers[1], &bearers[2]));
    assert_ne!(bearers[2], bearers[3]);
    assert!(env.sim.requests().iter().all(|request| request.status == 200));
    assert_eq!(env.requests("token").len(), 2);
}

#[tokio::test]
async fn failed_early_renewal_does_not_fail_calls() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    env.time.advance(275);
    env.add_fault(documine_sim::Fault::on("token").status(503).times(1));
    env.client.license().await.unwrap();
    wait_for_token_responses(&env, 2).await;
    // The client sends no token request for ten seconds.
    env.time.advance(9);
    env.client.license().await.unwrap();
    env.time.advance(1);
    env.client.license().await.unwrap();
    wait_for_token_responses(&env, 3).await;
    env.client.license().await.unwrap();
    let statuses: Vec<_> = env.requests("token").iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 503, 200]);
    assert_eq!(env.requests("getLicense").iter().filter(|request| request.status == 200).count(), 5);
}

#[tokio::test]
async fn replays_call_once_after_401() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    env.sim.control().provider().expire_access_tokens();
    let before = env.request_log().len();
    env.client.license().await.unwrap();
    assert_eq!(env.request_log_since(before), ["getLicense 401", "token 200", "getLicense 200"]);
}

#[tokio::test]
async fn does_not_replay_call_rejected_twice() {
    let env = TestEnv::new().await;
    let refusal = documine_sim::Fault::on("getLicense")
        .status(401)
        .body("application/json", r#"{"timestamp":"2023-09-21T12:45:00Z","message":"Not you."}"#);
    env.add_fault(refusal);
    let error = env.client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 401 Unauthorized: Not you.");
    assert!(error.is_unauthorized());
    assert_eq!(error.attempts(), 2);
    assert_eq!(env.request_log(), ["token 200", "getLicense 401", "token 200", "getLicense 401"]);
}

#[tokio::test]
async fn replays_rejected_upload_with_whole_body() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.sim.control().provider().expire_access_tokens();
    let before = env.request_log().len();
    let file = dossier.upload(documine::Source::bytes("a.pdf", pdf_fixtures::STUDY)).await.unwrap();
    let created = env.requests("uploadFile")[1].status;
    assert!(created == 201 || (!cfg!(reconstruction) && created == 200), "{created}");
    let created = format!("uploadFile {created}");
    assert_eq!(env.request_log_since(before), ["uploadFile 401", "token 200", created.as_str()]);
    assert_eq!(file.status().await.unwrap().file_size, Some(i64::try_from(pdf_fixtures::STUDY.len()).unwrap()));
}

#[tokio::test]
async fn reports_expired_refresh_token_as_needs_login() {
    let env = TestEnv::new().await;
    let (access, refresh) = issue_tokens(&env).await;
    let client = env.client_with(refreshable_credentials(&env, &access, &refresh));
    env.time.advance(1801);
    let before = env.request_log().len();
    let error = client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refresh of the access token: the identity provider refused: Token is not active (invalid_grant); log in again or give other credentials"
    );
    assert!(error.needs_login());
    assert_eq!(env.request_log_since(before), ["getLicense 401", "token 400"]);
    // The refresh token is not sent again, because the provider's rejection is final.
    let second_error = client.license().await.unwrap_err();
    assert!(second_error.needs_login());
    assert_eq!(second_error.to_string(), error.to_string());
    assert_eq!(env.request_log_since(before), ["getLicense 401", "token 400", "getLicense 401"]);
    assert!(!format!("{error:?} {second_error:?}").contains(&refresh));
}

#[tokio::test]
async fn logs_in_again_with_password_after_refresh_token_expires() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    env.sim.control().revoke_tokens();
    let before = env.request_log().len();
    env.client.license().await.unwrap();
    assert_eq!(env.request_log_since(before), ["getLicense 401", "token 400", "token 200", "getLicense 200"]);
}

#[tokio::test]
async fn unavailable_provider_discards_no_token() {
    let env = TestEnv::new().await;
    let (access, refresh) = issue_tokens(&env).await;
    let client = env.client_with(refreshable_credentials(&env, &access, &refresh));
    env.time.advance(301);
    env.add_fault(documine_sim::Fault::on("token").status(503).body("text/html", "<html>busy</html>").times(1));
    let error = client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refresh of the access token: the identity provider answered 503 Service Unavailable without a reason"
    );
    assert!(!error.needs_login() && error.is_transient());
    env.time.advance(1);
    client.license().await.unwrap();
}

#[tokio::test]
async fn stores_rotated_refresh_token() {
    let env = TestEnv::with(|builder| builder.rotate_refresh(true)).await;
    let (access, refresh) = issue_tokens(&env).await;
    let client = env.client_with(refreshable_credentials(&env, &access, &refresh));
    for _ in 0..3 {
        env.time.advance(301);
        client.license().await.unwrap();
    }
    let refused = env.requests("token").iter().filter(|request| request.status != 200).count();
    assert_eq!(refused, 0, "{:?}", env.request_log());
    assert_eq!(env.requests("token").len(), 4);
}

#[tokio::test]
async fn dropped_caller_loses_no_rotated_token() {
    let env = TestEnv::with(|builder| builder.rotate_refresh(true)).await;
    let (access, refresh) = issue_tokens(&env).await;
    let client = env.client_with(refreshable_credentials(&env, &access, &refresh));
    client.license().await.unwrap();
    env.sim.control().provider().expire_access_tokens();
    let before = env.requests("token").len();
    let call = tokio::spawn(client.license().send());
    while env.requests("token").len() == before && !call.is_finished() {
        tokio::task::yield_now().await;
    }
    call.abort();
    let _ = call.await;
    client.license().await.unwrap();
    assert!(env.requests("token").iter().all(|request| request.status == 200), "{:?}", env.request_log());
    assert_eq!(env.requests("token").len(), before + 1);
}

#[tokio::test]
async fn builds_client_from_environment() {
    let env = TestEnv::new().await;
    let variables = env.sim.environment();
    let lookup = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let client = documine::ClientBuilder::from_variables(lookup).unwrap().clock(env.time.clone()).build().unwrap();
    client.license().await.unwrap();
    let request = &env.requests("getLicense")[0];
    assert_eq!(header(request, "x-tenant-id").as_deref(), Some(env.sim.workspace_id()));
    assert!(client.base_url() == env.sim.base_url() && client.workspace() == env.sim.workspace_id());
}
