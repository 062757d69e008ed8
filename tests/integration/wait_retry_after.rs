//! `Retry-After` on successful poll responses: the next poll is not sent earlier.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use documine::{
    Client, Clock, Credentials,
    models::{DownloadId, FileId},
    wait::WaitErrorKind,
};
use futures_util::future::{join_all, try_join_all};

use crate::harness::canned_server::{CannedServer, response};
use crate::harness::scripted;
use crate::harness::test_env::{SimulatedTime, TestEnv, operation_path};

/// State and `Retry-After` seconds of successive poll responses.
const POLL_RESPONSES: [(&str, Option<u64>); 4] =
    [("ANALYSE", Some(20)), ("ANALYSE", None), ("ANALYSE", Some(1)), ("PROCESSED", None)];

/// Times of the polls in milliseconds.
type PollTimes = Arc<Mutex<Vec<u128>>>;

fn response_with_retry_after(operation: &str, body: &str, seconds: Option<u64>) -> Vec<u8> {
    let delay = seconds.map(|seconds| format!("Retry-After: {seconds}"));
    let headers: Vec<&str> = std::iter::once("Content-Type: application/json").chain(delay.as_deref()).collect();
    response("200 OK", &headers, &documine_sim::wire::answer(operation, body))
}

/// Starts a service that responds to polls of one operation with `body(state)`; the client uses simulated time.
async fn polled_server(
    operation: &'static str,
    ids: &[&str],
    body: fn(&str) -> String,
) -> (CannedServer, Client, PollTimes) {
    let time: SimulatedTime = TestEnv::new().await.time.clone();
    let poll_times = PollTimes::default();
    let (clock, recorded) = (time.clone(), Arc::clone(&poll_times));
    let request = format!("GET {} ", operation_path(operation, ids));
    let service = CannedServer::respond_with(move |head| {
        assert!(head.starts_with(&request), "{head}");
        let mut recorded = recorded.lock().unwrap();
        recorded.push(clock.monotonic().as_millis());
        let (state, seconds) = POLL_RESPONSES[(recorded.len() - 1).min(POLL_RESPONSES.len() - 1)];
        response_with_retry_after(operation, &body(state), seconds)
    })
    .await;
    let builder = Client::builder(&service.base).workspace("acme").clock(time);
    let client = builder.credentials(Credentials::access_token("t")).build().unwrap();
    (service, client, poll_times)
}

fn file(state: &str) -> String {
    format!(r#"{{"id":"f-1","processingStatus":"{state}"}}"#)
}

/// Returns the id of the requested one of four files.
fn requested_file(head: &str) -> String {
    let mut ids = (1..=4).map(|number| format!("f-{number}"));
    ids.find(|id| head.starts_with(&format!("GET {} ", operation_path("getFile", &["t", "d", id])))).unwrap()
}

/// Without `Retry-After` the polls would come at 0, 500, 1000 and 1700 ms.
const EXPECTED_POLL_TIMES: [u128; 4] = [0, 20_000, 23_130, 26_497];

#[tokio::test]
async fn wait_for_file_respects_retry_after() {
    let (_service, client, poll_times) = polled_server("getFile", &["t", "d", "f-1"], file).await;
    scripted::dossier(&client).file("f-1".parse::<FileId>().unwrap()).wait_until_processed().await.unwrap();
    assert_eq!(*poll_times.lock().unwrap(), EXPECTED_POLL_TIMES);
}

#[tokio::test]
async fn wait_for_package_respects_retry_after() {
    let body = |state: &str| {
        let state = if state == "PROCESSED" { "READY" } else { "PENDING" };
        format!(r#"{{"downloadId":"d-1","status":"{state}"}}"#)
    };
    let (_service, client, poll_times) = polled_server("getDownload", &["d-1"], body).await;
    client.download("d-1".parse::<DownloadId>().unwrap()).job().wait().await.unwrap();
    assert_eq!(*poll_times.lock().unwrap(), EXPECTED_POLL_TIMES);
}

#[tokio::test]
async fn wait_for_dossier_respects_retry_after() {
    let body = |state: &str| format!(r#"{{"files":[{}]}}"#, file(state));
    let (_service, client, poll_times) = polled_server("getFiles", &["t", "d"], body).await;
    scripted::dossier(&client).wait_until_processed().await.unwrap();
    assert_eq!(*poll_times.lock().unwrap(), EXPECTED_POLL_TIMES);
}

#[tokio::test]
async fn polls_once_more_at_deadline_when_retry_after_exceeds_it() {
    let (_service, client, poll_times) = polled_server("getFile", &["t", "d", "f-1"], file).await;
    let wait = scripted::dossier(&client).file("f-1".parse::<FileId>().unwrap()).wait_until_processed();
    wait.with_deadline(Duration::from_secs(15)).await.unwrap_err();
    assert_eq!(*poll_times.lock().unwrap(), [0, 15_000]);
}

/// Runs in real time, because several waits sleep concurrently.
#[tokio::test]
async fn shared_polling_respects_retry_after() {
    let lists = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&lists);
    let list = format!("GET {} ", operation_path("getFiles", &["t", "d"]));
    let service = CannedServer::respond_with(move |head| {
        if !head.starts_with(&list) {
            let id = requested_file(head);
            let state = if recorded.lock().unwrap().len() > 1 { "PROCESSED" } else { "ANALYSE" };
            return response_with_retry_after("getFile", &file(state).replace("f-1", &id), None);
        }
        let mut recorded = recorded.lock().unwrap();
        recorded.push(Instant::now());
        let state = if recorded.len() > 1 { "PROCESSED" } else { "ANALYSE" };
        let files: Vec<_> = (1..=4).map(|number| file(state).replace("f-1", &format!("f-{number}"))).collect();
        response_with_retry_after("getFiles", &format!(r#"{{"files":[{}]}}"#, files.join(",")), Some(2))
    })
    .await;
    let builder = Client::builder(&service.base).workspace("acme");
    let client = builder.credentials(Credentials::access_token("t")).build().unwrap();
    let files = (1..=4).map(|number| scripted::dossier(&client).file(format!("f-{number}").parse::<FileId>().unwrap()));
    try_join_all(files.map(|file| file.wait_until_processed().with_deadline(Duration::from_secs(20)).into_future()))
        .await
        .unwrap();
    let lists = lists.lock().unwrap();
    assert_eq!(lists.len(), 2);
    let delay = lists[1] - lists[0];
    assert!(delay >= Duration::from_secs(2), "{delay:?}");
}

/// Runs in real time for the same reason.
#[tokio::test]
async fn endless_retry_after_does_not_end_waits_early() {
    let list = format!("GET {} ", operation_path("getFiles", &["t", "d"]));
    let service = CannedServer::respond_with(move |head| {
        if head.starts_with(&list) {
            return response("503 Service Unavailable", &["Retry-After: 99999999999999999999"], "");
        }
        response_with_retry_after("getFile", &file("ANALYSE").replace("f-1", &requested_file(head)), None)
    })
    .await;
    let builder = Client::builder(&service.base).workspace("acme");
    let client = builder.credentials(Credentials::access_token("t")).build().unwrap();
    let files = (1..=4).map(|number| scripted::dossier(&client).file(format!("f-{number}").parse::<FileId>().unwrap()));
    let waits = files.map(|file| file.wait_until_processed().with_deadline(Duration::from_secs(1)).into_future());
    for end in join_all(waits).await {
        assert!(matches!(&end, Err(error) if error.kind() == WaitErrorKind::DeadlineExceeded), "{end:?}");
    }
}
