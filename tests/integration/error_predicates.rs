//! Error predicates: for each kind of error, exactly the expected predicates are true.

use std::time::Duration;

use documine::{Credentials, DossierFields, Error, models::DownloadId, retry::RetryMode};
use documine_sim::Fault;

use crate::harness::pdf_fixtures::STUDY;
use crate::harness::test_env::TestEnv;

/// Returns the names of the predicates that are true.
fn true_predicates(error: &Error) -> Vec<&'static str> {
    let predicates = [
        ("timeout", error.is_timeout()),
        ("not found", error.is_not_found()),
        ("unauthorized", error.is_unauthorized()),
        ("forbidden", error.is_forbidden()),
        ("conflict", error.is_conflict()),
        ("rate limited", error.is_rate_limited()),
        ("transient", error.is_transient()),
        ("needs login", error.needs_login()),
        ("unsupported", error.is_unsupported_by_document()),
        ("sent", error.was_sent()),
        ("safe to repeat", error.is_safe_to_repeat()),
    ];
    predicates.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name).collect()
}

/// Requests the licence once with this fault and returns the error.
async fn error_with_fault(env: &TestEnv, fault: Fault) -> Error {
    env.sim.faults().clear();
    env.add_fault(fault);
    env.client.license().with_retry_mode(RetryMode::Never).await.unwrap_err()
}

#[tokio::test]
async fn status_predicates_match() {
    let env = TestEnv::new().await;
    let status = |status| Fault::on("getLicense").status(status);
    for (code, expected) in [
        (400, vec!["sent", "safe to repeat"]),
        (401, vec!["unauthorized", "sent", "safe to repeat"]),
        (403, vec!["forbidden", "sent", "safe to repeat"]),
        (404, vec!["not found", "sent", "safe to repeat"]),
        (409, vec!["conflict", "sent", "safe to repeat"]),
        (429, vec!["rate limited", "transient", "sent", "safe to repeat"]),
        (500, vec!["sent", "safe to repeat"]),
        (502, vec!["transient", "sent", "safe to repeat"]),
        (503, vec!["transient", "sent", "safe to repeat"]),
        (504, vec!["transient", "sent", "safe to repeat"]),
    ] {
        let error = error_with_fault(&env, status(code)).await;
        assert_eq!(true_predicates(&error), expected, "{code}: {error}");
    }
}

#[tokio::test]
async fn sent_creation_is_not_safe_to_repeat() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("createOrUpdateDossier").status(503));
    let error = env.template().create_dossier(DossierFields::named("Q3")).await.map(drop).unwrap_err();
    assert_eq!(true_predicates(&error), ["transient", "sent"]);
}

#[tokio::test]
async fn rejected_creation_is_safe_to_repeat_and_429_is_retried() {
    let env = TestEnv::new().await;
    let create = || env.template().create_dossier(DossierFields::named("Q3")).send();
    env.add_fault(Fault::on("createOrUpdateDossier").times(1).status(409));
    assert_eq!(true_predicates(&create().await.map(drop).unwrap_err()), ["conflict", "sent", "safe to repeat"]);
    env.add_fault(Fault::on("createOrUpdateDossier").times(2).rate_limited(2));
    create().await.map(drop).unwrap();
    assert_eq!(env.time.sleeps(), [Duration::from_secs(2); 2]);
    // After a lost response, a rejection says nothing about the first attempt.
    env.add_fault(Fault::on("createOrUpdateDossier").times(1).reset_before_headers());
    env.add_fault(Fault::on("createOrUpdateDossier").nth(2).times(9).rate_limited(3600));
    let error = env.template().create_dossier(DossierFields::named("Q4")).with_retry_mode(RetryMode::EvenIfSent).await;
    assert_eq!(true_predicates(&error.map(drop).unwrap_err()), ["rate limited", "transient", "sent"]);
}

#[tokio::test]
async fn deadline_predicates_match() {
    let env = TestEnv::new().await;
    let package = env.client.download("d-1".parse::<DownloadId>().unwrap()).job();
    env.add_fault(Fault::on("getDownload").status(503));
    let error = Error::from(package.wait().with_deadline(Duration::from_millis(10)).await.unwrap_err());
    assert_eq!(true_predicates(&error), ["timeout", "transient", "sent", "safe to repeat"], "{error}");
}

#[tokio::test]
async fn login_predicates_match() {
    let env = TestEnv::new().await;
    let wrong = Credentials::password(env.sim.client_id(), "analyst", "wr0ng").client_secret(env.sim.client_secret());
    let error = env.client_with(wrong).license().await.unwrap_err();
    // The login failed first, so the service received nothing.
    assert_eq!(true_predicates(&error), ["needs login", "safe to repeat"], "{error}");
}

#[tokio::test]
async fn failed_wait_predicates_match() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let missing = dossier.file("f-0".parse::<documine::models::FileId>().unwrap());
    let error = Error::from(missing.wait_until_processed().await.unwrap_err());
    assert_eq!(true_predicates(&error), ["not found", "sent", "safe to repeat"], "{error}");
}
