//! Uploads from all sources, uploads with lost responses, and many uploads: each file exists once, and each has one outcome.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use documine::{
    Credentials, DossierHandle, ErrorKind, Source, TimeoutPhase,
    request::UploadOutcome,
    retry::{RetryMode, RetryPolicy},
};
use documine_sim::Fault;
use futures_util::{StreamExt, stream};

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::login;
use crate::harness::pdf_fixtures::{INVOICE, STUDY, pdf, zip};
use crate::harness::scripted;
use crate::harness::test_env::{TestEnv, header, upload_processed};

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

/// Returns another document of the same length.
fn other_study() -> Vec<u8> {
    let mut other = STUDY.to_vec();
    *other.last_mut().unwrap() = b' ';
    other
}

#[tokio::test]
async fn file_in_analysis_is_not_mistaken_for_a_lost_upload() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    // Its analysis begins after the list that precedes the second upload and continues while the lost upload is searched: only the pauses before the
    // searches advance the clock.
    let _replaced = dossier.upload(Source::bytes("a.pdf", other_study())).await.unwrap();
    env.add_fault(Fault::on("uploadFile").times(1).status(502));
    let _uploaded = dossier.upload(Source::bytes("a.pdf", STUDY)).recover_lost_response(true).await.unwrap();
    assert_eq!(env.requests("uploadFile").len(), 3, "the upload is repeated");
    let pauses: Duration = env.time.sleeps().iter().sum();
    assert!(pauses >= Duration::from_secs(7), "{pauses:?}");
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

/// Writes documents to `folder` and returns their paths.
fn write_files(folder: &Path, files: &[(&str, &[u8])]) -> Vec<PathBuf> {
    let write = |(name, content): &(&str, &[u8])| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    };
    files.iter().map(write).collect()
}

/// Returns whether each file was skipped, or the error.
fn skipped(outcomes: &[UploadOutcome]) -> Vec<Result<bool, String>> {
    let skipped = |outcome: &UploadOutcome| match &outcome.result {
        Ok(_) => Ok(outcome.skipped),
        Err(error) => Err(error.to_string()),
    };
    outcomes.iter().map(skipped).collect()
}

async fn file_size(dossier: &DossierHandle, name: &str) -> Option<i64> {
    let files = dossier.files().await.unwrap();
    files.into_iter().find(|file| file.file_name.as_deref() == Some(name)).unwrap().file_size
}

#[tokio::test]
async fn rejects_second_source_of_the_same_name() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let paths = write_files(folder.path(), &[("x/a.pdf", STUDY), ("y/a.pdf", INVOICE), ("y/b.pdf", INVOICE)]);
    let outcomes = dossier.upload_all(paths).await.unwrap();
    let text = "uploadFile: file name \"a.pdf\" at index 1: the source at index 0 has the same name, so the service would replace its file; set \
                another name with `file_name(…)`, or use `allow_replacing(true)`";
    assert_eq!(skipped(&outcomes), [Ok(false), Err(text.to_owned()), Ok(false)]);
    let error = outcomes[1].result.as_ref().unwrap_err();
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Input, false));
    assert_eq!(uploaded_names(&dossier).await, ["a.pdf", "b.pdf"]);
    assert_eq!(file_size(&dossier, "a.pdf").await, i64::try_from(STUDY.len()).ok());
}

#[tokio::test]
async fn compares_source_names_as_the_service_does() {
    for (first, second, equal) in [
        ("Pr\u{fc}fung.pdf", "Pru\u{308}fung.pdf", true),
        ("a.pdf", " a.pdf ", true),
        ("a.pdf", "A.pdf", false),
        ("", "", false),
    ] {
        let env = TestEnv::new().await;
        let outcomes = env.dossier().await.upload_all([first, second].map(|name| Source::bytes(name, STUDY)));
        let second = outcomes.await.unwrap().pop().unwrap().result;
        assert_eq!(second.is_err_and(|error| error.to_string().contains("same name")), equal, "{first:?}");
    }
}

#[tokio::test]
async fn last_source_of_a_name_remains_if_replacing_is_allowed() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    // The first upload is the slowest one.
    env.add_fault(Fault::on("uploadFile").times(1).latency_ms(100));
    let sources = [STUDY, INVOICE, STUDY, INVOICE].map(|content| Source::bytes("a.pdf", content));
    let outcomes = dossier.upload_all(sources).allow_replacing(true).skip_existing(true).await.unwrap();
    assert_eq!(skipped(&outcomes), vec![Ok(false); 4]);
    let id = &outcomes[0].result.as_ref().unwrap().id;
    assert!(outcomes.iter().all(|outcome| outcome.result.as_ref().unwrap().id == *id));
    assert_eq!(file_size(&dossier, "a.pdf").await, i64::try_from(INVOICE.len()).ok());
}

#[tokio::test]
async fn earlier_source_of_a_name_is_not_mistaken_for_a_lost_upload() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("uploadFile").nth(2).times(1).status(502));
    let sources = [Source::bytes("a.pdf", other_study()), Source::bytes("a.pdf", STUDY)];
    let outcomes = dossier.upload_all(sources).allow_replacing(true).await.unwrap();
    assert_eq!(skipped(&outcomes), [Ok(false), Ok(false)]);
    assert_eq!(env.requests("uploadFile").len(), 3, "the second source is uploaded again");
}

#[tokio::test]
async fn repeated_name_is_uploaded_although_the_dossier_contained_its_file() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    upload_processed(&dossier, "a.pdf", INVOICE).await;
    let sources = [INVOICE, STUDY, INVOICE].map(|content| Source::bytes("a.pdf", content));
    let outcomes = dossier.upload_all(sources).allow_replacing(true).skip_existing(true).await.unwrap();
    assert_eq!(skipped(&outcomes), [Ok(true), Ok(false), Ok(false)]);
    assert_eq!(file_size(&dossier, "a.pdf").await, i64::try_from(INVOICE.len()).ok());
}

#[tokio::test]
async fn reports_file_that_an_archive_replaced() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let sources = || {
        [Source::bytes("a.pdf", STUDY), Source::bytes("all.zip", zip(&[("in/a.pdf", INVOICE), ("in/b.pdf", INVOICE)]))]
    };
    let outcomes = dossier.upload_all(sources()).with_concurrency(1).await.unwrap();
    let error = outcomes[1].result.as_ref().unwrap_err();
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Operation, true));
    assert!(error.to_string().contains("index 1 has replaced the file of the source at index 0"), "{error}");
    let replaced = &outcomes[0].result.as_ref().unwrap().id;
    assert!(error.to_string().contains(&format!("file {replaced}: ")), "{error}");
    let files = dossier.files().await.unwrap();
    let ids = error.to_string().rsplit_once("; the upload yielded ").unwrap().1.to_owned();
    assert!(files.len() == 2 && files.iter().all(|file| ids.contains(file.id.as_str())), "{ids}");
    let outcomes = dossier.upload_all(sources()).allow_replacing(true).await.unwrap();
    assert_eq!(skipped(&outcomes), [Ok(false), Ok(false)]);
}

#[tokio::test]
async fn reports_all_files_that_an_archive_replaced() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let archive = zip(&[("in/a.pdf", INVOICE), ("in/b.pdf", INVOICE)]);
    let sources = [Source::bytes("a.pdf", STUDY), Source::bytes("b.pdf", STUDY), Source::bytes("all.zip", archive)];
    let outcomes = dossier.upload_all(sources).with_concurrency(1).await.unwrap();
    let ids = [0, 1].map(|index: usize| outcomes[index].result.as_ref().unwrap().id.to_string());
    let error = outcomes[2].result.as_ref().unwrap_err().to_string();
    assert!(ids.iter().all(|id| error.contains(id)), "{error}");
    assert!(error.contains("index 2 has replaced the files of other sources (index 0, 1)"), "{error}");
}

#[tokio::test]
async fn file_whose_analysis_failed_is_uploaded_again() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.sim.control().fail_next_analysis("unreadable");
    let upload = || dossier.upload_all([Source::bytes("a.pdf", STUDY)]).skip_existing(true);
    let first = upload().await.unwrap().pop().unwrap().result.unwrap();
    first.wait_until_processed().await.unwrap_err();
    assert_eq!(skipped(&upload().await.unwrap()), [Ok(false)]);
    dossier.file(&first.id).wait_until_processed().await.unwrap();
    assert_eq!(skipped(&upload().await.unwrap()), [Ok(true)]);
}

#[tokio::test]
async fn skips_files_that_exist_with_the_same_size() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let paths =
        write_files(folder.path(), &[("a.pdf", STUDY), ("b.pdf", STUDY), ("c.pdf", INVOICE), ("Pr\u{fc}.pdf", STUDY)]);
    let first = dossier.upload_all([Source::bytes("a.pdf", STUDY), Source::bytes("c.pdf", STUDY)]).await.unwrap();
    let _decomposed = dossier.upload(Source::bytes("Pru\u{308}.pdf", STUDY)).await.unwrap();
    let outcomes = dossier.upload_all(paths.clone()).skip_existing(true).await.unwrap();
    assert_eq!(skipped(&outcomes), [Ok(true), Ok(false), Ok(false), Ok(true)]);
    assert_eq!(env.requests("uploadFile").len(), 5);
    // Its analysis has not ended yet.
    let file = outcomes[0].result.as_ref().unwrap();
    assert_eq!(file.id, first[0].result.as_ref().unwrap().id);
    file.wait_until_processed().await.unwrap();
    // Neither the second call nor a stream of unknown length is skipped.
    let outcomes = dossier.upload_all(paths[..1].to_vec()).await;
    assert_eq!(skipped(&outcomes.unwrap()), [Ok(false)]);
    let unknown = Source::from_stream_fn("a.pdf", None, || chunks(STUDY));
    assert_eq!(skipped(&dossier.upload_all([unknown]).skip_existing(true).await.unwrap()), [Ok(false)]);
}

#[tokio::test]
async fn uploads_files_that_exist_only_in_the_trash() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    upload_processed(&dossier, "a.pdf", STUDY).await.delete().await.unwrap();
    let upload = || dossier.upload_all([Source::bytes("a.pdf", STUDY)]).skip_existing(true);
    assert_eq!(skipped(&upload().await.unwrap()), [Ok(false)]);
    // A service that lists the trash.
    let patch = r#"[{"op":"add","path":"/files/0/softDeletedTime","value":"2025-01-01T00:00:00.000+00:00"}]"#;
    env.add_fault(Fault::on("getFiles").times(1).patch(patch));
    assert_eq!(skipped(&upload().await.unwrap()), [Ok(false)]);
    assert_eq!(skipped(&upload().await.unwrap()), [Ok(true)]);
}

#[tokio::test]
async fn searches_for_lost_upload_in_every_retry_mode() {
    for mode in [RetryMode::Never, RetryMode::IfSafe, RetryMode::EvenIfSent] {
        let env = TestEnv::new().await;
        let dossier = env.dossier().await;
        env.add_fault(lost_response().times(1));
        let uploads = dossier.upload_all([Source::bytes("a.pdf", STUDY)]).with_retry_mode(mode);
        assert_eq!(skipped(&uploads.await.unwrap()), [Ok(false)]);
        assert_eq!(env.requests("uploadFile").len(), 1, "{mode:?}");
    }
}

#[tokio::test]
async fn lost_upload_is_repeated_as_often_as_the_retry_policy_allows() {
    for (policy, uploads) in [
        (RetryPolicy::default().when(RetryMode::Never), 1),
        (RetryPolicy::default().max_attempts(1), 1),
        (RetryPolicy::default().max_attempts(2), 2),
        (RetryPolicy::default().max_attempts(9), 3),
    ] {
        let env = TestEnv::new().await;
        let dossier = env.dossier().await;
        env.add_fault(Fault::on("uploadFile").status(502));
        let upload = dossier.upload(Source::bytes("a.pdf", STUDY)).recover_lost_response(true);
        let error = upload.with_retry_policy(policy.clone()).await.unwrap_err();
        assert!(error.to_string().ends_with("; the list of the dossier does not contain the file"), "{error}");
        assert_eq!(env.requests("uploadFile").len(), uploads, "{policy:?}");
    }
}

#[tokio::test]
async fn failed_search_does_not_hide_the_lost_upload() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("uploadFile").times(1).status(502));
    env.add_fault(Fault::on("getFiles").nth(2).times(1).status(403));
    let upload = dossier.upload(Source::bytes("a.pdf", STUDY)).recover_lost_response(true);
    let error = upload.await.unwrap_err();
    assert_eq!((error.operation(), error.status().map(|status| status.as_u16())), (Some("uploadFile"), Some(502)));
    assert!(error.was_sent() && !error.is_safe_to_repeat() && !error.needs_login(), "{error:?}");
    assert!(error.to_string().contains("; the search for the result failed: getFiles: 403"), "{error}");
    assert_eq!(env.requests("uploadFile").len(), 1);
}

#[tokio::test]
async fn stops_uploading_when_the_search_needs_a_login() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let (access, _) = login::issue_tokens(&env).await;
    let client = env.client_with(Credentials::access_token(access));
    let dossier = client.dossier_template(env.template_id()).dossier(dossier.id());
    env.add_fault(Fault::on("uploadFile").times(1).status(502));
    env.add_fault(Fault::on("getFiles").nth(2).status(401));
    let sources = (0..3).map(|number| Source::bytes(format!("{number}.pdf"), STUDY));
    let outcomes = dossier.upload_all(sources).with_concurrency(1).await.unwrap();
    let errors: Vec<_> = outcomes.into_iter().map(|outcome| outcome.result.unwrap_err()).collect();
    assert!(errors.iter().all(documine::Error::needs_login), "{errors:?}");
    assert!(!errors[0].is_safe_to_repeat() && errors[0].to_string().starts_with("uploadFile: 502"), "{}", errors[0]);
    assert!(errors[1..].iter().all(|error| error.to_string().ends_with("; not attempted")), "{errors:?}");
    assert_eq!(env.requests("uploadFile").len(), 1);
}

#[tokio::test]
async fn options_apply_to_every_request_of_many_uploads() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(lost_response().times(1));
    let uploads = dossier.upload_all([Source::bytes("a.pdf", STUDY), Source::bytes("b.pdf", STUDY)]);
    let outcomes = uploads.with_header("X-Trace", "abc").with_concurrency(1).await.unwrap();
    assert_eq!(skipped(&outcomes), [Ok(false), Ok(false)]);
    for (operation, count) in [("getFiles", 2), ("uploadFile", 2)] {
        let traces: Vec<_> = env.requests(operation).iter().map(|request| header(request, "x-trace")).collect();
        assert_eq!(traces, vec![Some("abc".to_owned()); count], "{operation}");
    }
    let error = dossier.upload_all(["a.pdf"]).with_header("content-length", "1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
}

#[tokio::test(start_paused = true)]
async fn deadline_applies_to_all_uploads_together() {
    let uploads = AtomicUsize::new(0);
    let service = CannedServer::respond_and_hold(move |head| {
        if head.starts_with("GET ") {
            return json_response(&documine_sim::wire::answer("getFiles", r#"{"files":[]}"#));
        }
        match uploads.fetch_add(1, Ordering::Relaxed) {
            0 => json_response(&documine_sim::wire::answer("uploadFile", r#"{"fileIds":["f-0"]}"#)),
            // No response.
            _ => Vec::new(),
        }
    })
    .await;
    let dossier = scripted::dossier(&scripted::client(&service.base).await);
    let sources = (0..4).map(|number| Source::bytes(format!("{number}.pdf"), "x"));
    let deadline = Duration::from_secs(5);
    let outcomes = dossier.upload_all(sources).with_concurrency(1).with_deadline(deadline).await.unwrap();
    assert!(outcomes[0].result.is_ok());
    let errors: Vec<_> = outcomes[1..].iter().map(|outcome| outcome.result.as_ref().unwrap_err()).collect();
    assert!(errors.iter().all(|error| error.timeout_phase() == Some(TimeoutPhase::Operation)), "{errors:?}");
    assert_eq!(errors.iter().map(|error| error.was_sent()).collect::<Vec<_>>(), [true, false, false]);
    assert!(errors[0].to_string().ends_with("; the deadline of 5s applies to all uploads together"), "{}", errors[0]);
    for error in &errors[1..] {
        assert_eq!(error.to_string(), "uploadFile: call timed out after 5s; not attempted");
    }
    let sent = service.requests().iter().filter(|request| request.starts_with("POST ")).count();
    assert_eq!(sent, 2);
}

#[tokio::test]
async fn reports_progress_of_all_files_and_of_each_file() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    upload_processed(&dossier, "0.pdf", STUDY).await;
    // The second upload is sent twice.
    env.add_fault(Fault::on("uploadFile").nth(2).times(1).status(503).header("Retry-After", "1"));
    let (all, each) = (Arc::<Mutex<Vec<(u64, Option<u64>)>>>::default(), Arc::<Mutex<Vec<(String, u64)>>>::default());
    let (all_recorder, each_recorder) = (Arc::clone(&all), Arc::clone(&each));
    let sources =
        [("0.pdf", STUDY), ("1.pdf", STUDY), ("2.pdf", INVOICE)].map(|(name, bytes)| Source::bytes(name, bytes));
    let uploads = dossier.upload_all(sources).skip_existing(true).with_concurrency(1);
    let outcomes = uploads
        .with_progress(move |moved, total| all_recorder.lock().unwrap().push((moved, total)))
        .with_file_progress(move |name| {
            let (recorder, name) = (Arc::clone(&each_recorder), name.to_owned());
            move |moved: u64, total: Option<u64>| {
                assert!(total.is_some());
                recorder.lock().unwrap().push((name.clone(), moved));
            }
        });
    assert_eq!(skipped(&outcomes.await.unwrap()), [Ok(true), Ok(false), Ok(false)]);
    let whole = length(STUDY) + length(INVOICE);
    let all = all.lock().unwrap().clone();
    assert_eq!(all.last(), Some(&(whole, Some(whole))), "{all:?}");
    assert!(all.iter().all(|(moved, _)| *moved <= whole), "a repeated upload does not count twice: {all:?}");
    assert!(all[..all.len() - 1].iter().all(|(_, total)| total.is_none()), "{all:?}");
    let each = each.lock().unwrap().clone();
    assert!(
        each.contains(&("1.pdf".to_owned(), length(STUDY))) && each.contains(&("2.pdf".to_owned(), length(INVOICE)))
    );
    assert!(each.iter().all(|(name, _)| name != "0.pdf"), "{each:?}");
}

#[tokio::test]
async fn total_of_concurrent_uploads_is_that_of_all_files() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let reports = Arc::<Mutex<Vec<(u64, Option<u64>)>>>::default();
    let upload = || {
        let recorder = Arc::clone(&reports);
        let sources = [Source::bytes("a.pdf", STUDY), Source::bytes("b.pdf", INVOICE)];
        let uploads = dossier.upload_all(sources).skip_existing(true);
        uploads.with_progress(move |moved, total| recorder.lock().unwrap().push((moved, total)))
    };
    assert_eq!(skipped(&upload().await.unwrap()), [Ok(false), Ok(false)]);
    let whole = length(STUDY) + length(INVOICE);
    let uploaded = std::mem::take(&mut *reports.lock().unwrap());
    assert_eq!(uploaded.last(), Some(&(whole, Some(whole))), "{uploaded:?}");
    assert!(uploaded.iter().all(|(_, total)| total.is_none_or(|total| total == whole)), "{uploaded:?}");
    assert_eq!(skipped(&upload().await.unwrap()), [Ok(true), Ok(true)]);
    assert_eq!(*reports.lock().unwrap(), [], "nothing was uploaded");
}

#[tokio::test]
async fn sends_stream_of_unknown_length_in_chunks() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let single_use = Source::from_stream("a.pdf", None, chunks(STUDY));
    let _uploaded = dossier.upload(single_use).await.unwrap();
    // The token is rejected after the body was sent: the source is opened again.
    env.sim.control().revoke_tokens();
    let _uploaded = dossier.upload(Source::from_stream_fn("b.pdf", None, || chunks(STUDY))).await.unwrap();
    let _uploaded = dossier.upload(Source::from_stream("c.pdf", length(STUDY), chunks(STUDY))).await.unwrap();
    for name in ["a.pdf", "b.pdf", "c.pdf"] {
        assert_eq!(file_size(&dossier, name).await, i64::try_from(STUDY.len()).ok());
    }
    let framing: Vec<_> = env
        .requests("uploadFile")
        .iter()
        .map(|request| (header(request, "transfer-encoding"), header(request, "content-length").is_some()))
        .collect();
    let chunked = (Some("chunked".to_owned()), false);
    assert_eq!(framing, [chunked.clone(), chunked.clone(), chunked, (None, true)]);
}

#[tokio::test]
async fn explains_rejection_of_upload_without_length() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("uploadFile").status(411));
    let note = "; the service requires the length of an upload; pass it with the stream to `Source`";
    let error = dossier.upload(Source::from_stream("a.pdf", None, chunks(STUDY))).await.unwrap_err();
    assert!(
        error.to_string().starts_with("uploadFile: 411 Length Required") && error.to_string().ends_with(note),
        "{error}"
    );
    let error = dossier.upload(Source::bytes("a.pdf", STUDY)).await.unwrap_err();
    assert!(!error.to_string().contains(note), "{error}");
}

#[tokio::test]
async fn accepts_streams_of_any_bytes_and_errors() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let vectors = STUDY.chunks(1_000).map(|chunk| Ok::<_, std::fmt::Error>(chunk.to_vec()));
    let _uploaded = dossier.upload(Source::from_stream("a.pdf", None, stream::iter(vectors))).await.unwrap();
    assert_eq!(file_size(&dossier, "a.pdf").await, i64::try_from(STUDY.len()).ok());
    let failing = || stream::iter([Ok(&b"%PDF"[..]), Err("the store is closed")]);
    let error = dossier.upload(Source::from_stream_fn("b.pdf", None, failing)).await.unwrap_err();
    assert!(format!("{error:#}").contains("the store is closed"), "{error:#}");
    assert_eq!(uploaded_names(&dossier).await, ["a.pdf"]);
}

#[tokio::test]
async fn accepts_paths_as_sources() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let paths = write_files(folder.path(), &[("a.pdf", &pdf(&["a"])), ("b.pdf", &pdf(&["b"]))]);
    let text = paths[0].to_str().unwrap();
    let _uploaded = dossier.upload(&paths[0]).await.unwrap();
    let _uploaded = dossier.upload(text).await.unwrap();
    let _uploaded = dossier.upload(text.to_owned()).await.unwrap();
    let _uploaded = dossier.upload(paths[0].as_path()).await.unwrap();
    let _uploaded = dossier.upload(paths[0].clone()).await.unwrap();
    assert_eq!(skipped(&dossier.upload_all(paths).await.unwrap()), [Ok(false), Ok(false)]);
    assert_eq!(uploaded_names(&dossier).await, ["a.pdf", "b.pdf"]);
}
