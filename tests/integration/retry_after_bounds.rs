//! Limits on long `Retry-After` values: no call, upload or wait exceeds its own limits, and no client sleeps for a year.

use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use documine::{
    Client, Clock, Credentials, DossierFields, DossierHandle, ErrorKind, Source, TimeoutPhase,
    models::{DownloadId, FileId},
    retry::RateLimit,
};
use documine_sim::Fault;
use futures_util::future::try_join_all;

use crate::harness::canned_server::{CannedServer, response};
use crate::harness::pdf_fixtures::{STUDY, study_on_disk};
use crate::harness::scripted::{self, builder};
use crate::harness::test_env::{SimulatedTime, TestEnv, operation_path};

/// One year in seconds, a `Retry-After` value that a service may send.
const YEAR: u64 = 31_536_000;
/// The maximum time that one `Retry-After` value delays polling.
const RETRY_AFTER_CAP: Duration = Duration::from_secs(300);

#[tokio::test]
async fn fails_uploads_fast_on_long_retry_after_and_recovers() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("uploadFile").times(1).rate_limited(YEAR));
    let names = ["a.pdf", "b.pdf", "c.pdf"];
    let sources = || names.map(|name| Source::bytes(name, STUDY));
    let before = env.request_log().len();
    let outcomes = dossier.upload_all(sources()).with_concurrency(1).await.unwrap();
    let errors: Vec<_> = outcomes.into_iter().map(|outcome| outcome.result.unwrap_err()).collect();
    let observed: Vec<_> = errors.iter().map(|error| (error.attempts(), error.was_sent())).collect();
    assert_eq!(observed, [(1, true), (0, false), (0, false)]);
    for error in &errors {
        assert!(error.is_rate_limited() && error.is_safe_to_repeat(), "{error:?}");
        assert_eq!(error.retry_after().unwrap().as_secs(), YEAR, "{error:?}");
        assert!(error.to_string().contains("Retry-After of 31536000s does not fit into the 120s left"), "{error}");
    }
    // No search for a rejected upload, and no sleep.
    assert_eq!(env.request_log_since(before), ["getFiles 200", "uploadFile 429"]);
    assert_eq!(env.time.sleeps(), []);
    env.time.advance(RETRY_AFTER_CAP.as_secs());
    for outcome in dossier.upload_all(sources()).await.unwrap() {
        let _ = outcome.result.unwrap();
    }
    assert!(env.time.sleeps().iter().sum::<Duration>() < Duration::from_secs(10), "{:?}", env.time.sleeps());
}

#[tokio::test]
async fn does_not_block_clones_after_rate_limited_call() {
    let env = TestEnv::new().await;
    let client = env.builder().rate_limit(RateLimit::adaptive()).build().unwrap();
    let template = client.dossier_template(env.template_id());
    env.add_fault(Fault::on("getLicense").times(1).rate_limited(100));
    client.license().with_deadline(Duration::from_secs(50)).await.unwrap_err();
    let clone = client.clone();
    let error = clone.license_usage().with_deadline(Duration::from_secs(99)).await.unwrap_err();
    assert_eq!((error.kind(), error.is_rate_limited(), error.was_sent()), (ErrorKind::Api, true, false));
    assert_eq!((error.retry_after(), error.attempts()), (Some(Duration::from_secs(100)), 0));
    assert_eq!(env.time.sleeps(), []);
    // A call with enough time waits for `Retry-After`; afterwards no delay remains.
    template.create_dossier(DossierFields::named("Q3")).await.map(drop).unwrap();
    assert_eq!(env.time.sleeps(), [Duration::from_secs(100)]);
}

#[tokio::test]
async fn retries_creation_and_upload_on_503_with_retry_after() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("createOrUpdateDossier").times(1).unavailable(2));
    env.template().create_dossier(DossierFields::named("Q4")).await.map(drop).unwrap();
    assert_eq!(env.template().dossiers().await.unwrap().len(), 2, "created once");
    env.add_fault(Fault::on("uploadFile").times(2).unavailable(2));
    let (_folder, path) = study_on_disk();
    let _ = dossier.upload(Source::path(&path)).await.unwrap();
    let sent: Vec<_> = env.requests("uploadFile").iter().map(|request| request.status).collect();
    assert_eq!(sent, [503, 503, 201]);
    let delays: Vec<_> = env.time.sleeps().iter().map(Duration::as_secs).collect();
    assert_eq!(delays, [2, 2, 2]);
}

#[tokio::test]
async fn does_not_retry_single_use_source_on_503_but_marks_it_safe_to_repeat() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("uploadFile").times(1).unavailable(2));
    let single_use = Source::from_stream(
        "study.pdf",
        STUDY.len() as u64,
        futures_util::stream::iter([Ok::<_, std::io::Error>(STUDY)]),
    );
    let error = dossier.upload(single_use).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_safe_to_repeat(), error.is_transient()), (1, true, true));
}

#[tokio::test]
async fn skips_search_for_lost_upload_when_service_rejected_it() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    for fault in [Fault::on("uploadFile").rate_limited(3600), Fault::on("uploadFile").unavailable(3600)] {
        env.sim.faults().clear();
        env.add_fault(fault);
        let before = env.request_log().len();
        let error = dossier.upload(Source::bytes("a.pdf", STUDY)).recover_lost_response(true).await.unwrap_err();
        assert_eq!((error.attempts(), error.is_safe_to_repeat()), (1, true), "{error:?}");
        assert_eq!(env.request_log_since(before).len(), 2, "one list before the upload, one upload");
    }
}

#[tokio::test]
async fn applies_upload_deadline_to_search_for_lost_upload() {
    // The port accepts connections and never responds.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (builder, _) = builder(&format!("http://{}", listener.local_addr().unwrap())).await;
    let client = builder.credentials(Credentials::access_token("t")).build().unwrap();
    let dossier = scripted::dossier(&client);
    let upload = dossier.upload(Source::bytes("a.pdf", STUDY)).recover_lost_response(true);
    let error = upload.with_deadline(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!((error.operation(), error.timeout_phase()), (Some("uploadFile"), Some(TimeoutPhase::Operation)));
}

/// Returns a file or list response in this state with a `Retry-After` of one year.
fn file_response(operation: &str, state: &str, list: bool) -> Vec<u8> {
    let file = |id: &str| format!(r#"{{"id":"{id}","processingStatus":"{state}"}}"#);
    let body = if list { format!(r#"{{"files":[{},{}]}}"#, file("f-1"), file("f-2")) } else { file("f-1") };
    let delay = format!("Retry-After: {YEAR}");
    response("200 OK", &["Content-Type: application/json", &delay], &documine_sim::wire::answer(operation, &body))
}

/// Starts a service whose files are processed at the second poll of `operation`.
async fn processed_on_second_poll(operation: &'static str, ids: &'static [&'static str], list: bool) -> CannedServer {
    let polls = AtomicUsize::new(0);
    CannedServer::respond_with(move |head| {
        assert!(head.starts_with(&format!("GET {} ", operation_path(operation, ids))), "{head}");
        let state = if polls.fetch_add(1, Ordering::Relaxed) == 0 { "ANALYSE" } else { "PROCESSED" };
        file_response(operation, state, list)
    })
    .await
}

async fn client(service: &CannedServer) -> (Client, SimulatedTime) {
    let (builder, time) = builder(&service.base).await;
    (builder.credentials(Credentials::access_token("t")).build().unwrap(), time)
}

async fn dossier(service: &CannedServer) -> (DossierHandle, SimulatedTime) {
    let (client, time) = client(service).await;
    (scripted::dossier(&client), time)
}

fn file_id(id: &str) -> FileId {
    id.parse().unwrap()
}

#[tokio::test]
async fn caps_retry_after_of_one_year_between_polls() {
    let service = processed_on_second_poll("getFile", &["t", "d", "f-1"], false).await;
    let (dossier, time) = dossier(&service).await;
    dossier.file(file_id("f-1")).wait_until_processed().await.unwrap();
    assert_eq!(time.sleeps(), [RETRY_AFTER_CAP]);
}

#[tokio::test]
async fn caps_retry_after_of_one_year_in_shared_polling() {
    let service = processed_on_second_poll("getFiles", &["t", "d"], true).await;
    let (dossier, time) = dossier(&service).await;
    let waits = ["f-1", "f-2"].map(|id| dossier.file(file_id(id)).wait_until_processed().into_future());
    try_join_all(waits).await.unwrap();
    assert_eq!(service.requests().len(), 2);
    // Both waits have a deadline of half an hour.
    assert!((RETRY_AFTER_CAP..2 * RETRY_AFTER_CAP).contains(&time.monotonic()), "{:?}", time.monotonic());
}

#[tokio::test]
async fn caps_retry_after_of_one_year_when_polling_package() {
    let package = |state: &str| format!(r#"{{"downloadId":"d-1","status":"{state}"}}"#);
    let polls = AtomicUsize::new(0);
    let service = CannedServer::respond_with(move |_| match polls.fetch_add(1, Ordering::Relaxed) {
        0 => response("503 Service Unavailable", &[&format!("Retry-After: {YEAR}")], ""),
        _ => response(
            "200 OK",
            &["Content-Type: application/json"],
            &documine_sim::wire::answer("getDownload", &package("READY")),
        ),
    })
    .await;
    let (client, time) = client(&service).await;
    client.download("d-1".parse::<DownloadId>().unwrap()).job().wait().await.unwrap();
    assert_eq!(time.sleeps(), [RETRY_AFTER_CAP]);
}
