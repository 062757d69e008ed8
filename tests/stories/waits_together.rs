//! Many who wait cost the service no more than one: they share their looks, and none of them disturbs another.
//!
//! In real time, because many sleep at once here; the simulated one has one sleeper at a time. The service is fast.

use std::future::IntoFuture;
use std::time::Duration;

use documine::{Client, Credentials, DossierHandle, DownloadFileType, FileHandle, NewDossier, PackageContent, Source};
use documine_sim::{Fault, Simulator};
use futures_util::future::{join_all, try_join_all};

use crate::paper::INVOICE;

/// A service whose analyses take two seconds.
struct Stage {
    sim: Simulator,
    client: Client,
}

impl Stage {
    async fn new() -> Self {
        let mut timing = documine_sim::Timing::default();
        timing.queue = Duration::from_secs(2);
        timing.package_queue = Duration::from_secs(2);
        let sim = Simulator::builder().timing(timing).start().await.unwrap();
        let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
        let credentials = credentials.client_secret(sim.client_secret());
        let builder = Client::builder(sim.base_url()).workspace(sim.workspace_id());
        Self { client: builder.credentials(credentials).build().unwrap(), sim }
    }

    /// How many requests of an operation there were so far.
    fn count(&self, operation: &str) -> usize {
        self.sim.requests().iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
    }

    async fn dossier(&self) -> DossierHandle {
        let template = self.sim.dossier_template_id().parse::<documine::DossierTemplateId>().unwrap();
        self.client.dossier_template(template).create_dossier(NewDossier::named("Q3")).await.unwrap()
    }
}

/// A dossier with so many files that have just been uploaded.
async fn uploaded(stage: &Stage, count: usize) -> (DossierHandle, Vec<FileHandle>) {
    let dossier = stage.dossier().await;
    let mut files = Vec::new();
    for number in 0..count {
        let uploaded = dossier.upload(Source::bytes(format!("{number}.pdf"), INVOICE)).await.unwrap();
        files.push(dossier.file(&uploaded.id));
    }
    (dossier, files)
}

#[tokio::test]
async fn a_thousand_waits_on_one_dossier_cost_one_list_a_tick() {
    let stage = Stage::new().await;
    let (_, files) = uploaded(&stage, 10).await;
    let waits = (0..1_000).map(|number| files[number % 10].processed().into_future());
    try_join_all(waits).await.unwrap();
    // The first one does not know yet that it is not alone, and the last one may be alone again.
    assert!((1..=2).contains(&stage.count("getFile")));
    // At 0, 0.5, 1, 1.7, perhaps 2.6 and perhaps 3.7 seconds, each spread by a tenth.
    let lists = stage.count("getFiles");
    assert!((4..=6).contains(&lists), "{lists}");
}

#[tokio::test]
async fn one_who_waits_alone_reads_its_own_file() {
    let stage = Stage::new().await;
    let (_, files) = uploaded(&stage, 2).await;
    files[0].processed().await.unwrap();
    files[1].processed().await.unwrap();
    assert_eq!(stage.count("getFiles"), 0);
}

#[tokio::test]
async fn those_who_go_away_disturb_nobody_and_the_last_one_ends_the_looks() {
    let stage = Stage::new().await;
    let (_, files) = uploaded(&stage, 5).await;
    for round in 0..10_u32 {
        // Some are dropped after so many steps, at whatever point that is.
        let mut waits: Vec<_> = files
            .iter()
            .map(|file| file.processed().settled_for(Duration::from_millis(20) * round).into_future())
            .collect();
        let last = waits.pop().unwrap();
        for (number, wait) in waits.iter_mut().enumerate() {
            for _ in 0..(usize::try_from(round).unwrap() + number) % 7 {
                let _ = futures_util::poll!(wait.as_mut());
                tokio::task::yield_now().await;
            }
        }
        drop(waits);
        let done = tokio::time::timeout(Duration::from_secs(60), last).await.expect("nobody holds it up").unwrap();
        assert_eq!(done.id(), files[4].id());
    }
    let before = stage.sim.requests().len();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(stage.sim.requests().len(), before, "nobody looks any more");
}

#[tokio::test]
async fn of_a_thousand_all_but_one_go_away_at_any_moment_and_that_one_ends_right() {
    const SEED: u64 = 7;
    let stage = Stage::new().await;
    let (_, files) = uploaded(&stage, 10).await;
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut waits: Vec<_> =
        (0..1_000).map(|number| tokio::spawn(files[number % 10].processed().into_future())).collect();
    let last = waits.pop().unwrap();
    let mut moments: Vec<_> = waits.into_iter().map(|wait| (random.u64(0..2_500), wait)).collect();
    moments.sort_by_key(|(moment, _)| *moment);
    let start = std::time::Instant::now();
    for (moment, wait) in moments {
        tokio::time::sleep(Duration::from_millis(moment).saturating_sub(start.elapsed())).await;
        wait.abort();
    }
    let done = tokio::time::timeout(Duration::from_secs(60), last).await.expect("nobody holds it up").unwrap().unwrap();
    assert_eq!(done.id(), files[9].id());
    // No more looks than one wait alone would make, shared or not; a busy machine makes fewer.
    let looks = stage.count("getFiles") + stage.count("getFile");
    assert!((1..=9).contains(&looks), "{looks}, seed {SEED}");
}

#[tokio::test]
async fn a_list_that_is_refused_is_not_asked_for_again() {
    let stage = Stage::new().await;
    let (_, files) = uploaded(&stage, 4).await;
    stage.sim.faults().add(Fault::on("getFiles").status(403));
    try_join_all(files.iter().map(|file| file.processed().into_future())).await.unwrap();
    assert_eq!(stage.count("getFiles"), 1);
    assert!(stage.count("getFile") > 4);
}

#[tokio::test]
async fn a_list_in_trouble_is_everybodys_trouble_for_a_while_only() {
    let stage = Stage::new().await;
    let (_, files) = uploaded(&stage, 4).await;
    let busy = Fault::on("getFiles").status(429).header("Retry-After", "25");
    stage.sim.faults().add(busy.times(1));
    let waits = files.iter().map(|file| file.processed().with_deadline(Duration::from_secs(6)).into_future());
    try_join_all(waits).await.unwrap();
    // Left alone up to the deadline, where there is one last look for all.
    assert_eq!(stage.count("getFiles"), 2);
}

#[tokio::test]
async fn a_file_that_is_gone_is_gone_for_its_own_wait_alone() {
    let stage = Stage::new().await;
    let (dossier, files) = uploaded(&stage, 3).await;
    files[0].delete().permanently().await.unwrap();
    let ends = join_all(files.iter().map(|file| file.processed().into_future())).await;
    assert!(matches!(&ends[0], Err(error) if error.kind() == documine::WaitErrorKind::Gone), "{:?}", ends[0]);
    assert!(ends[1..].iter().all(Result::is_ok));
    drop(dossier);
}

#[tokio::test]
async fn packages_share_their_looks_when_they_are_many() {
    let stage = Stage::new().await;
    let (dossier, files) = uploaded(&stage, 1).await;
    files[0].processed().await.unwrap();
    let mut operations = Vec::new();
    for _ in 0..20 {
        let content = PackageContent::file_types([DownloadFileType::Original]);
        operations.push(dossier.create_package(content).await.unwrap());
    }
    try_join_all(operations[..3].iter().map(|operation| operation.wait().into_future())).await.unwrap();
    assert_eq!(stage.count("getDownloads"), 0, "three are few");
    let mut operations = Vec::new();
    for _ in 0..20 {
        let content = PackageContent::file_types([DownloadFileType::Original]);
        operations.push(dossier.create_package(content).await.unwrap());
    }
    let before = stage.count("getDownload");
    try_join_all(operations.iter().map(|operation| operation.wait().into_future())).await.unwrap();
    assert_eq!(stage.count("getDownload") - before, 3, "the first three do not know yet how many they are");
    let lists = stage.count("getDownloads");
    assert!((1..8).contains(&lists), "{lists}");
}
