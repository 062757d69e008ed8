//! Uploads from anywhere, uploads whose answer gets lost, and many of them: each file is there once, and each has one outcome.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use documine::{Credentials, DossierHandle, ErrorKind, Retry, Source};
use documine_sim::Fault;
use futures_util::{StreamExt, stream};

use crate::paper::{INVOICE, STUDY};
use crate::world::World;

/// A document piece by piece.
fn pieces(of: &'static [u8]) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::iter(of.chunks(1_000).map(|piece| Ok(Bytes::from_static(piece))))
}

fn length(of: &[u8]) -> u64 {
    u64::try_from(of.len()).unwrap()
}

async fn names(dossier: &DossierHandle) -> Vec<String> {
    let files = dossier.files().await.unwrap();
    let mut names: Vec<_> = files.into_iter().map(|file| file.file_name.unwrap()).collect();
    names.sort();
    names
}

/// The answer gets lost after the service has done what was asked.
fn answer_lost() -> Fault {
    let mut fault = Fault::on("uploadFile");
    fault.reset_after_headers = true;
    fault
}

#[tokio::test]
async fn a_document_may_come_from_anywhere() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let source = Source::streams("study.pdf", length(STUDY), move || {
        count.fetch_add(1, Ordering::Relaxed);
        pieces(STUDY)
    });
    // Refused for its token after the body: it is made anew.
    world.sim.control().revoke_tokens();
    dossier.upload(source).await.unwrap().processed().await.unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 2);
    dossier
        .upload(Source::stream("invoice.pdf", length(INVOICE), pieces(INVOICE)))
        .await
        .unwrap()
        .processed()
        .await
        .unwrap();
    assert_eq!(names(&dossier).await, ["invoice.pdf", "study.pdf"]);
}

#[tokio::test]
async fn a_stream_that_comes_once_is_sent_once() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.faults().add(Fault::on("uploadFile").status(503).times(1));
    let source = Source::stream("study.pdf", length(STUDY), pieces(STUDY));
    let error = dossier.upload(source.clone()).with_retry(Retry::EvenIfSent).await.unwrap_err();
    assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(503), 1));
    assert_eq!(world.requests("uploadFile").len(), 1);
    let error = dossier.upload(source).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(
        error
            .to_string()
            .contains("the stream was already read; use `Source::streams` for an upload that can be repeated"),
        "{error}"
    );
    assert_eq!(world.requests("uploadFile").len(), 1);
}

#[tokio::test]
async fn a_source_is_held_to_the_length_it_announced() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    for (announced, line) in [
        (length(STUDY) + 1, format!("the source yielded {} bytes instead of {}", STUDY.len(), STUDY.len() + 1)),
        (10, "the source yielded more than 10 bytes instead of 10".to_owned()),
    ] {
        let error = dossier.upload(Source::streams("study.pdf", announced, || pieces(STUDY))).await.unwrap_err();
        assert!(error.to_string().ends_with(&line), "{error}");
        assert_eq!(error.kind(), ErrorKind::Input, "{error:?}");
    }
    assert_eq!(names(&dossier).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_name_does_not_tell_the_content_does() {
    let service = crate::canned::Canned::answering(|_| crate::canned::answer("400 Bad Request", &[], "")).await;
    let client = crate::scripted::client(&service.base).await;
    let template = client.dossier_template("t".parse::<documine::DossierTemplateId>().unwrap());
    let dossier = template.dossier("d".parse::<documine::DossierId>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scan 17");
    std::fs::write(&path, INVOICE).unwrap();
    for source in [
        Source::path(&path),
        Source::bytes("no ending", INVOICE),
        Source::bytes("picture.png", INVOICE),
        Source::bytes("what", &b"some words"[..]),
        Source::bytes("what", INVOICE).content_type("text/plain"),
    ] {
        dossier.upload(source).await.unwrap_err();
    }
    let types: Vec<_> = service
        .requests()
        .iter()
        .map(|request| {
            let parts: Vec<_> = request
                .to_ascii_lowercase()
                .lines()
                .filter_map(|line| line.strip_prefix("content-type: ").map(str::to_owned))
                .collect();
            parts.last().unwrap().clone()
        })
        .collect();
    assert_eq!(types, ["application/pdf", "application/pdf", "image/png", "application/octet-stream", "text/plain"]);
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_is_looked_for_and_not_repeated() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    // One of the same name is there already: it is not taken for the new one.
    let first = dossier.upload(Source::bytes("study.pdf", INVOICE)).await.unwrap().processed().await.unwrap();
    world.time.pass(60);
    world.sim.faults().add(answer_lost().times(1));
    let before = world.journal().len();
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).look_for_lost(true).await.unwrap();
    assert_eq!(world.requests("uploadFile").len(), 2);
    assert!(world.journal_since(before).iter().filter(|line| line.starts_with("getFiles")).count() <= 3);
    let file = uploaded.processed().await.unwrap();
    assert_eq!(file.get().await.unwrap().file_size, i64::try_from(STUDY.len()).ok());
    drop(first);
}

#[tokio::test]
async fn an_upload_that_was_never_taken_is_repeated() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.faults().add(Fault::on("uploadFile").status(502).times(1));
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).look_for_lost(true).await.unwrap();
    assert_eq!(world.requests("uploadFile").len(), 2);
    assert_eq!(names(&dossier).await, ["study.pdf"]);
    uploaded.processed().await.unwrap();
    // Three times is enough, and what can't be made anew is not repeated.
    world.sim.faults().add(Fault::on("uploadFile").status(502));
    let error = dossier.upload(Source::bytes("other.pdf", STUDY)).look_for_lost(true).await.unwrap_err();
    assert!(error.to_string().ends_with("the list of the dossier does not contain the file"), "{error}");
    assert_eq!(world.requests("uploadFile").len(), 5);
    let once = Source::stream("other.pdf", length(STUDY), pieces(STUDY));
    dossier.upload(once).look_for_lost(true).await.unwrap_err();
    assert_eq!(world.requests("uploadFile").len(), 6);
}

#[tokio::test]
async fn of_many_files_one_bad_one_stops_no_other() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.faults().add(answer_lost().times(2));
    let sources = (0..10).map(|number| match number {
        3 => Source::path("/nowhere/missing.pdf"),
        7 => Source::bytes("line\nbreak.pdf", STUDY),
        _ => Source::bytes(format!("{number}.pdf"), STUDY),
    });
    let outcomes = dossier.upload_all(sources).with_concurrency(3).await.unwrap();
    let told: Vec<_> = outcomes.iter().map(|outcome| (outcome.index, outcome.result.is_ok())).collect();
    let expected: Vec<_> = (0..10).map(|number| (number, number != 3 && number != 7)).collect();
    assert_eq!(told, expected);
    assert_eq!(names(&dossier).await, ["0.pdf", "1.pdf", "2.pdf", "4.pdf", "5.pdf", "6.pdf", "8.pdf", "9.pdf"]);
    assert_eq!(world.requests("uploadFile").len(), 8, "each is there once, and was sent once");
}

#[tokio::test]
async fn outcomes_come_as_they_are_there_and_the_next_file_is_asked_for_when_there_is_room() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let sources = stream::iter(0..6).map(move |number| {
        count.fetch_add(1, Ordering::Relaxed);
        Source::bytes(format!("{number}.pdf"), STUDY)
    });
    let mut outcomes = std::pin::pin!(dossier.upload_stream(sources).with_concurrency(2).stream());
    let first = outcomes.next().await.unwrap().unwrap();
    assert!(first.index < 2 && asked.load(Ordering::Relaxed) <= 3, "{} were asked for", asked.load(Ordering::Relaxed));
    let rest: Vec<_> = outcomes.collect().await;
    assert_eq!(rest.len(), 5);
}

#[tokio::test]
async fn where_a_login_is_needed_nothing_more_is_tried() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let (access, _) = crate::log_in::tokens(&world).await;
    let client = world.client_with(Credentials::access_token(access));
    let template = client.dossier_template(world.template_id());
    let theirs = template.dossier(dossier.id());
    let sources = (0..5).map(|number| Source::bytes(format!("{number}.pdf"), STUDY));
    let mut outcomes = std::pin::pin!(theirs.upload_all(sources).with_concurrency(1).stream());
    let _uploaded = outcomes.next().await.unwrap().unwrap().result.unwrap();
    world.time.pass(301);
    let rest: Vec<_> = outcomes.map(|outcome| outcome.unwrap().result.unwrap_err()).collect().await;
    assert_eq!(rest.len(), 4);
    assert!(rest.iter().all(documine::Error::needs_login));
    assert!(rest[1..].iter().all(|error| error.to_string().ends_with("; not attempted")), "{rest:?}");
    assert_eq!(world.requests("uploadFile").len(), 2);
    // Without a dossier to read there is nothing to upload into.
    let outcomes = theirs.upload_all([Source::bytes("a.pdf", STUDY)]).await;
    assert!(outcomes.unwrap_err().needs_login());
}
