//! Uploads from all sources, uploads with lost responses, and many uploads: each file exists once, and each has one outcome.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use documine::{Credentials, DossierHandle, ErrorKind, Source, retry::RetryMode};
use documine_sim::Fault;
use futures_util::{StreamExt, stream};

use crate::harness::canned_server::{CannedServer, response};
use crate::harness::login;
use crate::harness::pdf_fixtures::{INVOICE, STUDY};
use crate::harness::scripted;
use crate::harness::test_env::TestEnv;

/// Returns a document in chunks.
fn chunks(content: &'static [u8]) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::iter(content.chunks(1_000).map(|chunk| Ok(Bytes::from_static(chunk))))
}

fn length(content: &[u8]) -> u64 {
    u64::try_from(content.len()).unwrap()
}

async fn uploaded_names(dossier: &DossierHandle) -> Vec<String> {
    let files = dossier.files().await.unwrap();
    let mut uploaded_names: Vec<_> = files.into_iter().map(|file| file.file_name.unwrap()).collect();
    uploaded_names.sort();
    uploaded_names
}

/// Loses the response after the service has processed the request.
fn lost_response() -> Fault {
    let mut fault = Fault::on("uploadFile");
    fault.reset_after_headers = true;
    fault
}

#[tokio::test]
async fn accepts_all_kinds_of_sources() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let source = Source::from_stream_fn("study.pdf", length(STUDY), move || {
        count.fetch_add(1, Ordering::Relaxed);
        chunks(STUDY)
    });
    // The token is rejected after the body was sent: the source is opened again.
    env.sim.control().revoke_tokens();
    dossier.upload(source).await.unwrap().wait_until_processed().await.unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 2);
    dossier
        .upload(Source::from_stream("invoice.pdf", length(INVOICE), chunks(INVOICE)))
        .await
        .unwrap()
        .wait_until_processed()
        .await
        .unwrap();
    assert_eq!(uploaded_names(&dossier).await, ["invoice.pdf", "study.pdf"]);
}

#[tokio::test]
async fn sends_single_use_stream_once() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("uploadFile").status(503).times(1));
    let source = Source::from_stream("study.pdf", length(STUDY), chunks(STUDY));
    let error = dossier.upload(source.clone()).with_retry_mode(RetryMode::EvenIfSent).await.unwrap_err();
    assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(503), 1));
    assert_eq!(env.requests("uploadFile").len(), 1);
    let error = dossier.upload(source).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(
        error
            .to_string()
            .contains("the stream was already read; use `Source::from_stream_fn` for an upload that can be repeated"),
        "{error}"
    );
    assert_eq!(env.requests("uploadFile").len(), 1);
}

#[tokio::test]
async fn rejects_source_that_differs_from_announced_length() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    for (announced, line) in [
        (length(STUDY) + 1, format!("the source yielded {} bytes instead of {}", STUDY.len(), STUDY.len() + 1)),
        (10, "the source yielded more than 10 bytes instead of 10".to_owned()),
    ] {
        let error = dossier.upload(Source::from_stream_fn("study.pdf", announced, || chunks(STUDY))).await.unwrap_err();
        assert!(error.to_string().ends_with(&line), "{error}");
        assert_eq!(error.kind(), ErrorKind::Input, "{error:?}");
    }
    assert_eq!(uploaded_names(&dossier).await, Vec::<String>::new());
}

#[tokio::test]
async fn detects_media_type_from_content() {
    let service = CannedServer::respond_with(|_| response("400 Bad Request", &[], "")).await;
    let client = scripted::client(&service.base).await;
    let dossier = scripted::dossier(&client);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scan 17");
    std::fs::write(&path, INVOICE).unwrap();
    for source in [
        Source::path(&path),
        Source::bytes("no extension", INVOICE),
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
async fn finds_lost_upload_without_repeating_it() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    // A file of the same name exists already and is not mistaken for the new one.
    let first =
        dossier.upload(Source::bytes("study.pdf", INVOICE)).await.unwrap().wait_until_processed().await.unwrap();
    env.time.advance(60);
    env.add_fault(lost_response().times(1));
    let before = env.request_log().len();
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).recover_lost_response(true).await.unwrap();
    assert_eq!(env.requests("uploadFile").len(), 2);
    assert!(env.request_log_since(before).iter().filter(|line| line.starts_with("getFiles")).count() <= 3);
    let file = uploaded.wait_until_processed().await.unwrap();
    assert_eq!(file.get().await.unwrap().file_size, i64::try_from(STUDY.len()).ok());
    drop(first);
}

#[tokio::test]
async fn repeats_upload_that_was_never_received() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("uploadFile").status(502).times(1));
    let uploaded = dossier.upload(Source::bytes("study.pdf", STUDY)).recover_lost_response(true).await.unwrap();
    assert_eq!(env.requests("uploadFile").len(), 2);
    assert_eq!(uploaded_names(&dossier).await, ["study.pdf"]);
    uploaded.wait_until_processed().await.unwrap();
    // Three attempts are made, and a single-use source is not repeated.
    env.add_fault(Fault::on("uploadFile").status(502));
    let error = dossier.upload(Source::bytes("other.pdf", STUDY)).recover_lost_response(true).await.unwrap_err();
    assert!(error.to_string().ends_with("the list of the dossier does not contain the file"), "{error}");
    assert_eq!(env.requests("uploadFile").len(), 5);
    let single_use = Source::from_stream("other.pdf", length(STUDY), chunks(STUDY));
    dossier.upload(single_use).recover_lost_response(true).await.unwrap_err();
    assert_eq!(env.requests("uploadFile").len(), 6);
}

#[tokio::test]
async fn one_failed_file_does_not_stop_others() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(lost_response().times(2));
    let sources = (0..10).map(|number| match number {
        3 => Source::path("/nowhere/missing.pdf"),
        7 => Source::bytes("line\nbreak.pdf", STUDY),
        _ => Source::bytes(format!("{number}.pdf"), STUDY),
    });
    let outcomes = dossier.upload_all(sources).with_concurrency(3).await.unwrap();
    let outcomes_by_index: Vec<_> = outcomes.iter().map(|outcome| (outcome.index, outcome.result.is_ok())).collect();
    let expected: Vec<_> = (0..10).map(|number| (number, number != 3 && number != 7)).collect();
    assert_eq!(outcomes_by_index, expected);
    assert_eq!(
        uploaded_names(&dossier).await,
        ["0.pdf", "1.pdf", "2.pdf", "4.pdf", "5.pdf", "6.pdf", "8.pdf", "9.pdf"]
    );
    assert_eq!(env.requests("uploadFile").len(), 8, "each file is sent once");
}

#[tokio::test]
async fn yields_outcomes_early_and_pulls_sources_on_demand() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pulled);
    let sources = stream::iter(0..6).map(move |number| {
        count.fetch_add(1, Ordering::Relaxed);
        Source::bytes(format!("{number}.pdf"), STUDY)
    });
    let mut outcomes = std::pin::pin!(dossier.upload_stream(sources).with_concurrency(2).stream());
    let first = outcomes.next().await.unwrap().unwrap();
    assert!(
        first.index < 2 && pulled.load(Ordering::Relaxed) <= 3,
        "{} sources were pulled",
        pulled.load(Ordering::Relaxed)
    );
    let rest: Vec<_> = outcomes.collect().await;
    assert_eq!(rest.len(), 5);
}

#[tokio::test]
async fn stops_uploading_when_login_is_needed() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let (access, _) = login::issue_tokens(&env).await;
    let client = env.client_with(Credentials::access_token(access));
    let template = client.dossier_template(env.template_id());
    let other_dossier = template.dossier(dossier.id());
    let sources = (0..5).map(|number| Source::bytes(format!("{number}.pdf"), STUDY));
    let mut outcomes = std::pin::pin!(other_dossier.upload_all(sources).with_concurrency(1).stream());
    let _uploaded = outcomes.next().await.unwrap().unwrap().result.unwrap();
    env.time.advance(301);
    let rest: Vec<_> = outcomes.map(|outcome| outcome.unwrap().result.unwrap_err()).collect().await;
    assert_eq!(rest.len(), 4);
    assert!(rest.iter().all(documine::Error::needs_login));
    assert!(rest[1..].iter().all(|error| error.to_string().ends_with("; not attempted")), "{rest:?}");
    assert_eq!(env.requests("uploadFile").len(), 2);
    // Without a readable dossier, no upload starts.
    let outcomes = other_dossier.upload_all([Source::bytes("a.pdf", STUDY)]).await;
    assert!(outcomes.unwrap_err().needs_login());
}
