//! Lost and unexpected responses: no call is reported as done, or as not done, without evidence.

use documine::{
    ErrorKind, Source,
    models::{DownloadId, FileId},
    retry::RetryMode,
};
use documine_sim::Fault;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::harness::canned_server::{json_response, response};
use crate::harness::messages::LOGIN_PAGE;
use crate::harness::pdf_fixtures::{STUDY, study_on_disk};
use crate::harness::scripted::{self, client, request_lines, scripted_server};
use crate::harness::test_env::{TestEnv, operation_path};

fn package_id() -> DownloadId {
    "d-1".parse().unwrap()
}

/// An empty response, which closes the connection.
fn no_response() -> Vec<u8> {
    Vec::new()
}

fn not_found() -> Vec<u8> {
    response("404 Not Found", &["Content-Type: application/json"], r#"{"message":"No such thing."}"#)
}

#[tokio::test]
async fn request_seen_once_counts_as_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap())).await;
    // The server reads the request and then closes its port: further attempts are refused.
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let error = client.download(package_id()).delete().await.unwrap_err();
    assert!(server.await.unwrap().starts_with(&format!("DELETE {} ", operation_path("deleteDownload", &["d-1"]))));
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 4));
    assert!(error.was_sent(), "{error:?}");
}

#[tokio::test]
async fn reports_accepted_upload_without_file_id() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(
        Fault::on("uploadFile").status(201).body("application/json", r#"{"fileIds":[],"processedFileIds":[]}"#),
    );
    let error = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "uploadFile: the service accepted the upload without returning a file id; search for the file in the list of the dossier"
    );
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.was_sent() && !error.is_transient());
    assert_eq!(env.requests("uploadFile").len(), 1);
}

#[tokio::test]
async fn retries_lost_upload_with_even_if_sent() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let (_folder, path) = study_on_disk();
    env.add_fault(Fault::on("uploadFile").times(1).reset_before_headers());
    env.add_fault(Fault::on("uploadFile").nth(2).unseen());
    let uploaded = dossier.upload(Source::path(&path)).with_retry_mode(RetryMode::EvenIfSent).await.unwrap();
    assert_eq!(uploaded.ids().len(), 1);
    let sent: Vec<_> =
        env.requests("uploadFile").iter().map(|request| (request.reached, request.request_bytes)).collect();
    let [(true, first), (false, _), (true, last)] = sent[..] else { panic!("{sent:?}") };
    assert!(first == last && first > STUDY.len() as u64, "each attempt sends the whole file");
    assert_eq!(dossier.files().await.unwrap().len(), 1, "the file of the same name is replaced");
}

#[tokio::test]
async fn repeated_deletion_succeeds_when_package_is_gone() {
    let service = scripted_server(vec![no_response(), not_found()]).await;
    client(&service.base).await.download(package_id()).delete().await.unwrap();
    assert_eq!(request_lines(&service), vec![format!("DELETE {}", operation_path("deleteDownload", &["d-1"])); 2]);
}

#[tokio::test]
async fn repeated_deletion_succeeds_when_dossier_or_file_is_gone() {
    let (dossier_path, file_path) =
        (operation_path("deleteDossier", &["t", "d"]), operation_path("deleteFile", &["t", "d", "f-1"]));
    for path in [&dossier_path, &file_path] {
        let service = scripted_server(vec![no_response(), not_found()]).await;
        let dossier = scripted::dossier(&client(&service.base).await);
        if path == &dossier_path {
            dossier.delete().permanently(true).await.unwrap();
        } else {
            dossier.file("f-1".parse::<FileId>().unwrap()).delete().permanently(true).await.unwrap();
        }
        assert_eq!(request_lines(&service), vec![format!("DELETE {path}?deletePermanently=true"); 2]);
    }
}

#[tokio::test]
async fn deletion_of_unknown_package_fails() {
    let service = scripted_server(vec![not_found()]).await;
    let error = client(&service.base).await.download(package_id()).delete().await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(request_lines(&service), [format!("DELETE {}", operation_path("deleteDownload", &["d-1"]))]);
}

#[tokio::test]
async fn never_saves_web_page_as_package() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    env.add_fault(Fault::on("downloadPackage").status(200).body("text/html; charset=utf-8", "<html>Sign in</html>"));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("package.zip");
    std::fs::write(&target, "previous content").unwrap();

    let saving = package.save_to(&target).await.unwrap_err();
    let streaming = package.stream().await.unwrap_err();
    for error in [saving, streaming] {
        assert_eq!(error.to_string(), format!("downloadPackage: {LOGIN_PAGE}"));
        assert_eq!((error.kind(), error.body_snippet()), (ErrorKind::Decode, Some("<html>Sign in</html>")));
    }
    assert_eq!(std::fs::read(&target).unwrap(), b"previous content");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn rejects_trailing_data_after_json() {
    let service = scripted_server(vec![json_response(r#"{"licensedPages":5} and more"#)]).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "getLicense: 200 OK, but the body has content after its JSON value: trailing characters at line 1 column 21"
    );
    assert_eq!((error.kind(), error.body_snippet()), (ErrorKind::Decode, Some(r#"{"licensedPages":5} and more"#)));
    assert!(error.was_sent() && !error.is_transient());
}

#[cfg(has = "getDossierComponents")]
#[tokio::test]
async fn never_returns_json_as_xml() {
    if !documine_sim::wire::has_xml("getComponents") || !documine_sim::wire::has_xml("getDossierComponents") {
        return;
    }
    let service = scripted_server(vec![json_response(r#"{"files":[],"fileId":"f-1"}"#)]).await;
    let dossier = scripted::dossier(&client(&service.base).await);
    let file = dossier.file("f-1".parse::<FileId>().unwrap());
    for (operation, error) in [
        ("getComponents", file.components_xml().await.unwrap_err()),
        ("getDossierComponents", dossier.components_xml().await.unwrap_err()),
    ] {
        assert_eq!(
            error.to_string(),
            format!("{operation}: 200 OK, but the media type is \"application/json\", not XML")
        );
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(error.body_snippet(), Some(r#"{"files":[],"fileId":"f-1"}"#));
    }
}
