//! Answers that get lost, and answers that are not what was asked for: nothing is taken for done, or for undone, that is not.

use documine::{DossierId, DossierTemplateId, DownloadId, ErrorKind, FileId, Retry, Source};
use documine_sim::Fault;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::canned::{answer, json};
use crate::paper::STUDY;
use crate::scripted::{asked, client, service};
use crate::world::{World, path};

fn package_id() -> DownloadId {
    "d-1".parse().unwrap()
}

/// An answer that gets lost.
fn lost() -> Vec<u8> {
    Vec::new()
}

fn not_found() -> Vec<u8> {
    answer("404 Not Found", &["Content-Type: application/json"], r#"{"message":"No such thing."}"#)
}

#[tokio::test]
async fn a_request_that_was_seen_once_counts_as_sent_whatever_came_after() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap())).await;
    // Reads the request, then is gone, and so is its port: the further attempts reach nobody.
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let error = client.download(package_id()).delete().await.unwrap_err();
    assert!(server.await.unwrap().starts_with(&format!("DELETE {} ", path("deleteDownload", &["d-1"]))));
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 4));
    assert!(error.was_sent(), "{error:?}");
}

#[tokio::test]
async fn an_upload_that_was_taken_without_a_name_counts_as_sent() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world
        .sim
        .faults()
        .add(Fault::on("uploadFile").status(201).body("application/json", r#"{"fileIds":[],"processedFileIds":[]}"#));
    let error = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "uploadFile: the service took the upload but named no file; look for it in the dossier's list"
    );
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.was_sent() && !error.is_transient());
    assert_eq!(world.requests("uploadFile").len(), 1);
}

#[tokio::test]
async fn an_upload_whose_answer_was_lost_is_read_and_sent_again_when_its_caller_says_so() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.pdf");
    std::fs::write(&path, STUDY).unwrap();
    world.sim.faults().add(Fault::on("uploadFile").times(1).reset_before_headers());
    world.sim.faults().add(Fault::on("uploadFile").nth(2).unseen());
    let uploaded = dossier.upload(Source::path(&path)).with_retry(Retry::EvenIfSent).await.unwrap();
    assert_eq!(uploaded.ids().len(), 1);
    let sent: Vec<_> =
        world.requests("uploadFile").iter().map(|request| (request.reached, request.request_bytes)).collect();
    let [(true, first), (false, _), (true, last)] = sent[..] else { panic!("{sent:?}") };
    assert!(first == last && first > STUDY.len() as u64, "the whole file, each time");
    assert_eq!(dossier.files().await.unwrap().len(), 1, "the same name replaces it");
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_done_when_the_thing_is_gone() {
    let service = service(vec![lost(), not_found()]).await;
    client(&service.base).await.download(package_id()).delete().await.unwrap();
    assert_eq!(asked(&service), vec![format!("DELETE {}", path("deleteDownload", &["d-1"])); 2]);
}

#[tokio::test]
async fn deletions_of_dossiers_and_files_are_done_when_the_thing_is_gone() {
    let (dossier_path, file_path) =
        (path("deleteDossier", &["t-1", "d-1"]), path("deleteFile", &["t-1", "d-1", "f-1"]));
    for path in [&dossier_path, &file_path] {
        let service = service(vec![lost(), not_found()]).await;
        let template = client(&service.base).await.dossier_template("t-1".parse::<DossierTemplateId>().unwrap());
        let dossier = template.dossier("d-1".parse::<DossierId>().unwrap());
        if path == &dossier_path {
            dossier.delete().permanently().await.unwrap();
        } else {
            dossier.file("f-1".parse::<FileId>().unwrap()).delete().permanently().await.unwrap();
        }
        assert_eq!(asked(&service), vec![format!("DELETE {path}?deletePermanently=true"); 2]);
    }
}

#[tokio::test]
async fn a_deletion_of_what_was_never_there_is_no_success() {
    let service = service(vec![not_found()]).await;
    let error = client(&service.base).await.download(package_id()).delete().await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(asked(&service), [format!("DELETE {}", path("deleteDownload", &["d-1"]))]);
}

#[tokio::test]
async fn a_web_page_is_never_saved_as_a_package() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let content = documine::PackageContent::file_types([documine::DownloadFileType::Original]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
    world
        .sim
        .faults()
        .add(Fault::on("downloadPackage").status(200).body("text/html; charset=utf-8", "<html>Sign in</html>"));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("package.zip");
    std::fs::write(&target, "what was there before").unwrap();

    let saving = package.save_to(&target).await.unwrap_err();
    let streaming = package.stream().await.unwrap_err();
    for error in [saving, streaming] {
        assert_eq!(
            error.to_string(),
            "downloadPackage: 200 OK, but the response is an HTML page, possibly the login page of a proxy"
        );
        assert_eq!((error.kind(), error.body_snippet()), (ErrorKind::Decode, Some("<html>Sign in</html>")));
    }
    assert_eq!(std::fs::read(&target).unwrap(), b"what was there before");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn garbage_behind_the_json_is_no_answer() {
    let service = service(vec![json(r#"{"licensedPages":5} and more"#)]).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getLicense: 200 OK, but the body has content after its JSON value: trailing characters at line 1 column 21"
    );
    assert_eq!((error.kind(), error.body_snippet()), (ErrorKind::Decode, Some(r#"{"licensedPages":5} and more"#)));
    assert!(error.was_sent() && !error.is_transient());
}

#[cfg(has = "getDossierComponents")]
#[tokio::test]
async fn json_is_never_handed_out_as_xml() {
    if !documine_sim::wire::has_xml("getComponents") || !documine_sim::wire::has_xml("getDossierComponents") {
        return;
    }
    let service = service(vec![json(r#"{"files":[],"fileId":"f-1"}"#)]).await;
    let template = client(&service.base).await.dossier_template("t-1".parse::<DossierTemplateId>().unwrap());
    let dossier = template.dossier("d-1".parse::<DossierId>().unwrap());
    let file = dossier.file("f-1".parse::<FileId>().unwrap());
    for (operation, error) in [
        ("getComponents", file.components_xml().await.unwrap_err()),
        ("getDossierComponents", dossier.components_xml().await.unwrap_err()),
    ] {
        assert_eq!(error.to_string(), format!("{operation}: 200 OK, but the answer is \"application/json\", not XML"));
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(error.body_snippet(), Some(r#"{"files":[],"fileId":"f-1"}"#));
    }
}
