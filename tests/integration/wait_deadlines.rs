//! Waits on a failing service: they end at their deadline and respect `Retry-After`.

use std::time::{Duration, Instant};

use documine::{Client, Credentials, PackageJob, models::DownloadId, wait::WaitErrorKind};
use documine_sim::Fault;

use crate::harness::canned_server::CannedServer;
use crate::harness::pdf_fixtures::STUDY;
use crate::harness::test_env::{TestEnv, originals};

/// Creates a package without waiting for it.
async fn pending_package(env: &TestEnv) -> PackageJob {
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    dossier.create_package(originals()).await.unwrap()
}

fn rate_limited(seconds: &str) -> Fault {
    Fault::on("getDownload").status(429).header("Retry-After", seconds)
}

#[tokio::test]
async fn respects_retry_after_between_polls() {
    let env = TestEnv::new().await;
    let operation = pending_package(&env).await;
    let start = env.sim.clock().now();
    env.add_fault(rate_limited("60").times(2));
    operation.wait().await.unwrap();
    let polls: Vec<_> = env.request_times("getDownload", start).iter().map(Duration::as_millis).collect();
    assert_eq!(polls, [0, 60_000, 120_000]);
}

#[tokio::test]
async fn polls_once_more_at_deadline_when_retry_after_is_longer() {
    let env = TestEnv::new().await;
    let operation = pending_package(&env).await;
    let start = env.sim.clock().now();
    env.add_fault(rate_limited("60").times(1));
    operation.wait().with_deadline(Duration::from_secs(30)).await.unwrap();
    let polls: Vec<_> = env.request_times("getDownload", start).iter().map(Duration::as_millis).collect();
    assert_eq!(polls, [0, 30_000]);
}

#[tokio::test]
async fn reports_deadline_after_persistent_429() {
    let env = TestEnv::new().await;
    let operation = pending_package(&env).await;
    env.add_fault(rate_limited("60"));
    let error = operation.wait().with_deadline(Duration::from_secs(90)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "timed out after 90s (3 polls) waiting for package {}; last state: unknown; processing continues on the server, wait again with a later deadline",
            operation.id()
        )
    );
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!((error.elapsed(), error.polls(), error.last_state()), (Duration::from_secs(90), 3, None));
}

#[tokio::test]
async fn failing_polls_do_not_extend_deadline() {
    let env = TestEnv::new().await;
    let operation = pending_package(&env).await;
    env.add_fault(Fault::on("getDownload").status(503));
    let error = operation.wait().with_deadline(Duration::from_secs(10)).await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    // Each poll makes four attempts in 1.75 s; the last poll begins before the deadline and ends after it.
    assert_eq!((error.elapsed().as_millis(), error.polls()), (11_334, 4));
    assert_eq!(env.requests("getDownload").len(), 16);
}

/// Runs in real time, like the attempt timeout itself.
#[tokio::test]
async fn hanging_poll_does_not_extend_deadline() {
    let service = CannedServer::respond_and_hold(|_| Vec::new()).await;
    let client =
        Client::builder(&service.base).workspace("acme").credentials(Credentials::access_token("t")).build().unwrap();
    let operation = client.download("d-1".parse::<DownloadId>().unwrap()).job();
    let start = Instant::now();
    let error = operation.wait().with_deadline(Duration::from_millis(50)).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(55), "the attempt timeout of the client is 60 s");
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!((error.target(), error.polls(), error.last_state()), ("package d-1", 1, None));
    assert_eq!(service.requests().len(), 1);
}
