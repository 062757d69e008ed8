//! What people complain about most where documents are sent away to be read, and how it goes here. What other stories tell already is not told again.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use documine::{Clock, Credentials, DossierId, ErrorKind, FileId, Retry, Source, State, WaitErrorKind};
use documine_sim::Fault;
use futures_util::stream;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::paper::STUDY;
use crate::world::World;

/// The file's state is this word, at every look.
fn says(state: &str) -> Fault {
    let patch = serde_json::json!([{"op": "replace", "path": "/processingStatus", "value": state}]);
    Fault::on("getFile").patch(&patch.to_string())
}

/// Another client, as another process has it.
fn another(world: &World) -> documine::Client {
    let sim = &world.sim;
    let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
    world.client_with(credentials.client_secret(sim.client_secret()))
}

fn from_stream() -> Source {
    let pieces = stream::iter(STUDY.chunks(1_000).map(|piece| Ok(Bytes::from_static(piece))));
    Source::stream("study.pdf", STUDY.len() as u64, pieces)
}

#[tokio::test]
async fn work_that_hangs_is_told_with_its_id_its_state_and_its_time_and_is_found_again_elsewhere() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    // From a stream: nothing of the body is needed to go on.
    let uploaded = dossier.upload(from_stream()).await.unwrap();
    let noted = [dossier.id().to_string(), uploaded.id.to_string()];
    world.sim.faults().add(says("OCR_PROCESSING"));
    let begun = world.time.monotonic();
    let error = uploaded.processed().await.unwrap_err();
    // Nobody has set a limit.
    let limit = Duration::from_secs(30 * 60);
    assert_eq!(world.time.monotonic(), begun + limit);
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!((error.id(), error.last_state()), (uploaded.id.as_str(), Some("OCR_PROCESSING")));
    assert_eq!((error.unchanged_for(), error.elapsed()), (limit, limit));
    let line = error.to_string();
    assert!(
        line.contains(uploaded.id.as_str()) && line.contains("after 1800s") && line.contains("OCR_PROCESSING"),
        "{line}"
    );

    world.sim.faults().clear();
    let [dossier, file] = noted;
    let template = another(&world).dossier_template(world.template_id());
    let file = template.dossier(dossier.parse::<DossierId>().unwrap()).file(file.parse::<FileId>().unwrap());
    assert_eq!(file.processed().await.unwrap().id(), &uploaded.id);
}

#[tokio::test]
async fn a_state_that_only_looks_like_an_end_is_taken_for_none() {
    for state in ["COMPLETED", "CANCELLED", "EXPIRED", "PARTIALLY_FAILED", "DONE"] {
        let world = World::new().await;
        let uploaded = world.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
        world.sim.faults().add(says(state));
        let error = uploaded.processed().with_deadline(Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{state}: {error:?}");
        assert_eq!(error.last_state(), Some(state));
        assert!(error.to_string().contains(&format!("last state: {state};")), "{error}");
        // And what is at its end is not held up by words that nobody knows.
        world.sim.faults().clear();
        let more =
            r#"[{"op":"add","path":"/subStatus","value":"RUNNING"},{"op":"add","path":"/percentDone","value":40}]"#;
        world.sim.faults().add(Fault::on("getFile").patch(more));
        uploaded.processed().with_deadline(Duration::ZERO).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_taken_is_not_yet_processed_and_its_source_stays_where_it_is() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.pdf");
    std::fs::write(&path, STUDY).unwrap();
    world.sim.control().fail_next_analysis("The rules could not be applied.");
    let uploaded = dossier.upload(Source::path(&path)).await.unwrap();
    let error = uploaded.processed().await.unwrap_err();
    assert_eq!((error.kind(), error.id()), (WaitErrorKind::Failed, uploaded.id.as_str()), "{error:?}");
    assert_eq!(documine::Error::from(error).kind(), ErrorKind::Operation);
    dossier.upload(Source::path(&path)).await.unwrap().processed().await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), STUDY, "whose it is decides what becomes of it");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn an_upload_that_is_repeated_is_sent_whole_again() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.pdf");
    std::fs::write(&path, STUDY).unwrap();
    let pieces = || stream::iter(STUDY.chunks(1_000).map(|piece| Ok(Bytes::from_static(piece))));
    let sources = [
        Source::path(&path),
        Source::bytes("study.pdf", STUDY),
        Source::streams("study.pdf", STUDY.len() as u64, pieces),
    ];
    for source in sources {
        for fault in [Fault::on("uploadFile").reset_before_headers(), Fault::on("uploadFile").token_expired()] {
            let before = world.requests("uploadFile").len();
            world.sim.faults().add(fault.times(1));
            let uploaded = dossier.upload(source.clone()).with_retry(Retry::EvenIfSent).await.unwrap();
            uploaded.processed().await.unwrap();
            let sent: Vec<_> =
                world.requests("uploadFile")[before..].iter().map(|request| request.request_bytes).collect();
            assert!(sent.len() == 2 && sent[0] == sent[1] && sent[0] > STUDY.len() as u64, "{source:?}: {sent:?}");
        }
    }
}

#[tokio::test]
async fn a_look_that_fails_is_no_verdict() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let content = documine::PackageContent::file_types([documine::DownloadFileType::Original]);
    let operation = dossier.create_package(content).await.unwrap();
    let known = matches!(operation.poll_once().await.unwrap(), State::Working(state) if state != "UNKNOWN");
    assert!(known);
    for fault in [
        Fault::on("getDownload").status(503),
        Fault::on("getDownload").reset_before_headers(),
        Fault::on("getDownload").bad_gateway_page(),
    ] {
        world.sim.faults().add(fault);
        let state = operation.poll_once().await.unwrap();
        assert!(matches!(&state, State::Working(state) if state == "UNKNOWN"), "{state:?}");
        world.sim.faults().clear();
    }
    operation.wait().await.unwrap();
}

/// Listens for the pauses of waits.
#[derive(Clone, Default)]
struct Pauses {
    milliseconds: Arc<Mutex<Vec<u64>>>,
    words: Arc<Mutex<String>>,
}

impl Visit for Pauses {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "pause_ms" {
            self.milliseconds.lock().unwrap().push(value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.words.lock().unwrap(), "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Pauses {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "documine" && metadata.is_event()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn how_long_a_wait_pauses_can_be_seen() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let pauses = Pauses::default();
    {
        let _listening = tracing::subscriber::set_default(pauses.clone());
        uploaded.processed().await.unwrap();
    }
    let seen = pauses.milliseconds.lock().unwrap().clone();
    let slept: Vec<_> = world.time.sleeps().iter().map(Duration::as_millis).collect();
    assert!(!seen.is_empty());
    assert_eq!(seen.iter().map(|pause| u128::from(*pause)).collect::<Vec<_>>(), slept);
    let words = pauses.words.lock().unwrap();
    assert!(words.contains("waits_for=File") && !words.contains(uploaded.id.as_str()), "{words}");
}
