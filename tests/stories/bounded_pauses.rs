//! Pauses that the service asks for end: no call, upload or wait sits one out that is longer than its own limits, and no client sleeps for a year.

use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use documine::{
    Client, Clock, Credentials, DossierHandle, DownloadId, ErrorKind, FileId, NewDossier, Pacing, Source, TimeoutPhase,
};
use documine_sim::Fault;
use futures_util::future::try_join_all;

use crate::canned::{Canned, answer};
use crate::paper::STUDY;
use crate::scripted::builder;
use crate::world::{SimulatedTime, World, path};

/// A year, as a service may ask for it.
const YEAR: u64 = 31_536_000;
/// The longest that one `Retry-After` holds anything back.
const LONGEST: Duration = Duration::from_secs(300);

#[tokio::test]
async fn many_uploads_do_not_sleep_a_year_and_go_on_soon() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.faults().add(Fault::on("uploadFile").times(1).rate_limited(YEAR));
    let names = ["a.pdf", "b.pdf", "c.pdf"];
    let sources = || names.map(|name| Source::bytes(name, STUDY));
    let before = world.journal().len();
    let outcomes = dossier.upload_all(sources()).with_concurrency(1).await.unwrap();
    let errors: Vec<_> = outcomes.into_iter().map(|outcome| outcome.result.unwrap_err()).collect();
    let seen: Vec<_> = errors.iter().map(|error| (error.attempts(), error.was_sent())).collect();
    assert_eq!(seen, [(1, true), (0, false), (0, false)]);
    for error in &errors {
        assert!(error.is_rate_limited() && error.is_safe_to_repeat(), "{error:?}");
        assert_eq!(error.retry_after().unwrap().as_secs(), YEAR, "{error:?}");
        assert!(error.to_string().contains("Retry-After of 31536000s exceeds the 120s left"), "{error}");
    }
    // What was refused is not looked for, and nothing was slept.
    assert_eq!(world.journal_since(before), ["getFiles 200", "uploadFile 429"]);
    assert_eq!(world.time.sleeps(), []);
    world.time.pass(LONGEST.as_secs());
    for outcome in dossier.upload_all(sources()).await.unwrap() {
        let _ = outcome.result.unwrap();
    }
    assert!(world.time.sleeps().iter().sum::<Duration>() < Duration::from_secs(10), "{:?}", world.time.sleeps());
}

#[tokio::test]
async fn one_refused_call_does_not_stop_the_clones_of_its_client() {
    let world = World::new().await;
    let client = world.builder().pacing(Pacing::adaptive()).build().unwrap();
    let template = client.dossier_template(world.template_id());
    world.sim.faults().add(Fault::on("getLicense").times(1).rate_limited(100));
    client.license().with_deadline(Duration::from_secs(50)).await.unwrap_err();
    let clone = client.clone();
    let error = clone.license_usage().with_deadline(Duration::from_secs(99)).await.unwrap_err();
    assert_eq!((error.kind(), error.is_rate_limited(), error.was_sent()), (ErrorKind::Api, true, false));
    assert_eq!((error.retry_after(), error.attempts()), (Some(Duration::from_secs(100)), 0));
    assert_eq!(world.time.sleeps(), []);
    // A patient one sits it out; afterwards there is no debt.
    template.create_dossier(NewDossier::named("Q3")).await.map(drop).unwrap();
    assert_eq!(world.time.sleeps(), [Duration::from_secs(100)]);
}

#[tokio::test]
async fn what_was_not_processed_is_sent_again() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.faults().add(Fault::on("createOrUpdateDossier").times(1).unavailable(2));
    world.template().create_dossier(NewDossier::named("Q4")).await.map(drop).unwrap();
    assert_eq!(world.template().dossiers().await.unwrap().len(), 2, "made once");
    world.sim.faults().add(Fault::on("uploadFile").times(2).unavailable(2));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.pdf");
    std::fs::write(&path, STUDY).unwrap();
    let _ = dossier.upload(Source::path(&path)).await.unwrap();
    let sent: Vec<_> = world.requests("uploadFile").iter().map(|request| request.status).collect();
    assert_eq!(sent, [503, 503, 201]);
    let pauses: Vec<_> = world.time.sleeps().iter().map(Duration::as_secs).collect();
    assert_eq!(pauses, [2, 2, 2]);
}

#[tokio::test]
async fn what_comes_once_is_not_sent_again_and_may_be_by_its_caller() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.faults().add(Fault::on("uploadFile").times(1).unavailable(2));
    let once = Source::stream("study.pdf", STUDY.len() as u64, futures_util::stream::iter([Ok(STUDY.into())]));
    let error = dossier.upload(once).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_safe_to_repeat(), error.is_transient()), (1, true, true));
}

#[tokio::test]
async fn an_upload_that_was_not_processed_is_not_looked_for() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    for fault in [Fault::on("uploadFile").rate_limited(3600), Fault::on("uploadFile").unavailable(3600)] {
        world.sim.faults().clear();
        world.sim.faults().add(fault);
        let before = world.journal().len();
        let error = dossier.upload(Source::bytes("a.pdf", STUDY)).look_for_lost(true).await.unwrap_err();
        assert_eq!((error.attempts(), error.is_safe_to_repeat()), (1, true), "{error:?}");
        assert_eq!(world.journal_since(before).len(), 2, "the list before the upload, and the upload");
    }
}

#[tokio::test]
async fn the_deadline_of_an_upload_holds_for_the_search_of_a_lost_one() {
    // Connections are made, and nobody answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (builder, _) = builder(&format!("http://{}", listener.local_addr().unwrap())).await;
    let client = builder.credentials(Credentials::access_token("t")).build().unwrap();
    let template = client.dossier_template("t".parse::<documine::DossierTemplateId>().unwrap());
    let dossier = template.dossier("d".parse::<documine::DossierId>().unwrap());
    let upload = dossier.upload(Source::bytes("a.pdf", STUDY)).look_for_lost(true);
    let error = upload.with_deadline(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!((error.operation(), error.timeout_phase()), (Some("uploadFile"), Some(TimeoutPhase::Operation)));
}

/// A file in this state, as an answer that wants to be the last one for a year.
fn file(operation: &str, state: &str, list: bool) -> Vec<u8> {
    let file = |id: &str| format!(r#"{{"id":"{id}","processingStatus":"{state}"}}"#);
    let body = if list { format!(r#"{{"files":[{},{}]}}"#, file("f-1"), file("f-2")) } else { file("f-1") };
    let pause = format!("Retry-After: {YEAR}");
    answer("200 OK", &["Content-Type: application/json", &pause], &documine_sim::wire::answer(operation, &body))
}

/// A service whose files are processed at the second look at `operation`.
async fn service(operation: &'static str, ids: &'static [&'static str], list: bool) -> Canned {
    let looks = AtomicUsize::new(0);
    Canned::answering(move |head| {
        assert!(head.starts_with(&format!("GET {} ", path(operation, ids))), "{head}");
        let state = if looks.fetch_add(1, Ordering::Relaxed) == 0 { "ANALYSE" } else { "PROCESSED" };
        file(operation, state, list)
    })
    .await
}

async fn client(service: &Canned) -> (Client, SimulatedTime) {
    let (builder, time) = builder(&service.base).await;
    (builder.credentials(Credentials::access_token("t")).build().unwrap(), time)
}

async fn dossier(service: &Canned) -> (DossierHandle, SimulatedTime) {
    let (client, time) = client(service).await;
    let template = client.dossier_template("t".parse::<documine::DossierTemplateId>().unwrap());
    (template.dossier("d".parse::<documine::DossierId>().unwrap()), time)
}

fn file_id(id: &str) -> FileId {
    id.parse().unwrap()
}

#[tokio::test]
async fn a_wait_looks_again_before_a_year_is_over() {
    let service = service("getFile", &["t", "d", "f-1"], false).await;
    let (dossier, time) = dossier(&service).await;
    dossier.file(file_id("f-1")).processed().await.unwrap();
    assert_eq!(time.sleeps(), [LONGEST]);
}

#[tokio::test]
async fn waits_that_share_a_list_look_again_before_a_year_is_over() {
    let service = service("getFiles", &["t", "d"], true).await;
    let (dossier, time) = dossier(&service).await;
    let waits = ["f-1", "f-2"].map(|id| dossier.file(file_id(id)).processed().into_future());
    try_join_all(waits).await.unwrap();
    assert_eq!(service.requests().len(), 2);
    // Half an hour is the deadline of both.
    assert!((LONGEST..2 * LONGEST).contains(&time.monotonic()), "{:?}", time.monotonic());
}

#[tokio::test]
async fn a_list_that_is_unavailable_for_a_year_is_asked_for_again() {
    let package = |state: &str| format!(r#"{{"downloadId":"d-1","status":"{state}"}}"#);
    let looks = AtomicUsize::new(0);
    let service = Canned::answering(move |_| match looks.fetch_add(1, Ordering::Relaxed) {
        0 => answer("503 Service Unavailable", &[&format!("Retry-After: {YEAR}")], ""),
        _ => answer(
            "200 OK",
            &["Content-Type: application/json"],
            &documine_sim::wire::answer("getDownload", &package("READY")),
        ),
    })
    .await;
    let (client, time) = client(&service).await;
    client.download("d-1".parse::<DownloadId>().unwrap()).operation().wait().await.unwrap();
    assert_eq!(time.sleeps(), [LONGEST]);
}
