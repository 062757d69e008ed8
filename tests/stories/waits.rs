//! Waits that are more than one look after another: conditions, work that stands still or begins anew, a laptop that sleeps, an operation that another process
//! takes up.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use documine::{
    BoxFuture, Clock, Condition, Credentials, DownloadFileType, DownloadState, DownloadStatus, ErrorKind, FileHandle,
    FileStatus, Operation, OperationRef, Package, PackageContent, ProcessingStatus, Source, State, WaitErrorKind,
};
use documine_sim::Fault;

use crate::paper::STUDY;
use crate::world::{SimulatedTime, World};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A file that has just been uploaded.
async fn uploaded(world: &World) -> FileHandle {
    let dossier = world.dossier().await;
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    dossier.file(&uploaded.id)
}

async fn package(world: &World) -> Operation<Package> {
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    dossier.create_package(PackageContent::file_types([DownloadFileType::Original])).await.unwrap()
}

/// A service in which packages never get anywhere.
async fn stuck() -> World {
    World::with(|builder| {
        let mut timing = documine_sim::Timing::default();
        timing.package_queue = seconds(1_000_000);
        builder.timing(timing)
    })
    .await
}

fn milliseconds(world: &World, operation: &str, start: SystemTime) -> Vec<u128> {
    world.instants(operation, start).iter().map(Duration::as_millis).collect()
}

#[tokio::test]
async fn a_condition_is_what_a_wait_is_for() {
    let world = World::new().await;
    let file = uploaded(&world).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&seen);
    let status = file
        .until(|file: &FileStatus| file.processing_status != Some(ProcessingStatus::Unprocessed))
        .on_state(move |state| tell.lock().unwrap().push(state.to_owned()))
        .await
        .unwrap();
    assert_ne!(status.processing_status, Some(ProcessingStatus::Unprocessed));
    assert!(seen.lock().unwrap().iter().all(|state| state == "UNPROCESSED"));
    let done = file.until(Condition::processed()).await.unwrap();
    assert_eq!(done.processing_status, Some(ProcessingStatus::Processed));
    let both = Condition::processed().and(Condition::new(|file: &FileStatus| file.file_name.is_some()));
    assert_eq!(file.until(both).await.unwrap().file_name.as_deref(), Some("study.pdf"));
}

#[tokio::test]
async fn a_file_that_fails_ends_the_wait_for_its_success_and_no_other() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.control().fail_next_analysis("the scanner was dirty");
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let file = dossier.file(&uploaded.id);
    let error = file.until(Condition::processed()).await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Failed, "{error:?}");
    assert_eq!((error.id(), error.last_state()), (file.id().as_str(), Some("ERROR")));
    let status = file.until(Condition::processed().or(Condition::failed())).await.unwrap();
    assert_eq!(status.processing_status, Some(ProcessingStatus::Error));
}

#[tokio::test]
async fn a_dossier_or_a_package_may_be_waited_for_in_part() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    for name in ["a.pdf", "b.pdf", "c.pdf"] {
        let _uploaded = dossier.upload(Source::bytes(name, STUDY)).await.unwrap();
    }
    let named = |files: &Vec<FileStatus>| files.iter().filter(|file| file.file_name.is_some()).count() == 3;
    assert_eq!(dossier.files_until(named).await.unwrap().len(), 3);
    dossier.processed().await.unwrap();
    let operation = dossier.create_package(PackageContent::file_types([DownloadFileType::Original])).await.unwrap();
    let handle = world.client.download(operation.id().parse::<documine::DownloadId>().unwrap());
    let begun = |package: &DownloadStatus| package.status.is_some();
    assert!(handle.until(begun).await.unwrap().status.is_some());
    assert_eq!(handle.until(Condition::ready()).await.unwrap().status, Some(DownloadState::Ready));
}

#[tokio::test]
async fn a_file_that_goes_back_to_work_is_not_settled() {
    let world = World::with(|builder| {
        let mut timing = documine_sim::Timing::default();
        timing.analysis_per_page = seconds(2);
        builder.timing(timing)
    })
    .await;
    let file = uploaded(&world).await;
    file.processed().await.unwrap();
    let before = world.requests("getFile").len();
    let start = world.sim.clock().now();
    // At the third look a rule changes, and the analysis begins anew.
    let (sim, id, looks) = (world.sim.control(), file.id().clone(), Mutex::new(0));
    let processed = move |file: &FileStatus| {
        let mut looks = looks.lock().unwrap();
        *looks += 1;
        if *looks == 3 {
            sim.reanalyse(id.as_str()).unwrap();
        }
        file.processing_status == Some(ProcessingStatus::Processed)
    };
    let states = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&states);
    let tell = move |state: &str| tell.lock().unwrap().push(state.to_owned());
    file.until(processed).settled_for(seconds(20)).on_state(tell).await.unwrap();
    let all = milliseconds(&world, "getFile", start);
    let looks = &all[all.len() - (world.requests("getFile").len() - before)..];
    let states = states.lock().unwrap();
    let back = states.iter().rposition(|state| state != "settling").unwrap();
    assert_eq!(states[back], "ANALYSE");
    // From the first look that finds it done again, twenty seconds without a break.
    assert_eq!(looks.last().unwrap() - looks[back + 1], 20_000, "{looks:?} {states:?}");
}

#[tokio::test]
async fn work_that_stands_still_is_told_apart_from_slow_work() {
    let world = stuck().await;
    let operation = package(&world).await;
    let error = operation.wait().with_stall_limit(seconds(120)).await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Stalled, "{error:?}");
    let unchanged_for = error.unchanged_for();
    assert!(unchanged_for >= seconds(120) && unchanged_for < seconds(136), "{unchanged_for:?}");
    assert!(error.last_state().is_some());
    let line = error.to_string();
    assert!(
        line.contains("stalled: no change for")
            && line.ends_with("contact the operators of the service, or raise the stall limit"),
        "{line}"
    );
    assert_eq!(documine::Error::from(error).kind(), ErrorKind::Operation);
    // Without that limit the deadline says how long nothing has changed.
    let error = operation.wait().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!((error.unchanged_for(), error.elapsed()), (seconds(600), seconds(600)));
}

#[tokio::test]
async fn what_was_made_a_moment_ago_may_not_be_known_everywhere_yet() {
    let world = World::new().await;
    let operation = package(&world).await;
    let start = world.sim.clock().now();
    world.sim.faults().add(Fault::on("getDownload").status(404).times(3));
    operation.wait().await.unwrap();
    assert_eq!(milliseconds(&world, "getDownload", start)[..4], [0, 500, 1_000, 1_700]);
    // Seen once, it can only be gone.
    world.sim.faults().add(Fault::on("getDownload").status(404).times(1));
    let known = world.client.download(operation.id().parse::<documine::DownloadId>().unwrap()).operation();
    let error = known.wait().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Gone, "{error:?}");
    assert_eq!((error.elapsed(), error.polls()), (Duration::ZERO, 1));
}

#[tokio::test]
async fn a_laptop_that_sleeps_uses_up_no_time_and_makes_no_storm() {
    let world = stuck().await;
    let operation = package(&world).await;
    let (time, pause) = (world.time.clone(), world.time.sleeps().len() + 3);
    let laptop = world.time.with_event(pause, move || time.pass(8 * 3600));
    let sim = &world.sim;
    let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
    let client =
        world.builder().clock(laptop).credentials(credentials.client_secret(sim.client_secret())).build().unwrap();
    let operation = client.download(operation.id().parse::<documine::DownloadId>().unwrap()).operation();
    let start = world.sim.clock().now();
    let error = operation.wait().with_deadline(seconds(60)).await.unwrap_err();
    assert_eq!(error.elapsed(), seconds(60), "the night does not count");
    let looks = milliseconds(&world, "getDownload", start);
    let night = 8 * 3_600_000;
    let awake: Vec<_> = looks.iter().map(|at| if *at > night { at - night } else { *at }).collect();
    assert_eq!(
        awake,
        [
            0, 500, 1_000, 1_700, 2_612, 3_744, 5_098, 6_679, 8_488, 10_527, 12_799, 15_303, 18_041, 21_015, 24_223,
            27_669, 31_351, 35_270, 39_428, 43_823, 48_457, 53_330, 58_442, 60_000,
        ]
    );
}

#[tokio::test]
async fn the_first_waits_tell_when_the_next_should_look() {
    let world = World::with(|builder| {
        let mut timing = documine_sim::Timing::default();
        timing.package_queue = seconds(20);
        builder.timing(timing)
    })
    .await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let mut looks = Vec::new();
    for _ in 0..4 {
        let content = PackageContent::file_types([DownloadFileType::Original]);
        let operation = dossier.create_package(content).await.unwrap();
        let (start, before) = (world.sim.clock().now(), world.requests("getDownload").len());
        operation.wait().await.unwrap();
        let count = world.requests("getDownload").len() - before;
        let all = milliseconds(&world, "getDownload", start);
        looks.push(all[all.len() - count..].to_vec());
    }
    let usual = [0, 500, 1_000, 1_700, 2_612, 3_744, 5_098, 6_679, 8_488, 10_527, 12_799, 15_303, 18_041, 21_015];
    assert_eq!(looks[..3], [usual, usual, usual]);
    // Of the 21 seconds that it took so far, six tenths are slept through.
    assert_eq!(looks[3], [0, 12_609, 15_094, 17_814, 20_768]);
}

/// Whoever sleeps by this clock is never woken by it.
#[derive(Debug)]
struct Spell(SimulatedTime);

impl Clock for Spell {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn random(&self) -> f64 {
        self.0.random()
    }
}

#[tokio::test]
async fn what_one_sees_all_who_wait_know_at_once() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let mut ids = Vec::new();
    for name in ["a.pdf", "b.pdf"] {
        ids.push(dossier.upload(Source::bytes(name, STUDY)).await.unwrap().id);
    }
    let sim = &world.sim;
    let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
    let builder = world.builder().credentials(credentials.client_secret(sim.client_secret()));
    let client = builder.clock(Spell(world.time.clone())).build().unwrap();
    let dossier = client.dossier_template(world.template_id()).dossier(dossier.id().clone());
    let sleeping = tokio::spawn(dossier.file(&ids[0]).processed().into_future());
    while world.requests("getFile").is_empty() {
        tokio::task::yield_now().await;
    }
    world.time.pass(60);
    dossier.file(&ids[1]).processed().await.unwrap();
    // Its own turn never comes.
    let woken = tokio::time::timeout(seconds(120), sleeping).await.expect("what the other one saw is told").unwrap();
    assert_eq!(woken.unwrap().id(), &ids[0]);
    assert_eq!((world.requests("getFile").len(), world.requests("getFiles").len()), (1, 1));
}

#[tokio::test]
async fn an_operation_is_taken_up_by_another_process_with_another_login() {
    let world = World::new().await;
    let operation = package(&world).await;
    let noted = serde_json::to_string(&operation.to_ref()).unwrap();
    let id = operation.id().to_owned();
    assert_eq!(
        noted,
        format!(r#"{{"version":1,"kind":"package","workspace":"{}","id":"{id}"}}"#, world.sim.workspace_id())
    );
    drop(operation);

    let other = world.client_with(
        Credentials::password(world.sim.client_id(), world.sim.username(), world.sim.password())
            .client_secret(world.sim.client_secret()),
    );
    let noted: OperationRef = serde_json::from_str(&noted).unwrap();
    assert_eq!((noted.id(), noted.workspace()), (id.as_str(), world.sim.workspace_id()));
    let operation = other.resume(&noted).unwrap();
    assert!(matches!(operation.poll_once().await.unwrap(), State::Working(_)));
    assert_eq!(operation.wait().await.unwrap().id().as_str(), id);

    let refused = |from: &str, to: &str| {
        let json = serde_json::to_string(&noted).unwrap().replace(from, to);
        let noted: OperationRef = serde_json::from_str(&json).unwrap();
        let error = other.resume(&noted).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        error.to_string()
    };
    assert_eq!(
        refused("\"version\":1", "\"version\":2"),
        "the operation reference has format version 2, but this build supports versions up to 1; update the program"
    );
    assert_eq!(refused("\"package\"", "\"upload\""), "the operation reference is to a \"upload\", not to a package");
    assert_eq!(
        refused(&format!("\"{}\"", world.sim.workspace_id()), "\"other\""),
        format!(
            "the operation belongs to workspace \"other\", but this client uses workspace {:?}",
            world.sim.workspace_id()
        )
    );
}
