//! Packages: of a file, of several files, of a dossier; created, saved, inspected, deleted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    DossierHandle, DownloadFileType, Error, ErrorKind, Package, PackageRequest,
    models::{DownloadId, DownloadState, ReportTemplateId},
    wait::{PollState, WaitErrorKind},
};
use futures_util::TryStreamExt;

use crate::harness::canned_server::response;
use crate::harness::messages::timed_out;
use crate::harness::package_server::PackageServer;
use crate::harness::pdf_fixtures::{INVOICE, STUDY, unzip, zip};
use crate::harness::test_env::{TestEnv, header, originals, upload_processed};
use crate::harness::zip_target;

/// Requests the originals and a report for each report template.
async fn all_content(dossier: &DossierHandle) -> PackageRequest {
    let reports: Vec<ReportTemplateId> = dossier.get().await.unwrap().report_template_ids;
    assert!(!reports.is_empty());
    PackageRequest::reports(reports).and_file_types([DownloadFileType::Original])
}

/// Downloads the package and returns its entries with their names.
async fn read_entries(package: &Package) -> Vec<(String, Vec<u8>)> {
    let chunks: Vec<_> = package.stream().await.unwrap().try_collect().await.unwrap();
    unzip(&chunks.concat())
}

fn names(entries: &[(String, Vec<u8>)]) -> Vec<&str> {
    entries.iter().map(|(name, _)| name.as_str()).collect()
}

fn content<'a>(entries: &'a [(String, Vec<u8>)], ending: &str) -> &'a [u8] {
    let found: Vec<_> = entries.iter().filter(|(name, _)| name.ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "{ending}: {:?}", names(entries));
    &found[0].1
}

#[tokio::test]
async fn creates_waits_for_saves_and_deletes_package_of_one_file() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let operation = file.create_package(all_content(&dossier).await).await.unwrap();
    let start = env.sim.clock().now();
    let observed = Arc::new(Mutex::new(Vec::new()));
    let states = Arc::clone(&observed);
    let package = operation.wait().on_state(move |state| states.lock().unwrap().push(state.to_owned())).await.unwrap();
    assert_eq!(*observed.lock().unwrap(), ["QUEUED", "GENERATING"]);
    let polls: Vec<_> = env.request_times("getDownload", start).iter().map(Duration::as_millis).collect();
    assert_eq!(polls, [0, 500, 1000]);
    assert_eq!(package.id(), operation.id());
    assert_eq!(package.status().status, Some(DownloadState::Ready));
    assert_eq!(package.status().file_ids, [file.id().clone()]);

    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("package.zip");
    let saved = package.save_to(&target).await.unwrap();
    assert_eq!(saved.path, target);
    let bytes = std::fs::read(&target).unwrap();
    assert_eq!((saved.bytes, package.status().file_size), (bytes.len() as u64, i64::try_from(bytes.len()).ok()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let entries = unzip(&bytes);
    assert_eq!(content(&entries, "study.pdf"), STUDY);

    package.delete().await.unwrap();
    assert!(package.delete().await.unwrap_err().is_not_found());
    let error = package.save_to(&target).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(std::fs::read(&target).unwrap(), bytes, "a failed call keeps the existing file");
}

#[tokio::test]
async fn package_contains_report_components_and_originals() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let package = file.create_package(all_content(&dossier).await).await.unwrap().wait().await.unwrap();
    let entries = read_entries(&package).await;

    let sheet = unzip(content(&entries, ".xlsx"));
    assert!(names(&sheet).contains(&"xl/workbook.xml") && names(&sheet).contains(&"xl/worksheets/sheet1.xml"));
    let texts: String = sheet.iter().map(|(_, xml)| String::from_utf8_lossy(xml)).collect();
    for text in ["StudyNumber", "SVL-2023-0117", "Examplia Crop Care AG", "study.pdf"] {
        assert!(texts.contains(text), "{text} is not in the report");
    }

    let live = file.components().await.unwrap();
    let listed: serde_json::Value = serde_json::from_slice(content(&entries, ".json")).unwrap();
    assert!(listed.to_string().contains("SVL-2023-0117"), "{listed}");
    let xml = String::from_utf8(content(&entries, ".xml").to_vec()).unwrap();
    assert!(xml.contains(&format!("<fileId>{}</fileId>", live.file_id())), "{xml}");
    assert_eq!(content(&entries, "study.pdf"), STUDY);
}

#[tokio::test]
async fn package_of_some_files_contains_only_those() {
    let env = TestEnv::new().await;
    let (dossier, first) = env.processed_file("first.pdf", STUDY).await;
    upload_processed(&dossier, "second.pdf", INVOICE).await;
    let third = upload_processed(&dossier, "third.pdf", INVOICE).await;
    let operation = dossier.create_files_package([first.id(), third.id()], originals()).await.unwrap();
    let package = operation.wait().await.unwrap();
    assert_eq!(package.status().file_ids, [first.id().clone(), third.id().clone()]);
    let entries = read_entries(&package).await;
    content(&entries, "first.pdf");
    content(&entries, "third.pdf");
    assert!(!names(&entries).iter().any(|name| name.contains("second")), "{:?}", names(&entries));
}

#[tokio::test]
async fn package_of_dossier_contains_all_files() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    upload_processed(&dossier, "invoice.pdf", INVOICE).await;
    let package = dossier.create_package(all_content(&dossier).await).await.unwrap().wait().await.unwrap();
    assert_eq!(package.status().dossier_id.as_ref(), Some(dossier.id()));
    let entries = read_entries(&package).await;
    assert_eq!(content(&entries, "study.pdf"), STUDY);
    assert_eq!(content(&entries, "invoice.pdf"), INVOICE);
}

#[cfg(has = "getDownloads")]
#[tokio::test]
async fn lists_packages_and_reopens_them_by_id() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let first = dossier.create_package(originals()).await.unwrap();
    let second = file.create_package(originals()).await.unwrap();
    let listed = env.client.downloads().await.unwrap();
    assert_eq!(
        listed.iter().map(|package| package.download_id.as_str()).collect::<Vec<_>>(),
        [first.id().as_str(), second.id().as_str()]
    );
    assert!(listed.iter().all(|package| package.status == Some(DownloadState::Queued)));

    // As in another process that knows only the id.
    let id: DownloadId = second.id().clone();
    let package = env.builder().build().unwrap().download(id).job().wait().await.unwrap();
    assert_eq!(package.status().file_ids, [file.id().clone()]);
    assert_eq!(content(&read_entries(&package).await, "study.pdf"), STUDY);
}

#[tokio::test]
async fn poll_once_returns_current_state() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    let name = |state: PollState<Package>| match state {
        PollState::Working(name) => name,
        PollState::Done(package) => package.status().status.as_ref().unwrap().to_string(),
        _ => panic!("unexpected state"),
    };
    let mut names = Vec::new();
    for seconds in [0, 0, 1, 1] {
        env.sim.clock().advance(Duration::from_millis(400 * seconds));
        names.push(name(operation.poll_once().await.unwrap()));
    }
    assert_eq!(names, ["QUEUED", "QUEUED", "GENERATING", "GENERATING"]);
    env.time.advance(1);
    assert_eq!(name(operation.poll_once().await.unwrap()), "READY");
    assert_eq!(
        env.time.sleeps(),
        [Duration::from_millis(500), Duration::from_millis(500), Duration::from_millis(700)],
        "only the analysis was awaited"
    );
}

#[tokio::test]
async fn streams_package_with_its_length() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    let stream = package.stream().await.unwrap();
    let announced = stream.length().unwrap();
    let chunks: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>(), announced);
    assert!(env.client.download(package.id().clone()).get().await.unwrap().last_download.is_some());
}

#[tokio::test]
async fn reports_download_progress() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    let moves = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&moves);
    let folder = tempfile::tempdir().unwrap();
    let call = package
        .save_to(folder.path().join("a.zip"))
        .with_progress(move |moved, total| recorded.lock().unwrap().push((moved, total)));
    let saved = call.await.unwrap();
    let moves = moves.lock().unwrap();
    assert_eq!(moves.last(), Some(&(saved.bytes, Some(saved.bytes))));
    assert!(moves.windows(2).all(|two| two[0].0 < two[1].0));
}

#[tokio::test]
async fn reports_progress_of_opened_package() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    let length = package.stream().await.unwrap().length();
    let moves = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&moves);
    let call = package.open().with_progress(move |moved, total| recorded.lock().unwrap().push((moved, total)));
    call.await.unwrap().close().await.unwrap();
    assert_eq!(moves.lock().unwrap().last(), Some(&(length.unwrap(), length)));
}

#[tokio::test]
async fn stream_rejects_package_above_the_size_limit() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    let length = package.stream().await.unwrap().length().unwrap();
    let chunks: Vec<_> = package.stream().max_bytes(length).await.unwrap().try_collect().await.unwrap();
    assert_eq!(chunks.concat().len() as u64, length);
    let error = package.stream().max_bytes(length - 1).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
}

#[tokio::test]
async fn replaces_existing_file() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    let (folder, target) = zip_target();
    std::fs::write(&target, "previous content").unwrap();
    package.save_to(&target).await.unwrap();
    assert_eq!(content(&unzip(&std::fs::read(&target).unwrap()), "study.pdf"), STUDY);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn reports_reason_of_failed_package() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    env.sim.control().fail_next_package("The report template is damaged.");
    let operation = dossier.create_package(originals()).await.unwrap();
    let error = operation.wait().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Failed, "{error:?}");
    assert_eq!((error.last_state(), error.message()), (Some("FAILED"), Some("The report template is damaged.")));
    assert_eq!(
        error.to_string(),
        format!("package {} ended in state FAILED: The report template is damaged.", operation.id())
    );
    let error = Error::from(error);
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert!(!error.is_transient() && !error.is_timeout());
    // The next package succeeds.
    dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
}

#[tokio::test]
async fn reports_expired_package_as_gone() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    let package = operation.wait().await.unwrap();
    env.sim.control().expire_packages();
    let error = operation.wait().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Gone);
    assert_eq!(error.to_string(), format!("package {} no longer exists; last state: unknown", operation.id()));
    let folder = tempfile::tempdir().unwrap();
    let error = package.save_to(folder.path().join("a.zip")).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.operation(), Some("downloadPackage"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn download_of_unready_package_is_a_conflict() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    let id: DownloadId = operation.id().clone();
    // The facade offers downloads only for ready packages; the raw client has no such check.
    let error = env.client.raw().download_package().download_id(id).send().await.map(drop).unwrap_err();
    let error = Error::find(&error).unwrap();
    assert!(error.is_conflict() && !error.is_transient());
    assert!(error.to_string().starts_with("downloadPackage: 409 Conflict: "), "{error}");
}

#[tokio::test]
async fn cancel_deletes_package() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    operation.cancel().await.unwrap();
    #[cfg(has = "getDownloads")]
    assert_eq!(env.client.downloads().await.unwrap(), []);
    assert_eq!(operation.poll_once().await.unwrap_err().kind(), WaitErrorKind::Gone);
}

#[tokio::test]
async fn poll_reports_package_gone_that_was_deleted_before_the_first_poll() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    env.client.download(operation.id().clone()).delete().await.unwrap();
    // A machine of the service may not know a new id yet.
    let state = operation.poll_once().await.unwrap();
    assert!(matches!(&state, PollState::Working(name) if name == "UNKNOWN"), "{state:?}");
    env.time.advance(10);
    assert_eq!(operation.poll_once().await.unwrap_err().kind(), WaitErrorKind::Gone);
}

#[tokio::test]
async fn creates_package_during_reanalysis() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    env.sim.control().reanalyse(file.id().as_str()).unwrap();
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    assert_eq!(content(&read_entries(&package).await, "study.pdf"), STUDY);
}

#[tokio::test]
async fn never_saves_truncated_package() {
    let mut truncated = response("200 OK", &["Content-Type: application/zip"], &"x".repeat(1000));
    truncated.truncate(truncated.len() - 400);
    let server = PackageServer::start(move |_| truncated.clone()).await;
    let package = server.package().await;
    let (folder, target) = zip_target();
    std::fs::write(&target, "previous content").unwrap();
    let error = package.save_to(&target).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Integrity), "{error:?}");
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(error.operation(), Some("downloadPackage"));
    assert_eq!(std::fs::read(&target).unwrap(), b"previous content");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let chunks: Result<Vec<_>, _> = package.stream().await.unwrap().try_collect().await;
    chunks.unwrap_err();
}

#[tokio::test]
async fn accepts_package_of_unknown_length() {
    let zip = zip(&[("a.txt", b"a")]);
    let mut body = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n".to_vec();
    body.extend_from_slice(&zip);
    let server = PackageServer::start(move |_| body.clone()).await;
    let package = server.package().await;
    let (_folder, target) = zip_target();
    assert_eq!(package.save_to(&target).await.unwrap().bytes, zip.len() as u64);
    assert_eq!(std::fs::read(&target).unwrap(), zip);
    let accept = server
        .service
        .requests()
        .last()
        .unwrap()
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("accept: ").map(str::to_owned))
        .unwrap();
    assert!(
        !cfg!(reconstruction) || accept.contains("application/zip") && accept.contains("application/octet-stream"),
        "{accept}"
    );
}

#[tokio::test]
async fn times_out_when_download_stalls() {
    let partial = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning".to_vec();
    let server = PackageServer::stalling(partial).await;
    let package = server.package_with(|builder| builder.idle_timeout(Duration::from_secs(50))).await;
    let folder = tempfile::tempdir().unwrap();
    // With the clock paused, the timeout fires as soon as the runtime is idle.
    tokio::time::pause();
    let error = package.save_to(folder.path().join("a.zip")).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.to_string(), timed_out("downloadPackage"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn sends_fields_of_package_request() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let content = originals().preview_color("#9398a0").and_file_types([DownloadFileType::Preview]);
    let operation = dossier.create_package(content).await.unwrap();
    let request = &env.requests("prepareDossierDownload")[0];
    let kind = header(request, "content-type").unwrap_or_default();
    assert!(kind == "application/json" || (!cfg!(reconstruction) && kind.ends_with("+json")), "{kind}");
    operation.cancel().await.unwrap();
    let error = dossier.create_package(originals().preview_color("grey")).await.map(drop).unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
}
