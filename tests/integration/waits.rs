//! Waits beyond plain polling: conditions, stalled or restarted operations, system suspend, and operations resumed by another
//! process.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use documine::{
    BoxFuture, Clock, ErrorKind, FileHandle, PackageJob, RequestOptions, Source, TimeoutPhase,
    models::{DownloadState, DownloadStatus, FileStatus, ProcessingStatus},
    retry::RetryMode,
    wait::{Condition, PackageJobRef, PollState, WaitErrorKind},
};
use documine_sim::Fault;

use crate::harness::pdf_fixtures::STUDY;
use crate::harness::test_env::{SimulatedTime, TestEnv, header, originals};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Uploads a file without waiting for it.
async fn uploaded(env: &TestEnv) -> FileHandle {
    let dossier = env.dossier().await;
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    dossier.file(&uploaded.id)
}

async fn package(env: &TestEnv) -> PackageJob {
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    dossier.create_package(originals()).await.unwrap()
}

/// Creates an environment whose packages never progress.
async fn env_without_progress() -> TestEnv {
    TestEnv::with(|builder| {
        let mut timing = documine_sim::Timing::default();
        timing.package_queue = seconds(1_000_000);
        builder.timing(timing)
    })
    .await
}

fn milliseconds(env: &TestEnv, operation: &str, start: SystemTime) -> Vec<u128> {
    env.request_times(operation, start).iter().map(Duration::as_millis).collect()
}

#[tokio::test]
async fn waits_for_condition() {
    let env = TestEnv::new().await;
    let file = uploaded(&env).await;
    let observed = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&observed);
    let status = file
        .wait_until(|file: &FileStatus| file.processing_status != Some(ProcessingStatus::Unprocessed))
        .on_state(move |state| recorded.lock().unwrap().push(state.to_owned()))
        .await
        .unwrap();
    assert_ne!(status.processing_status, Some(ProcessingStatus::Unprocessed));
    assert!(observed.lock().unwrap().iter().all(|state| state == "UNPROCESSED"));
    let done = file.wait_until(Condition::processed()).await.unwrap();
    assert_eq!(done.processing_status, Some(ProcessingStatus::Processed));
    let both = Condition::processed().and(Condition::new(|file: &FileStatus| file.file_name.is_some()));
    assert_eq!(file.wait_until(both).await.unwrap().file_name.as_deref(), Some("study.pdf"));
}

#[tokio::test]
async fn failed_file_ends_only_wait_for_success() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.sim.control().fail_next_analysis("the scanner was dirty");
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let file = dossier.file(&uploaded.id);
    let error = file.wait_until(Condition::processed()).await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Failed, "{error:?}");
    assert_eq!((error.id(), error.last_state()), (file.id().as_str(), Some("ERROR")));
    let [failed] = error.failed_files() else { panic!("{error:?}") };
    assert_eq!((&failed.id, failed.error_message.as_deref()), (file.id(), Some("the scanner was dirty")));
    let status = file.wait_until(Condition::processed().or(Condition::failed())).await.unwrap();
    assert_eq!(status.processing_status, Some(ProcessingStatus::Error));
}

#[tokio::test]
async fn failed_wait_for_dossier_has_the_failed_files() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let _ = dossier.upload(Source::bytes("good.pdf", STUDY)).await.unwrap();
    let mut failed = Vec::new();
    for reason in ["the scanner was dirty", "the page is empty"] {
        env.sim.control().fail_next_analysis(reason);
        let uploaded = dossier.upload(Source::bytes(format!("{reason}.pdf"), STUDY)).await.unwrap();
        failed.push((uploaded.id, Some(reason.to_owned())));
    }
    let error = dossier.wait_until_processed().await.unwrap_err();
    let files: Vec<_> = error.failed_files().iter().map(|file| (file.id.clone(), file.error_message.clone())).collect();
    assert_eq!(files, failed);
    // The conversion of `?` keeps them.
    let error = documine::Error::from(error);
    let failed_files = error.detail::<documine::wait::WaitError>().unwrap().failed_files();
    assert_eq!(failed_files.len(), 2);
}

#[tokio::test]
async fn deadline_and_stall_of_dossier_report_unfinished_and_failed_files() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let mut ids = Vec::new();
    for name in ["a.pdf", "b.pdf", "c.pdf", "d.pdf", "e.pdf"] {
        ids.push(dossier.upload(Source::bytes(name, STUDY)).await.unwrap().id);
    }
    let state = |path: String, value: &str| serde_json::json!({"op": "replace", "path": path, "value": value});
    let states = ["ERROR", "ANALYSE", "ANALYSE", "ANALYSE", "ANALYSE"].into_iter().enumerate();
    let states: Vec<_> = states.map(|(n, value)| state(format!("/files/{n}/processingStatus"), value)).collect();
    env.add_fault(Fault::on("getFiles").patch(&serde_json::json!(states).to_string()));
    let states = serde_json::json!([state("/processingStatus".into(), "ANALYSE")]);
    env.add_fault(Fault::on("getFile").patch(&states.to_string()));
    let wait = || dossier.wait_until_processed();
    for (kind, wait) in [
        (WaitErrorKind::DeadlineExceeded, wait().with_deadline(seconds(60))),
        (WaitErrorKind::Stalled, wait().with_stall_timeout(seconds(60))),
    ] {
        let error = wait.await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        let of = |files: &[FileStatus]| files.iter().map(|file| file.id.clone()).collect::<Vec<_>>();
        assert_eq!((of(error.failed_files()), of(error.unfinished_files())), (ids[..1].to_vec(), ids[1..].to_vec()));
        let line = error.to_string();
        let named = "; last state: 1 of 5 files processed; unfinished: b.pdf, c.pdf, d.pdf and 1 more; ";
        assert!(line.contains(named), "{line}");
    }
    let error = dossier.file(&ids[1]).wait_until_processed().with_deadline(seconds(60)).await.unwrap_err();
    assert_eq!((error.unfinished_files().len(), error.failed_files().len()), (1, 0), "{error:?}");
    assert!(error.to_string().contains("; unfinished: b.pdf; "), "{error}");
}

#[tokio::test]
async fn wait_for_dossier_ignores_file_in_state_deleted() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let _ = dossier.upload(Source::bytes("second.pdf", STUDY)).await.unwrap();
    let deleted = serde_json::json!([{"op": "replace", "path": "/files/0/processingStatus", "value": "DELETED"}]);
    env.add_fault(Fault::on("getFiles").patch(&deleted.to_string()));
    assert_eq!(dossier.wait_until_processed().await.unwrap().len(), 2);
}

#[tokio::test]
async fn request_options_apply_to_each_poll() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let before = env.requests("getFile").len();
    let options = RequestOptions::new().with_header("x-request-source", "nightly").with_retry_mode(RetryMode::Never);
    let sources = |operation: &str, before: usize| -> Vec<_> {
        env.requests(operation)[before..].iter().map(|request| header(request, "x-request-source")).collect()
    };
    // Without retries, each failed attempt is a poll.
    env.add_fault(Fault::on("getFile").status(503).times(2));
    let polls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&polls);
    env.sim.control().reanalyse(file.id().as_str()).unwrap();
    file.wait_until_processed()
        .with_options(options.clone())
        .on_state(move |_| *counted.lock().unwrap() += 1)
        .await
        .unwrap();
    let sent = sources("getFile", before);
    assert!(sent.iter().all(|source| source.as_deref() == Some("nightly")), "{sent:?}");
    assert_eq!(sent.len(), *polls.lock().unwrap() + 3, "two failed polls and the last one report no state");

    let before = env.requests("getFiles").len();
    dossier.wait_until_processed().with_options(options.clone()).await.unwrap();
    assert_eq!(sources("getFiles", before), [Some("nightly".to_owned())]);
    let job = dossier.create_package(originals()).await.unwrap();
    assert!(matches!(job.wait().with_options(options.clone()).poll_once().await.unwrap(), PollState::Working(_)));
    job.cancel().with_options(options).await.unwrap();
    assert_eq!(sources("getDownload", 0), [Some("nightly".to_owned())]);
    assert_eq!(sources("deleteDownload", 0), [Some("nightly".to_owned())]);
}

#[tokio::test]
async fn wait_with_invalid_header_sends_nothing() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let before = env.sim.requests().len();
    let wait = || file.wait_until_processed().with_header("content-length", "1");
    for error in [wait().send().await.unwrap_err(), wait().poll_once().await.map(drop).unwrap_err()] {
        assert_eq!(error.kind(), WaitErrorKind::Poll);
        let error = documine::Error::from(error);
        assert!(error.kind() == ErrorKind::Input && !error.was_sent(), "{error:?}");
    }
    assert_eq!(env.sim.requests().len(), before);
}

#[tokio::test]
async fn error_at_the_deadline_of_an_outage_has_the_last_poll_error() {
    let env = TestEnv::new().await;
    let file = uploaded(&env).await;
    env.add_fault(Fault::on("getFile").status(503).header("X-Request-Id", "r-1"));
    let error = file.wait_until_processed().with_deadline(seconds(30)).await.unwrap_err();
    assert_eq!((error.kind(), error.last_state()), (WaitErrorKind::DeadlineExceeded, None));
    assert!(error.is_transient());
    assert_eq!(error.poll_error().unwrap().status().unwrap().as_u16(), 503);
    let (elapsed, polls) = (error.elapsed(), error.polls());
    let error = documine::Error::from(error);
    assert_eq!((error.elapsed(), error.attempts()), (elapsed, polls));
    assert_eq!((error.operation(), error.request_id()), (Some("getFile"), Some("r-1")));
    assert_eq!(error.timeout_phase(), Some(TimeoutPhase::Wait));
}

#[tokio::test]
async fn waits_for_dossier_and_package_with_condition() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    for name in ["a.pdf", "b.pdf", "c.pdf"] {
        let _uploaded = dossier.upload(Source::bytes(name, STUDY)).await.unwrap();
    }
    let named = |files: &Vec<FileStatus>| files.iter().filter(|file| file.file_name.is_some()).count() == 3;
    assert_eq!(dossier.wait_until_files(named).await.unwrap().len(), 3);
    dossier.wait_until_processed().await.unwrap();
    let operation = dossier.create_package(originals()).await.unwrap();
    let handle = env.client.download(operation.id().clone());
    let started = |package: &DownloadStatus| package.status.is_some();
    assert!(handle.wait_until(started).await.unwrap().status.is_some());
    assert_eq!(handle.wait_until(Condition::ready()).await.unwrap().status, Some(DownloadState::Ready));
}

#[tokio::test]
async fn settled_wait_restarts_after_reanalysis() {
    let env = TestEnv::with(|builder| {
        let mut timing = documine_sim::Timing::default();
        timing.analysis_per_page = seconds(2);
        builder.timing(timing)
    })
    .await;
    let file = uploaded(&env).await;
    file.wait_until_processed().await.unwrap();
    let before = env.requests("getFile").len();
    let start = env.sim.clock().now();
    // At the third poll a rule changes and the analysis restarts.
    let (sim, id, polls) = (env.sim.control(), file.id().clone(), Mutex::new(0));
    let processed = move |file: &FileStatus| {
        let mut polls = polls.lock().unwrap();
        *polls += 1;
        if *polls == 3 {
            sim.reanalyse(id.as_str()).unwrap();
        }
        file.processing_status == Some(ProcessingStatus::Processed)
    };
    let states = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&states);
    let recorded = move |state: &str| recorded.lock().unwrap().push(state.to_owned());
    file.wait_until(processed).stable_for(seconds(20)).on_state(recorded).await.unwrap();
    let all = milliseconds(&env, "getFile", start);
    let polls = &all[all.len() - (env.requests("getFile").len() - before)..];
    let states = states.lock().unwrap();
    let reanalysed = states.iter().rposition(|state| state != "settling").unwrap();
    assert_eq!(states[reanalysed], "ANALYSE");
    // The file stays processed for twenty seconds from the first poll that finds it processed again.
    assert_eq!(polls.last().unwrap() - polls[reanalysed + 1], 20_000, "{polls:?} {states:?}");
}

#[tokio::test]
async fn reports_stalled_operation() {
    let env = env_without_progress().await;
    let operation = package(&env).await;
    let error = operation.wait().with_stall_timeout(seconds(120)).await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Stalled, "{error:?}");
    let unchanged_for = error.unchanged_for();
    assert!(unchanged_for >= seconds(120) && unchanged_for < seconds(136), "{unchanged_for:?}");
    assert!(error.last_state().is_some());
    let line = error.to_string();
    assert!(
        line.contains("stalled: no change for")
            && line
                .ends_with("raise the stall timeout if the work is only slow, or contact the operators of the service"),
        "{line}"
    );
    assert_eq!(documine::Error::from(error).kind(), ErrorKind::Operation);
    // Without a stall timeout, the deadline error reports the time without change.
    let error = operation.wait().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!((error.unchanged_for(), error.elapsed()), (seconds(600), seconds(600)));
}

#[tokio::test]
async fn tolerates_404_for_new_package() {
    let env = TestEnv::new().await;
    let operation = package(&env).await;
    let start = env.sim.clock().now();
    env.add_fault(Fault::on("getDownload").status(404).times(3));
    operation.wait().await.unwrap();
    assert_eq!(milliseconds(&env, "getDownload", start)[..4], [0, 500, 1_000, 1_700]);
    // A package that was seen once can only be deleted.
    env.add_fault(Fault::on("getDownload").status(404).times(1));
    let known = env.client.download(operation.id().clone()).job();
    let error = known.wait().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Gone, "{error:?}");
    assert_eq!((error.elapsed(), error.polls()), (Duration::ZERO, 1));
}

#[tokio::test]
async fn suspended_machine_uses_no_wait_time_and_polls_normally() {
    let env = env_without_progress().await;
    let operation = package(&env).await;
    let (time, delay) = (env.time.clone(), env.time.sleeps().len() + 3);
    let suspending_clock = env.time.with_event(delay, move || time.advance(8 * 3600));
    let client = env.builder().clock(suspending_clock).build().unwrap();
    let operation = client.download(operation.id().clone()).job();
    let start = env.sim.clock().now();
    let error = operation.wait().with_deadline(seconds(60)).await.unwrap_err();
    assert_eq!(error.elapsed(), seconds(60), "suspend time does not count");
    let polls = milliseconds(&env, "getDownload", start);
    let suspended = 8 * 3_600_000;
    let poll_times: Vec<_> = polls.iter().map(|at| if *at > suspended { at - suspended } else { *at }).collect();
    assert_eq!(
        poll_times,
        [
            0, 500, 1_000, 1_700, 2_612, 3_744, 5_098, 6_679, 8_488, 10_527, 12_799, 15_303, 18_041, 21_015, 24_223,
            27_669, 31_351, 35_270, 39_428, 43_823, 48_457, 53_330, 58_442, 60_000,
        ]
    );
}

#[tokio::test]
async fn learns_first_poll_time_from_earlier_waits() {
    let env = TestEnv::with(|builder| {
        let mut timing = documine_sim::Timing::default();
        timing.package_queue = seconds(20);
        builder.timing(timing)
    })
    .await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let mut polls = Vec::new();
    for _ in 0..4 {
        let operation = dossier.create_package(originals()).await.unwrap();
        let (start, before) = (env.sim.clock().now(), env.requests("getDownload").len());
        operation.wait().await.unwrap();
        let count = env.requests("getDownload").len() - before;
        let all = milliseconds(&env, "getDownload", start);
        polls.push(all[all.len() - count..].to_vec());
    }
    let default_polls =
        [0, 500, 1_000, 1_700, 2_612, 3_744, 5_098, 6_679, 8_488, 10_527, 12_799, 15_303, 18_041, 21_015];
    assert_eq!(polls[..3], [default_polls, default_polls, default_polls]);
    // Polling starts after six tenths of the learned 21 seconds.
    assert_eq!(polls[3], [0, 12_609, 15_094, 17_814, 20_768]);
}

/// A clock whose sleeps never end.
#[derive(Debug)]
struct StoppedClock(SimulatedTime);

impl Clock for StoppedClock {
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
async fn shares_poll_results_with_other_waits() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let mut ids = Vec::new();
    for name in ["a.pdf", "b.pdf"] {
        ids.push(dossier.upload(Source::bytes(name, STUDY)).await.unwrap().id);
    }
    let client = env.builder().clock(StoppedClock(env.time.clone())).build().unwrap();
    let dossier = client.dossier_template(env.template_id()).dossier(dossier.id().clone());
    let sleeping = tokio::spawn(dossier.file(&ids[0]).wait_until_processed().into_future());
    while env.requests("getFile").is_empty() {
        tokio::task::yield_now().await;
    }
    env.time.advance(60);
    dossier.file(&ids[1]).wait_until_processed().await.unwrap();
    // The first wait never wakes up to poll.
    let woken =
        tokio::time::timeout(seconds(120), sleeping).await.expect("the wait is woken by the other poll").unwrap();
    assert_eq!(woken.unwrap().id(), &ids[0]);
    assert_eq!((env.requests("getFile").len(), env.requests("getFiles").len()), (1, 1));
}

#[tokio::test]
async fn resumes_operation_in_another_process_with_another_login() {
    let env = TestEnv::new().await;
    let operation = package(&env).await;
    let reference = serde_json::to_string(&operation.to_ref()).unwrap();
    let id = operation.id().to_owned();
    assert_eq!(
        reference,
        format!(r#"{{"version":1,"kind":"package","workspace":"{}","id":"{id}"}}"#, env.sim.workspace_id())
    );
    drop(operation);

    let other = env.builder().build().unwrap();
    let reference: PackageJobRef = serde_json::from_str(&reference).unwrap();
    assert_eq!((reference.id(), reference.workspace()), (id.as_str(), env.sim.workspace_id()));
    let operation = other.resume(&reference).unwrap();
    assert!(matches!(operation.poll_once().await.unwrap(), PollState::Working(_)));
    assert_eq!(operation.wait().await.unwrap().id(), &id);

    let refused = |from: &str, to: &str| {
        let json = serde_json::to_string(&reference).unwrap().replace(from, to);
        let reference: PackageJobRef = serde_json::from_str(&json).unwrap();
        let error = other.resume(&reference).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        error.to_string()
    };
    assert_eq!(
        refused("\"version\":1", "\"version\":2"),
        "the operation reference has format version 2, but this build supports versions up to 1; update the program"
    );
    assert_eq!(refused("\"package\"", "\"upload\""), "the operation reference is to a \"upload\", not to a package");
    assert_eq!(
        refused(&format!("\"{}\"", env.sim.workspace_id()), "\"other\""),
        format!(
            "the operation belongs to workspace \"other\", but this client uses workspace {:?}",
            env.sim.workspace_id()
        )
    );
}
