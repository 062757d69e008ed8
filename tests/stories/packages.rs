//! Result packages: of a file, of several files, of a dossier; waited for, fetched, looked into, deleted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    Client, ClientBuilder, Credentials, DossierHandle, DownloadFileType, DownloadId, DownloadState, Error, ErrorKind,
    Operation, Package, PackageContent, ReportTemplateId, State, WaitError,
};
use futures_util::TryStreamExt;

use crate::canned::{Canned, answer, json};
use crate::paper::{INVOICE, STUDY, unzip};
use crate::world::{World, add, header, path};

/// The originals, and a report by each report template of the dossier's template.
async fn everything(dossier: &DossierHandle) -> PackageContent {
    let reports: Vec<ReportTemplateId> = dossier.get().await.unwrap().report_template_ids;
    assert!(!reports.is_empty());
    PackageContent::reports(reports).and_file_types([DownloadFileType::Original])
}

fn originals() -> PackageContent {
    PackageContent::file_types([DownloadFileType::Original])
}

/// Everything a package holds, by entry name.
async fn fetched(package: &Package) -> Vec<(String, Vec<u8>)> {
    let pieces: Vec<_> = package.stream().await.unwrap().try_collect().await.unwrap();
    unzip(&pieces.concat())
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
async fn a_package_of_one_file_is_queued_made_fetched_and_deleted() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    let operation = file.create_package(everything(&dossier).await).await.unwrap();
    let start = world.sim.clock().now();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let states = Arc::clone(&seen);
    let package = operation.wait().on_state(move |state| states.lock().unwrap().push(state.to_owned())).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["QUEUED", "GENERATING"]);
    let looks: Vec<_> = world.instants("getDownload", start).iter().map(Duration::as_millis).collect();
    assert_eq!(looks, [0, 500, 1000]);
    assert_eq!(package.id().as_str(), operation.id());
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
    assert_eq!(std::fs::read(&target).unwrap(), bytes, "a failed call leaves the file that is there");
}

#[tokio::test]
async fn a_package_holds_the_report_the_components_and_the_originals() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    let package = file.create_package(everything(&dossier).await).await.unwrap().wait().await.unwrap();
    let entries = fetched(&package).await;

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
    assert!(xml.contains(&format!("<fileId>{}</fileId>", live.file_id)), "{xml}");
    assert_eq!(content(&entries, "study.pdf"), STUDY);
}

#[tokio::test]
async fn a_package_of_some_files_holds_those_and_no_others() {
    let world = World::new().await;
    let (dossier, first) = world.processed("first.pdf", STUDY).await;
    add(&dossier, "second.pdf", INVOICE).await;
    let third = add(&dossier, "third.pdf", INVOICE).await;
    let operation = dossier.create_files_package([first.id(), third.id()], originals()).await.unwrap();
    let package = operation.wait().await.unwrap();
    assert_eq!(package.status().file_ids, [first.id().clone(), third.id().clone()]);
    let entries = fetched(&package).await;
    content(&entries, "first.pdf");
    content(&entries, "third.pdf");
    assert!(!names(&entries).iter().any(|name| name.contains("second")), "{:?}", names(&entries));
}

#[tokio::test]
async fn a_package_of_a_dossier_holds_all_its_files() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    add(&dossier, "invoice.pdf", INVOICE).await;
    let package = dossier.create_package(everything(&dossier).await).await.unwrap().wait().await.unwrap();
    assert_eq!(package.status().dossier_id.as_ref(), Some(dossier.id()));
    let entries = fetched(&package).await;
    assert_eq!(content(&entries, "study.pdf"), STUDY);
    assert_eq!(content(&entries, "invoice.pdf"), INVOICE);
}

#[cfg(has = "getDownloads")]
#[tokio::test]
async fn packages_are_listed_and_found_again_by_their_id() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    let first = dossier.create_package(originals()).await.unwrap();
    let second = file.create_package(originals()).await.unwrap();
    let listed = world.client.downloads().await.unwrap();
    assert_eq!(
        listed.iter().map(|package| package.download_id.as_str()).collect::<Vec<_>>(),
        [first.id(), second.id()]
    );
    assert!(listed.iter().all(|package| package.status == Some(DownloadState::Queued)));

    // As another process would that was told no more than the id.
    let id: DownloadId = second.id().parse().unwrap();
    let package = world.builder().build().unwrap().download(id).operation().wait().await.unwrap();
    assert_eq!(package.status().file_ids, [file.id().clone()]);
    assert_eq!(content(&fetched(&package).await, "study.pdf"), STUDY);
}

#[tokio::test]
async fn one_look_tells_where_a_package_stands() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    let name = |state: State<Package>| match state {
        State::Working(name) => name,
        State::Done(package) => package.status().status.as_ref().unwrap().to_string(),
        _ => panic!("a new kind of state"),
    };
    let mut names = Vec::new();
    for seconds in [0, 0, 1, 1] {
        world.sim.clock().advance(Duration::from_millis(400 * seconds));
        names.push(name(operation.poll_once().await.unwrap()));
    }
    assert_eq!(names, ["QUEUED", "QUEUED", "GENERATING", "GENERATING"]);
    world.time.pass(1);
    assert_eq!(name(operation.poll_once().await.unwrap()), "READY");
    assert_eq!(
        world.time.sleeps(),
        [Duration::from_millis(500), Duration::from_millis(500), Duration::from_millis(700)],
        "only the analysis was waited for"
    );
}

#[tokio::test]
async fn the_package_comes_as_a_stream_with_its_length() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    let stream = package.stream().await.unwrap();
    let announced = stream.length().unwrap();
    let pieces: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(pieces.iter().map(|piece| piece.len() as u64).sum::<u64>(), announced);
    assert!(world.client.download(package.id().clone()).get().await.unwrap().last_download.is_some());
}

#[tokio::test]
async fn progress_is_told_while_a_package_is_fetched() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    let moves = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&moves);
    let folder = tempfile::tempdir().unwrap();
    let call = package
        .save_to(folder.path().join("a.zip"))
        .with_progress(move |moved, total| noted.lock().unwrap().push((moved, total)));
    let saved = call.await.unwrap();
    let moves = moves.lock().unwrap();
    assert_eq!(moves.last(), Some(&(saved.bytes, Some(saved.bytes))));
    assert!(moves.windows(2).all(|two| two[0].0 < two[1].0));
}

#[tokio::test]
async fn a_package_takes_the_place_of_the_file_that_is_there() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    std::fs::write(&target, "what was there before").unwrap();
    package.save_to(&target).await.unwrap();
    assert_eq!(content(&unzip(&std::fs::read(&target).unwrap()), "study.pdf"), STUDY);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_package_that_failed_says_why() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    world.sim.control().fail_next_package("The report template is damaged.");
    let operation = dossier.create_package(originals()).await.unwrap();
    let error = operation.wait().await.unwrap_err();
    let WaitError::Failed { state, message, .. } = &error else { panic!("{error:?}") };
    assert_eq!((state.as_str(), message.as_str()), ("FAILED", "The report template is damaged."));
    assert_eq!(
        error.to_string(),
        format!("package {} ended as FAILED: The report template is damaged.", operation.id())
    );
    let error = Error::from(error);
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert!(!error.is_transient() && !error.is_timeout());
    // The next one is made.
    dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
}

#[tokio::test]
async fn a_package_that_expired_is_gone() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    let package = operation.wait().await.unwrap();
    world.sim.control().expire_packages();
    let error = operation.wait().await.unwrap_err();
    assert!(matches!(error, WaitError::Gone { .. }));
    assert_eq!(error.to_string(), format!("package {} is not there any more (last state: unknown)", operation.id()));
    let folder = tempfile::tempdir().unwrap();
    let error = package.save_to(folder.path().join("a.zip")).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.operation(), Some("downloadPackage"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_package_that_is_not_ready_can_not_be_fetched() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    let id: DownloadId = operation.id().parse().unwrap();
    // The types offer it for a ready package only; the raw client has no such scruples.
    let error = world.client.raw().download_package().download_id(id).send().await.map(drop).unwrap_err();
    let error = Error::find(&error).unwrap();
    assert!(error.is_conflict() && !error.is_transient());
    assert!(error.to_string().starts_with("downloadPackage: 409 Conflict: "), "{error}");
}

#[tokio::test]
async fn a_package_that_is_given_up_is_deleted() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let operation = dossier.create_package(originals()).await.unwrap();
    operation.cancel().await.unwrap();
    #[cfg(has = "getDownloads")]
    assert_eq!(world.client.downloads().await.unwrap(), []);
    assert!(matches!(operation.poll_once().await.unwrap_err(), WaitError::Gone { .. }));
}

#[tokio::test]
async fn a_package_during_a_reanalysis_is_still_made() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    world.sim.control().reanalyse(file.id().as_str()).unwrap();
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    assert_eq!(content(&fetched(&package).await, "study.pdf"), STUDY);
}

fn client_of(service: &Canned) -> ClientBuilder {
    Client::builder(&service.base).workspace("acme").credentials(Credentials::access_token("t"))
}

/// A package of a service that sends `body` in place of a ZIP.
async fn package_of(body: Vec<u8>) -> (Canned, Package) {
    let service = Canned::answering(move |head| {
        if head.starts_with(&format!("GET {} ", path("downloadPackage", &["d-1"]))) {
            body.clone()
        } else {
            json(&documine_sim::wire::answer("getDownload", r#"{"downloadId":"d-1","status":"READY"}"#))
        }
    })
    .await;
    let client = client_of(&service).build().unwrap();
    let operation: Operation<Package> = client.download("d-1".parse::<DownloadId>().unwrap()).operation();
    (service, operation.wait().await.unwrap())
}

#[tokio::test]
async fn half_a_package_never_gets_its_name() {
    let mut half = answer("200 OK", &["Content-Type: application/zip"], &"x".repeat(1000));
    half.truncate(half.len() - 400);
    let (_service, package) = package_of(half).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    std::fs::write(&target, "what was there before").unwrap();
    let error = package.save_to(&target).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Integrity), "{error:?}");
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(error.operation(), Some("downloadPackage"));
    assert_eq!(std::fs::read(&target).unwrap(), b"what was there before");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let pieces: Result<Vec<_>, _> = package.stream().await.unwrap().try_collect().await;
    pieces.unwrap_err();
}

#[tokio::test]
async fn a_package_of_unknown_length_is_taken_as_it_comes() {
    let zip = crate::paper::zip(&[("a.txt", b"a")]);
    let mut body = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n".to_vec();
    body.extend_from_slice(&zip);
    let (service, package) = package_of(body).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    assert_eq!(package.save_to(&target).await.unwrap().bytes, zip.len() as u64);
    assert_eq!(std::fs::read(&target).unwrap(), zip);
    let accept = service
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
async fn a_package_that_stands_still_is_given_up_after_the_idle_time() {
    let part = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning".to_vec();
    let service = Canned::answering_and_holding(move |head| {
        if head.starts_with(&format!("GET {} ", path("downloadPackage", &["d-1"]))) {
            part.clone()
        } else {
            json(&documine_sim::wire::answer("getDownload", r#"{"downloadId":"d-1","status":"READY"}"#))
        }
    })
    .await;
    let client = client_of(&service).idle_timeout(Duration::from_secs(50)).build().unwrap();
    let package = client.download("d-1".parse::<DownloadId>().unwrap()).operation().wait().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    // The limit runs out as soon as nothing else can happen.
    tokio::time::pause();
    let error = package.save_to(folder.path().join("a.zip")).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.to_string(), "downloadPackage: no data received from the service for 50s");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_fields_of_a_request_reach_the_service() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let content = originals().preview_color("#9398a0").and_file_types([DownloadFileType::Preview]);
    let operation = dossier.create_package(content).await.unwrap();
    let request = &world.requests("prepareDossierDownload")[0];
    let kind = header(request, "content-type").unwrap_or_default();
    assert!(kind == "application/json" || (!cfg!(reconstruction) && kind.ends_with("+json")), "{kind}");
    operation.cancel().await.unwrap();
    let error = dossier.create_package(originals().preview_color("grey")).await.map(drop).unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
}
