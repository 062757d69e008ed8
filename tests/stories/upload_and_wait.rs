//! From a file on disk to a file that is analysed: how it is sent, how it is waited for, and when the service is asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{ErrorKind, ProcessingStatus, Source, State, WaitError};
use documine_sim::Fault;
use futures_util::TryStreamExt;

use crate::paper::{INVOICE, SCAN, STUDY, big_pdf};
use crate::world::{World, add, header};

/// When a wait looks: at once, then after a time that grows by half.
const LOOKS: [u64; 6] = [0, 500, 1000, 1700, 2612, 3744];

fn millis(instants: &[Duration]) -> Vec<u64> {
    instants.iter().map(|instant| u64::try_from(instant.as_millis()).unwrap()).collect()
}

/// A progress callback and what it was told.
type Moves = Arc<Mutex<Vec<(u64, Option<u64>)>>>;

fn noting(moves: &Moves) -> impl Fn(u64, Option<u64>) + Send + Sync + 'static {
    let moves = Arc::clone(moves);
    move |moved, total| moves.lock().unwrap().push((moved, total))
}

#[tokio::test]
async fn a_file_on_disk_is_uploaded_and_analysed() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Bericht für Zürich (1).pdf");
    std::fs::write(&path, STUDY).unwrap();
    let dossier = world.dossier().await;
    let uploaded = dossier.upload(Source::path(&path)).await.unwrap();
    assert_eq!(uploaded.ids(), std::slice::from_ref(&uploaded.id));
    let file = uploaded.processed().await.unwrap();
    assert_eq!(file.id(), &uploaded.id);
    let status = file.get().await.unwrap();
    assert_eq!(status.file_name.as_deref(), Some("Bericht für Zürich (1).pdf"));
    assert_eq!(status.processing_status, Some(ProcessingStatus::Processed));
    assert_eq!(status.number_of_pages, Some(4));
    assert_eq!(status.file_size, Some(i64::try_from(STUDY.len()).unwrap()));
    assert_eq!(dossier.files().await.unwrap(), [status]);
}

#[tokio::test]
async fn an_upload_announces_its_exact_length() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.pdf");
    std::fs::write(&path, STUDY).unwrap();
    let _ = dossier.upload(Source::path(&path)).await.unwrap();
    let _ = dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.unwrap();
    for (request, content) in world.requests("uploadFile").iter().zip([STUDY, INVOICE]) {
        let announced: u64 = header(request, "content-length").unwrap().parse().unwrap();
        assert_eq!(announced, request.request_bytes);
        assert!(announced > content.len() as u64);
        assert_eq!(header(request, "transfer-encoding"), None);
        assert!(header(request, "content-type").unwrap().starts_with("multipart/form-data; boundary="));
    }
}

#[tokio::test]
async fn progress_is_told_until_every_byte_has_gone() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.pdf");
    let big = big_pdf("Batch number: X-1", 300_000);
    let size = big.len() as u64;
    std::fs::write(&path, &big).unwrap();
    for source in [Source::path(&path), Source::bytes("again.pdf", big.clone())] {
        let moves = Moves::default();
        let _ = dossier.upload(source).with_progress(noting(&moves)).await.unwrap();
        let moves = moves.lock().unwrap();
        assert!(moves.len() >= 4 && moves.windows(2).all(|two| two[0].0 < two[1].0), "{moves:?}");
        assert!(moves.iter().all(|(_, total)| *total == Some(size)));
        assert_eq!(moves.last(), Some(&(size, Some(size))));
    }
}

#[tokio::test]
async fn the_media_type_follows_the_name_unless_it_is_given() {
    let world = World::new().await;
    let dossier = world.dossier().await;
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
    assert_eq!(world.requests("uploadFile").len(), 2);
}

#[tokio::test]
async fn the_service_is_asked_at_once_and_then_less_and_less_often() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let start = world.sim.clock().now();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let states = Arc::clone(&seen);
    uploaded.processed().on_state(move |state| states.lock().unwrap().push(state.to_owned())).await.unwrap();
    assert_eq!(millis(&world.instants("getFile", start)), LOOKS[..4]);
    assert_eq!(*seen.lock().unwrap(), ["UNPROCESSED", "PROCESSING", "ANALYSE"]);
}

#[tokio::test]
async fn the_states_can_be_taken_one_by_one() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("scan.pdf", SCAN)).await.unwrap();
    let states: Vec<_> = uploaded.processed().states().try_collect().await.unwrap();
    let words: Vec<_> = states
        .iter()
        .map(|state| match state {
            State::Working(name) => name.clone(),
            State::Done(file) => format!("done: {}", file.id() == &uploaded.id),
            _ => panic!("a new kind of state"),
        })
        .collect();
    assert_eq!(words, ["UNPROCESSED", "OCR_PROCESSING_QUEUED", "OCR_PROCESSING", "OCR_PROCESSING", "done: true"]);
}

#[tokio::test]
async fn a_file_that_is_processed_already_is_asked_for_once() {
    let world = World::new().await;
    let (_, file) = world.processed("study.pdf", STUDY).await;
    let start = world.sim.clock().now() + Duration::from_millis(1);
    world.time.pass(1);
    let now = world.sim.clock().now();
    file.processed().await.unwrap();
    assert_eq!(world.sim.clock().now(), now);
    assert_eq!(world.instants("getFile", start).len(), 1);
}

#[tokio::test]
async fn a_whole_dossier_costs_one_list_a_look_however_many_files_it_has() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    for number in 0..12 {
        let _ = dossier.upload(Source::bytes(format!("{number}.pdf"), INVOICE)).await.unwrap();
    }
    let _ = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let start = world.sim.clock().now();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let states = Arc::clone(&seen);
    let files = dossier.processed().on_state(move |state| states.lock().unwrap().push(state.to_owned())).await.unwrap();
    assert_eq!(files.len(), 13);
    assert!(files.iter().all(|file| file.processing_status == Some(ProcessingStatus::Processed)));
    assert_eq!(millis(&world.instants("getFiles", start)), LOOKS[..4]);
    assert_eq!(world.requests("getFile").len(), 0);
    assert_eq!(
        *seen.lock().unwrap(),
        ["0 of 13 files processed", "0 of 13 files processed", "12 of 13 files processed"]
    );
}

#[tokio::test]
async fn an_empty_dossier_has_nothing_to_wait_for() {
    let world = World::new().await;
    assert_eq!(world.dossier().await.processed().await.unwrap(), []);
}

#[tokio::test]
async fn files_in_the_trash_are_not_waited_for() {
    let world = World::new().await;
    let (dossier, kept) = world.processed("study.pdf", STUDY).await;
    let uploaded = dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.unwrap();
    dossier.file(&uploaded.id).delete().await.unwrap();
    let start = world.sim.clock().now();
    let files = dossier.processed().await.unwrap();
    assert_eq!(files[0].id, *kept.id());
    assert_eq!(millis(&world.instants("getFiles", start)), [0]);
}

#[tokio::test]
async fn a_file_whose_analysis_is_switched_off_is_not_waited_for() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let uploaded = dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.unwrap();
    world.sim.control().exclude_file(uploaded.id.as_str(), true).unwrap();
    let error = uploaded.processed().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "file {} ended as UNPROCESSED: its analysis is switched off (excluded), so it would never be processed",
            uploaded.id
        )
    );
    assert_eq!(dossier.processed().await.unwrap().len(), 2);
    world.sim.control().exclude_file(uploaded.id.as_str(), false).unwrap();
    uploaded.processed().await.unwrap();
}

#[tokio::test]
async fn a_deadline_gets_one_last_look_and_says_what_was_seen() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("scan.pdf", SCAN)).await.unwrap();
    let start = world.sim.clock().now();
    let error = uploaded.processed().with_deadline(Duration::from_millis(1700)).await.unwrap_err();
    assert_eq!(millis(&world.instants("getFile", start)), [0, 500, 1000, 1700]);
    let WaitError::DeadlineExceeded { what, last_state, elapsed, polls, .. } = &error else { panic!("{error:?}") };
    assert_eq!((last_state.as_deref(), *elapsed, *polls), (Some("OCR_PROCESSING"), Duration::from_millis(1700), 4));
    assert_eq!(*what, format!("file {}", uploaded.id));
    let line = format!(
        "file {} was not ready after 2s and 4 looks (last state: OCR_PROCESSING); it goes on at the service, wait again with a later deadline",
        uploaded.id
    );
    assert_eq!(error.to_string(), line);
    let error = documine::Error::from(error);
    assert!(error.is_timeout() && error.is_transient());
    assert_eq!(error.to_string(), line);
    // Nothing is lost: the next wait ends well.
    uploaded.processed().await.unwrap();
}

#[tokio::test]
async fn the_last_look_at_the_deadline_can_still_be_in_time() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("scan.pdf", SCAN)).await.unwrap();
    let start = world.sim.clock().now();
    uploaded.processed().with_deadline(Duration::from_millis(2300)).await.unwrap();
    assert_eq!(millis(&world.instants("getFile", start)), [0, 500, 1000, 1700, 2300]);
}

#[tokio::test]
async fn a_deadline_of_zero_looks_once() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let error = uploaded.processed().with_deadline(Duration::ZERO).await.unwrap_err();
    assert!(matches!(&error, WaitError::DeadlineExceeded { polls: 1, elapsed: Duration::ZERO, .. }), "{error:?}");
    assert_eq!(world.requests("getFile").len(), 1);
}

#[tokio::test]
async fn an_unknown_state_is_work_in_progress() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let patch = serde_json::json!([{"op": "replace", "path": "/processingStatus", "value": "DREAMING"}]);
    world.sim.faults().add(Fault::on("getFile").patch(&patch.to_string()).times(5));
    let states: Vec<_> = uploaded.processed().states().try_collect().await.unwrap();
    let words: Vec<_> =
        states.iter().map(|state| matches!(state, State::Working(name) if name == "DREAMING")).collect();
    assert_eq!(words, [true, true, true, true, true, false]);
}

#[tokio::test]
async fn a_passing_trouble_does_not_end_a_wait() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    // Each look is tried four times: five refusals are more than one look bears.
    world.sim.faults().add(Fault::on("getFile").status(503).times(5));
    uploaded.processed().await.unwrap();
    assert_eq!(world.requests("getFile").iter().filter(|request| request.status == 503).count(), 5);
}

#[tokio::test]
async fn a_lasting_trouble_ends_a_wait_with_its_reason() {
    let world = World::new().await;
    let uploaded = world.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    world.sim.faults().add(Fault::on("getFile").status(403).body("application/json", r#"{"message":"Not for you."}"#));
    let error = uploaded.processed().await.unwrap_err();
    assert!(matches!(&error, WaitError::Poll { .. }));
    assert_eq!(error.to_string(), format!("the state of file {} could not be read", uploaded.id));
    assert_eq!(documine::Error::from(error).to_string(), "getFile: 403 Forbidden: Not for you.");
    assert_eq!(world.requests("getFile").len(), 1);
}

#[tokio::test]
async fn an_analysis_that_fails_is_told_with_the_services_reason() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    add(&dossier, "invoice.pdf", INVOICE).await;
    world.sim.control().fail_next_analysis("The rules could not be applied.");
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let error = uploaded.processed().await.unwrap_err();
    let WaitError::Failed { state, message, .. } = &error else { panic!("{error:?}") };
    assert_eq!((state.as_str(), message.as_str()), ("ERROR", "The rules could not be applied."));
    assert_eq!(error.to_string(), format!("file {} ended as ERROR: The rules could not be applied.", uploaded.id));
    assert_eq!(documine::Error::from(error).kind(), ErrorKind::Operation);

    let error = dossier.processed().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the analysis of dossier {} ended as ERROR: 1 of 2 files: study.pdf: The rules could not be applied.",
            dossier.id()
        )
    );
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_waited_for() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    dossier.file(&uploaded.id).delete().await.unwrap();
    let error = uploaded.processed().await.unwrap_err();
    assert_eq!(error.to_string(), format!("file {} ended as DELETED: the file was deleted", uploaded.id));
    dossier.file(&uploaded.id).delete().permanently().await.unwrap();
    let error = uploaded.processed().await.unwrap_err();
    assert_eq!(error.to_string(), format!("file {} is not there any more (last state: unknown)", uploaded.id));
    assert!(matches!(error, WaitError::Gone { .. }));
}
