//! Concurrent waits share their polls: many cost the service as little as one, and none affects another.
//!
//! Runs in real time, because many waits sleep concurrently. The simulated service is fast.

use std::future::IntoFuture;
use std::time::Duration;

use documine::{Client, DossierFields, DossierHandle, FileHandle, Source};
use documine_sim::{Fault, Simulator};
use futures_util::future::{join_all, try_join_all};

use crate::harness::pdf_fixtures::INVOICE;
use crate::harness::test_env::{originals, password_credentials};

/// A service whose analyses take two seconds.
struct PollingEnv {
    sim: Simulator,
    client: Client,
}

impl PollingEnv {
    async fn new() -> Self {
        let mut timing = documine_sim::Timing::default();
        timing.queue = Duration::from_secs(2);
        timing.package_queue = Duration::from_secs(2);
        let sim = Simulator::builder().timing(timing).start().await.unwrap();
        let builder = Client::builder(sim.base_url()).workspace(sim.workspace_id());
        Self { client: builder.credentials(password_credentials(&sim)).build().unwrap(), sim }
    }

    /// Returns the number of requests of an operation.
    fn count(&self, operation: &str) -> usize {
        self.sim.requests().iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
    }

    async fn dossier(&self) -> DossierHandle {
        self.client
            .dossier_template(self.sim.dossier_template_id())
            .create_dossier(DossierFields::named("Q3"))
            .await
            .unwrap()
    }
}

/// Creates a dossier with `count` files that are not yet processed.
async fn uploaded(env: &PollingEnv, count: usize) -> (DossierHandle, Vec<FileHandle>) {
    let dossier = env.dossier().await;
    let mut files = Vec::new();
    for number in 0..count {
        let uploaded = dossier.upload(Source::bytes(format!("{number}.pdf"), INVOICE)).await.unwrap();
        files.push(dossier.file(&uploaded.id));
    }
    (dossier, files)
}

#[tokio::test]
async fn a_thousand_waits_share_one_list_request_per_poll() {
    let env = PollingEnv::new().await;
    let (_, files) = uploaded(&env, 10).await;
    let waits = (0..1_000).map(|number| files[number % 10].wait_until_processed().into_future());
    try_join_all(waits).await.unwrap();
    // The first wait starts alone, and the last one may end alone.
    assert!((1..=2).contains(&env.count("getFile")));
    // Lists at 0, 0.5, 1, 1.7 and possibly 2.6 and 3.7 seconds, each with 10 % jitter.
    let lists = env.count("getFiles");
    assert!((4..=6).contains(&lists), "{lists}");
}

#[tokio::test]
async fn single_wait_reads_only_its_file() {
    let env = PollingEnv::new().await;
    let (_, files) = uploaded(&env, 2).await;
    files[0].wait_until_processed().await.unwrap();
    files[1].wait_until_processed().await.unwrap();
    assert_eq!(env.count("getFiles"), 0);
}

#[tokio::test]
async fn dropped_waits_do_not_affect_others_and_last_one_stops_polling() {
    let env = PollingEnv::new().await;
    let (_, files) = uploaded(&env, 5).await;
    for round in 0..10_u32 {
        // Some waits are dropped after a number of polls.
        let mut waits: Vec<_> = files
            .iter()
            .map(|file| file.wait_until_processed().stable_for(Duration::from_millis(20) * round).into_future())
            .collect();
        let last = waits.pop().unwrap();
        for (number, wait) in waits.iter_mut().enumerate() {
            for _ in 0..(usize::try_from(round).unwrap() + number) % 7 {
                let _ = futures_util::poll!(wait.as_mut());
                tokio::task::yield_now().await;
            }
        }
        drop(waits);
        let done =
            tokio::time::timeout(Duration::from_secs(60), last).await.expect("the remaining wait completes").unwrap();
        assert_eq!(done.id(), files[4].id());
    }
    let before = env.sim.requests().len();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(env.sim.requests().len(), before, "polling has stopped");
}

#[tokio::test]
async fn remaining_wait_finishes_after_999_are_dropped() {
    const SEED: u64 = 7;
    let env = PollingEnv::new().await;
    let (_, files) = uploaded(&env, 10).await;
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut waits: Vec<_> =
        (0..1_000).map(|number| tokio::spawn(files[number % 10].wait_until_processed().into_future())).collect();
    let last = waits.pop().unwrap();
    let mut drop_times: Vec<_> = waits.into_iter().map(|wait| (random.u64(0..2_500), wait)).collect();
    drop_times.sort_by_key(|(drop_time, _)| *drop_time);
    let start = std::time::Instant::now();
    for (drop_time, wait) in drop_times {
        tokio::time::sleep(Duration::from_millis(drop_time).saturating_sub(start.elapsed())).await;
        wait.abort();
    }
    let done = tokio::time::timeout(Duration::from_secs(60), last)
        .await
        .expect("the remaining wait completes")
        .unwrap()
        .unwrap();
    assert_eq!(done.id(), files[9].id());
    // No more polls than a single wait would make, shared or not; a busy machine makes fewer.
    let polls = env.count("getFiles") + env.count("getFile");
    assert!((1..=9).contains(&polls), "{polls}, seed {SEED}");
}

#[tokio::test]
async fn falls_back_to_single_polls_when_list_is_rejected() {
    let env = PollingEnv::new().await;
    let (_, files) = uploaded(&env, 4).await;
    env.sim.faults().add(Fault::on("getFiles").status(403));
    try_join_all(files.iter().map(|file| file.wait_until_processed().into_future())).await.unwrap();
    assert_eq!(env.count("getFiles"), 1);
    assert!(env.count("getFile") > 4);
}

#[tokio::test]
async fn rate_limited_list_delays_all_waits_temporarily() {
    let env = PollingEnv::new().await;
    let (_, files) = uploaded(&env, 4).await;
    let rate_limited = Fault::on("getFiles").status(429).header("Retry-After", "25");
    env.sim.faults().add(rate_limited.times(1));
    let waits =
        files.iter().map(|file| file.wait_until_processed().with_deadline(Duration::from_secs(6)).into_future());
    try_join_all(waits).await.unwrap();
    // Polling pauses until the deadline, where all waits poll once more.
    assert_eq!(env.count("getFiles"), 2);
}

#[tokio::test]
async fn deleted_file_ends_only_its_own_wait() {
    let env = PollingEnv::new().await;
    let (dossier, files) = uploaded(&env, 3).await;
    files[0].delete().permanently(true).await.unwrap();
    let outcomes = join_all(files.iter().map(|file| file.wait_until_processed().into_future())).await;
    assert!(
        matches!(&outcomes[0], Err(error) if error.kind() == documine::wait::WaitErrorKind::Gone),
        "{:?}",
        outcomes[0]
    );
    assert!(outcomes[1..].iter().all(Result::is_ok));
    drop(dossier);
}

#[tokio::test]
async fn many_package_waits_share_polls() {
    let env = PollingEnv::new().await;
    let (dossier, files) = uploaded(&env, 1).await;
    files[0].wait_until_processed().await.unwrap();
    let mut operations = Vec::new();
    for _ in 0..20 {
        operations.push(dossier.create_package(originals()).await.unwrap());
    }
    try_join_all(operations[..3].iter().map(|operation| operation.wait().into_future())).await.unwrap();
    assert_eq!(env.count("getDownloads"), 0, "three waits poll individually");
    let mut operations = Vec::new();
    for _ in 0..20 {
        operations.push(dossier.create_package(originals()).await.unwrap());
    }
    let before = env.count("getDownload");
    try_join_all(operations.iter().map(|operation| operation.wait().into_future())).await.unwrap();
    assert_eq!(env.count("getDownload") - before, 3, "the first three waits start individually");
    let lists = env.count("getDownloads");
    assert!((1..8).contains(&lists), "{lists}");
}
