//! Problems that users of document processing services report most often, beyond those covered by other tests.

use std::time::Duration;

use documine::{
    Clock, ErrorKind, Source,
    models::{DossierId, FileId},
    retry::RetryMode,
    wait::{PollState, WaitErrorKind},
};
use documine_sim::Fault;
use futures_util::stream;

use crate::harness::field_recorder::FieldRecorder;
use crate::harness::pdf_fixtures::{STUDY, study_on_disk};
use crate::harness::test_env::{TestEnv, originals};

/// Sets the file's state in every poll.
fn file_state(state: &str) -> Fault {
    let patch = serde_json::json!([{"op": "replace", "path": "/processingStatus", "value": state}]);
    Fault::on("getFile").patch(&patch.to_string())
}

fn from_stream() -> Source {
    let chunks = stream::iter(STUDY.chunks(1_000).map(Ok::<_, std::io::Error>));
    Source::from_stream("study.pdf", STUDY.len() as u64, chunks)
}

#[tokio::test]
async fn reports_stuck_file_with_id_state_and_elapsed_time_and_allows_a_later_wait() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    // The source is a stream: continuing needs no request body.
    let uploaded = dossier.upload(from_stream()).await.unwrap();
    let saved_ids = [dossier.id().to_string(), uploaded.id.to_string()];
    env.add_fault(file_state("OCR_PROCESSING"));
    let start = env.time.monotonic();
    let error = uploaded.wait_until_processed().await.unwrap_err();
    // The default deadline applies.
    let limit = Duration::from_secs(30 * 60);
    assert_eq!(env.time.monotonic(), start + limit);
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!((error.id(), error.last_state()), (uploaded.id.as_str(), Some("OCR_PROCESSING")));
    assert_eq!((error.unchanged_for(), error.elapsed()), (limit, limit));
    let message = error.to_string();
    assert!(
        message.contains(uploaded.id.as_str()) && message.contains("after 1800s") && message.contains("OCR_PROCESSING"),
        "{message}"
    );

    env.sim.faults().clear();
    let [dossier, file] = saved_ids;
    let template = env.builder().build().unwrap().dossier_template(env.template_id());
    let file = template.dossier(dossier.parse::<DossierId>().unwrap()).file(file.parse::<FileId>().unwrap());
    assert_eq!(file.wait_until_processed().await.unwrap().id(), &uploaded.id);
}

#[tokio::test]
async fn does_not_treat_unknown_final_looking_state_as_final() {
    for state in ["COMPLETED", "CANCELLED", "EXPIRED", "PARTIALLY_FAILED", "DONE"] {
        let env = TestEnv::new().await;
        let uploaded = env.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
        env.add_fault(file_state(state));
        let error = uploaded.wait_until_processed().with_deadline(Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{state}: {error:?}");
        assert_eq!(error.last_state(), Some(state));
        assert!(error.to_string().contains(&format!("last state: {state};")), "{error}");
        // Unknown fields do not delay a wait for a finished file.
        env.sim.faults().clear();
        let more =
            r#"[{"op":"add","path":"/subStatus","value":"RUNNING"},{"op":"add","path":"/percentDone","value":40}]"#;
        env.add_fault(Fault::on("getFile").patch(more));
        uploaded.wait_until_processed().with_deadline(Duration::ZERO).await.unwrap();
    }
}

#[tokio::test]
async fn reports_failed_analysis_and_leaves_source_file_untouched() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let (folder, path) = study_on_disk();
    env.sim.control().fail_next_analysis("The rules could not be applied.");
    let uploaded = dossier.upload(Source::path(&path)).await.unwrap();
    let error = uploaded.wait_until_processed().await.unwrap_err();
    assert_eq!((error.kind(), error.id()), (WaitErrorKind::Failed, uploaded.id.as_str()), "{error:?}");
    assert_eq!(documine::Error::from(error).kind(), ErrorKind::Operation);
    dossier.upload(Source::path(&path)).await.unwrap().wait_until_processed().await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), STUDY, "the source file is unchanged");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn retried_upload_sends_whole_file_again() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let (_folder, path) = study_on_disk();
    let chunks = || stream::iter(STUDY.chunks(1_000).map(Ok::<_, std::io::Error>));
    let sources = [
        Source::path(&path),
        Source::bytes("study.pdf", STUDY),
        Source::from_stream_fn("study.pdf", STUDY.len() as u64, chunks),
    ];
    for source in sources {
        for fault in [Fault::on("uploadFile").reset_before_headers(), Fault::on("uploadFile").token_expired()] {
            let before = env.requests("uploadFile").len();
            env.add_fault(fault.times(1));
            let uploaded = dossier.upload(source.clone()).with_retry_mode(RetryMode::EvenIfSent).await.unwrap();
            uploaded.wait_until_processed().await.unwrap();
            let sent: Vec<_> =
                env.requests("uploadFile")[before..].iter().map(|request| request.request_bytes).collect();
            assert!(sent.len() == 2 && sent[0] == sent[1] && sent[0] > STUDY.len() as u64, "{source:?}: {sent:?}");
        }
    }
}

#[tokio::test]
async fn temporary_poll_error_is_an_error_of_poll_once_and_does_not_end_the_wait() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    assert!(matches!(operation.poll_once().await.unwrap(), PollState::Working(state) if state == "QUEUED"));
    for fault in [
        Fault::on("getDownload").status(503),
        Fault::on("getDownload").reset_before_headers(),
        Fault::on("getDownload").bad_gateway_page(),
    ] {
        env.add_fault(fault);
        let error = operation.poll_once().await.unwrap_err();
        assert!(error.kind() == WaitErrorKind::Poll && error.is_transient(), "{error:?}");
        assert!(error.poll_error().is_some_and(documine::Error::is_transient), "{error:?}");
        let error = documine::Error::from(error);
        assert!(error.is_transient() && error.operation() == Some("getDownload"), "{error:?}");
        env.sim.faults().clear();
    }
    operation.wait().await.unwrap();
}

#[tokio::test]
async fn logs_poll_delays_of_wait() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let recorder = FieldRecorder::sdk_events();
    {
        let _guard = tracing::subscriber::set_default(recorder.clone());
        uploaded.wait_until_processed().await.unwrap();
    }
    let lines = recorder.lines();
    let delays = lines.iter().filter_map(|line| line.strip_prefix("pause_ms="));
    let observed: Vec<u128> = delays.map(|delay| delay.parse().unwrap()).collect();
    let slept: Vec<_> = env.time.sleeps().iter().map(Duration::as_millis).collect();
    assert!(!observed.is_empty());
    assert_eq!(observed, slept);
    let fields = recorder.text();
    assert!(fields.contains("waits_for=File") && !fields.contains(uploaded.id.as_str()), "{fields}");
}
