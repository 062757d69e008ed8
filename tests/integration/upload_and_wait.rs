//! Upload and wait for a file: how the file is sent, how often the service is polled, and how waits end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    ErrorKind, Source,
    models::ProcessingStatus,
    wait::{PollState, WaitErrorKind},
};
use documine_sim::Fault;
use futures_util::TryStreamExt;

use crate::harness::pdf_fixtures::{INVOICE, SCAN, STUDY, big_pdf, study_on_disk};
use crate::harness::test_env::{TestEnv, header, upload_processed};

/// Poll times in milliseconds: immediately, then at growing intervals.
const POLL_TIMES: [u64; 6] = [0, 500, 1000, 1700, 2612, 3744];

fn millis(request_times: &[Duration]) -> Vec<u64> {
    request_times.iter().map(|instant| u64::try_from(instant.as_millis()).unwrap()).collect()
}

/// Progress calls of an upload.
type ProgressCalls = Arc<Mutex<Vec<(u64, Option<u64>)>>>;

fn record_progress(progress: &ProgressCalls) -> impl Fn(u64, Option<u64>) + Send + Sync + 'static {
    let progress = Arc::clone(progress);
    move |moved, total| progress.lock().unwrap().push((moved, total))
}

#[tokio::test]
async fn uploads_and_processes_file_from_disk() {
    let env = TestEnv::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Bericht für Zürich (1).pdf");
    std::fs::write(&path, STUDY).unwrap();
    let dossier = env.dossier().await;
    let uploaded = dossier.upload(Source::path(&path)).await.unwrap();
    assert_eq!(uploaded.ids(), std::slice::from_ref(&uploaded.id));
    let file = uploaded.wait_until_processed().await.unwrap();
    assert_eq!(file.id(), &uploaded.id);
    let status = file.get().await.unwrap();
    assert_eq!(status.file_name.as_deref(), Some("Bericht für Zürich (1).pdf"));
    assert_eq!(status.processing_status, Some(ProcessingStatus::Processed));
    assert_eq!(status.number_of_pages, Some(4));
    assert_eq!(status.file_size, Some(i64::try_from(STUDY.len()).unwrap()));
    assert_eq!(dossier.files().await.unwrap(), [status]);
}

#[tokio::test]
async fn announces_exact_length_of_upload() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let (_folder, path) = study_on_disk();
    let _ = dossier.upload(Source::path(&path)).await.unwrap();
    let _ = dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.unwrap();
    for (request, content) in env.requests("uploadFile").iter().zip([STUDY, INVOICE]) {
        let announced: u64 = header(request, "content-length").unwrap().parse().unwrap();
        assert_eq!(announced, request.request_bytes);
        assert!(announced > content.len() as u64);
        assert_eq!(header(request, "transfer-encoding"), None);
        assert!(header(request, "content-type").unwrap().starts_with("multipart/form-data; boundary="));
    }
}

#[tokio::test]
async fn reports_upload_progress_to_the_last_byte() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.pdf");
    let big = big_pdf("Batch number: X-1", 300_000);
    let size = big.len() as u64;
    std::fs::write(&path, &big).unwrap();
    for source in [Source::path(&path), Source::bytes("again.pdf", big.clone())] {
        let progress = ProgressCalls::default();
        let _ = dossier.upload(source).with_progress(record_progress(&progress)).await.unwrap();
        let progress = progress.lock().unwrap();
        assert!(progress.len() >= 4 && progress.windows(2).all(|two| two[0].0 < two[1].0), "{progress:?}");
        assert!(progress.iter().all(|(_, total)| *total == Some(size)));
        assert_eq!(progress.last(), Some(&(size, Some(size))));
    }
}

#[tokio::test]
async fn derives_media_type_from_name_unless_given() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let _ = dossier.upload(Source::bytes("a.pdf", INVOICE)).await.unwrap();
    let _ =
        dossier.upload(Source::bytes("b", INVOICE).file_name("c.pdf").content_type("application/pdf")).await.unwrap();
    let names: Vec<_> = dossier.files().await.unwrap().into_iter().filter_map(|file| file.file_name).collect();
    assert_eq!(names, ["a.pdf", "c.pdf"]);
    let error =
        dossier.upload(Source::bytes("d.pdf", INVOICE).content_type("no media type")).await.map(drop).unwrap_err();
    assert_eq!(error.to_string(), r#"uploadFile: invalid media type "no media type"; use a form like application/pdf"#);
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(!error.was_sent());
    assert_eq!(env.requests("uploadFile").len(), 2);
}

#[tokio::test]
async fn polls_immediately_and_then_with_growing_intervals() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let start = env.sim.clock().now();
    let observed = Arc::new(Mutex::new(Vec::new()));
    let states = Arc::clone(&observed);
    uploaded.wait_until_processed().on_state(move |state| states.lock().unwrap().push(state.to_owned())).await.unwrap();
    assert_eq!(millis(&env.request_times("getFile", start)), POLL_TIMES[..4]);
    assert_eq!(*observed.lock().unwrap(), ["UNPROCESSED", "PROCESSING", "ANALYSE"]);
}

#[tokio::test]
async fn streams_states_of_wait() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("scan.pdf", SCAN)).await.unwrap();
    let states: Vec<_> = uploaded.wait_until_processed().states().try_collect().await.unwrap();
    let words: Vec<_> = states
        .iter()
        .map(|state| match state {
            PollState::Working(name) => name.clone(),
            PollState::Done(file) => format!("done: {}", file.id() == &uploaded.id),
            _ => panic!("unexpected state"),
        })
        .collect();
    assert_eq!(words, ["UNPROCESSED", "OCR_PROCESSING_QUEUED", "OCR_PROCESSING", "OCR_PROCESSING", "done: true"]);
}

#[tokio::test]
async fn polls_processed_file_once() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let start = env.sim.clock().now() + Duration::from_millis(1);
    env.time.advance(1);
    let now = env.sim.clock().now();
    file.wait_until_processed().await.unwrap();
    assert_eq!(env.sim.clock().now(), now);
    assert_eq!(env.request_times("getFile", start).len(), 1);
}

#[tokio::test]
async fn polls_whole_dossier_with_one_list_request() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    for number in 0..12 {
        let _ = dossier.upload(Source::bytes(format!("{number}.pdf"), INVOICE)).await.unwrap();
    }
    let _ = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let start = env.sim.clock().now();
    let observed = Arc::new(Mutex::new(Vec::new()));
    let states = Arc::clone(&observed);
    let files = dossier
        .wait_until_processed()
        .on_state(move |state| states.lock().unwrap().push(state.to_owned()))
        .await
        .unwrap();
    assert_eq!(files.len(), 13);
    assert!(files.iter().all(|file| file.processing_status == Some(ProcessingStatus::Processed)));
    assert_eq!(millis(&env.request_times("getFiles", start)), POLL_TIMES[..4]);
    assert_eq!(env.requests("getFile").len(), 0);
    assert_eq!(
        *observed.lock().unwrap(),
        ["0 of 13 files processed", "0 of 13 files processed", "12 of 13 files processed"]
    );
}

#[tokio::test]
async fn empty_dossier_is_processed() {
    let env = TestEnv::new().await;
    assert_eq!(env.dossier().await.wait_until_processed().await.unwrap(), []);
}

#[tokio::test]
async fn ignores_files_in_trash() {
    let env = TestEnv::new().await;
    let (dossier, processed) = env.processed_file("study.pdf", STUDY).await;
    let uploaded = dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.unwrap();
    dossier.file(&uploaded.id).delete().await.unwrap();
    let start = env.sim.clock().now();
    let files = dossier.wait_until_processed().await.unwrap();
    assert_eq!(files[0].id, *processed.id());
    assert_eq!(millis(&env.request_times("getFiles", start)), [0]);
}

#[tokio::test]
async fn fails_for_file_excluded_from_analysis() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let uploaded = dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.unwrap();
    env.sim.control().exclude_file(uploaded.id.as_str(), true).unwrap();
    let error = uploaded.wait_until_processed().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "file {} ended in state UNPROCESSED: the file is excluded from the analysis and will never be processed",
            uploaded.id
        )
    );
    assert_eq!(dossier.wait_until_processed().await.unwrap().len(), 2);
    env.sim.control().exclude_file(uploaded.id.as_str(), false).unwrap();
    uploaded.wait_until_processed().await.unwrap();
}

#[tokio::test]
async fn polls_once_more_at_deadline_and_reports_last_state() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("scan.pdf", SCAN)).await.unwrap();
    let start = env.sim.clock().now();
    let error = uploaded.wait_until_processed().with_deadline(Duration::from_millis(1700)).await.unwrap_err();
    assert_eq!(millis(&env.request_times("getFile", start)), [0, 500, 1000, 1700]);
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!(error.last_state(), Some("OCR_PROCESSING"));
    assert_eq!((error.elapsed(), error.polls()), (Duration::from_millis(1700), 4));
    assert_eq!(error.target(), format!("file {}", uploaded.id));
    let line = format!(
        "timed out after 2s (4 polls) waiting for file {}; last state: OCR_PROCESSING; unfinished: scan.pdf; processing continues on the server, wait again with a later deadline",
        uploaded.id
    );
    assert_eq!(error.to_string(), line);
    let error = documine::Error::from(error);
    assert!(error.is_timeout() && error.is_transient());
    assert_eq!(format!("{error:#}"), line);
    // The next wait succeeds.
    uploaded.wait_until_processed().await.unwrap();
}

#[tokio::test]
async fn succeeds_when_last_poll_at_deadline_is_done() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("scan.pdf", SCAN)).await.unwrap();
    let start = env.sim.clock().now();
    uploaded.wait_until_processed().with_deadline(Duration::from_millis(2300)).await.unwrap();
    assert_eq!(millis(&env.request_times("getFile", start)), [0, 500, 1000, 1700, 2300]);
}

#[tokio::test]
async fn zero_deadline_polls_once() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let error = uploaded.wait_until_processed().with_deadline(Duration::ZERO).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.polls(), error.elapsed()),
        (WaitErrorKind::DeadlineExceeded, 1, Duration::ZERO),
        "{error:?}"
    );
    assert_eq!(env.requests("getFile").len(), 1);
}

#[tokio::test]
async fn treats_unknown_state_as_unfinished() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let patch = serde_json::json!([{"op": "replace", "path": "/processingStatus", "value": "DREAMING"}]);
    env.add_fault(Fault::on("getFile").patch(&patch.to_string()).times(5));
    let states: Vec<_> = uploaded.wait_until_processed().states().try_collect().await.unwrap();
    let words: Vec<_> =
        states.iter().map(|state| matches!(state, PollState::Working(name) if name == "DREAMING")).collect();
    assert_eq!(words, [true, true, true, true, true, false]);
}

#[tokio::test]
async fn continues_after_temporary_errors() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    // Each poll makes four attempts, so five rejections exceed one poll.
    env.add_fault(Fault::on("getFile").status(503).times(5));
    uploaded.wait_until_processed().await.unwrap();
    assert_eq!(env.requests("getFile").iter().filter(|request| request.status == 503).count(), 5);
}

#[tokio::test]
async fn ends_with_reason_of_permanent_error() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    env.add_fault(Fault::on("getFile").status(403).body("application/json", r#"{"message":"Not for you."}"#));
    let error = uploaded.wait_until_processed().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Poll);
    assert_eq!(error.to_string(), format!("failed to read the state of file {}", uploaded.id));
    assert_eq!(error.poll_error().unwrap().to_string(), "getFile: 403 Forbidden: Not for you.");
    let error = documine::Error::from(error);
    assert_eq!(error.to_string(), format!("getFile: failed to read the state of file {}", uploaded.id));
    assert_eq!(error.api_message(), Some("Not for you."));
    assert_eq!(env.requests("getFile").len(), 1);
}

#[tokio::test]
async fn reports_reason_of_failed_analysis() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    upload_processed(&dossier, "invoice.pdf", INVOICE).await;
    env.sim.control().fail_next_analysis("The rules could not be applied.");
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let error = uploaded.wait_until_processed().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Failed, "{error:?}");
    assert_eq!((error.last_state(), error.message()), (Some("ERROR"), Some("The rules could not be applied.")));
    assert_eq!(
        error.to_string(),
        format!("file {} ended in state ERROR: The rules could not be applied.", uploaded.id)
    );
    assert_eq!(documine::Error::from(error).kind(), ErrorKind::Operation);

    let error = dossier.wait_until_processed().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "analysis of dossier {} ended in state ERROR: 1 of 2 files: study.pdf: The rules could not be applied.",
            dossier.id()
        )
    );
}

#[tokio::test]
async fn reports_deleted_file() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    dossier.file(&uploaded.id).delete().await.unwrap();
    let error = uploaded.wait_until_processed().await.unwrap_err();
    assert_eq!(error.to_string(), format!("file {} ended in state DELETED: the file was deleted", uploaded.id));
    dossier.file(&uploaded.id).delete().permanently(true).await.unwrap();
    let error = uploaded.wait_until_processed().await.unwrap_err();
    assert_eq!(error.to_string(), format!("file {} no longer exists; last state: unknown", uploaded.id));
    assert_eq!(error.kind(), WaitErrorKind::Gone);
}
