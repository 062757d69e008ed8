//! Errors caused by the caller's input: each is one line with the cause and the remedy. Nothing invalid is sent, no partial file remains,
//! and no secret is shown.

use std::path::Path;

use documine::{Client, Credentials, DossierFields, DossierHandle, Error, ErrorKind, PackageRequest, Source};

use crate::harness::assertions::{SECRETS, assert_error, credentials};
use crate::harness::canned_server::{CannedServer, response};
use crate::harness::messages::{
    MISSING_FOLDER, NOT_A_FOLDER, UNKNOWN_TOKEN_PATH, UNNAMED_DOSSIER, timed_out, write_error,
};
use crate::harness::pdf_fixtures::{INVOICE, STUDY, big_pdf, encrypted_pdf};
use crate::harness::test_env::TestEnv;

#[tokio::test]
async fn reports_unreachable_service() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let time = TestEnv::new().await;
    let with = |credentials| {
        Client::builder(&base).workspace("acme").credentials(credentials).clock(time.time.clone()).build().unwrap()
    };
    let error = with(credentials()).license().await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Connect,
        "login with a password: the request to the identity provider failed: Connection refused (os error 111)",
    );
    assert!(!error.was_sent() && error.is_transient());
    let error = with(Credentials::access_token(SECRETS[2])).license().await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Connect,
        "getLicense: could not connect to the service: Connection refused (os error 111)",
    );
    assert!(!error.was_sent() && error.is_transient());
    assert_eq!(error.attempts(), 4);
}

#[tokio::test]
async fn reports_base_url_of_another_service() {
    let server = CannedServer::respond_with(|_| {
        response("404 Not Found", &["Content-Type: text/html"], "<html>Nothing here</html>")
    })
    .await;
    let client = Client::builder(&server.base).workspace("acme").credentials(credentials()).build().unwrap();
    assert_error(&client.license().await.unwrap_err(), ErrorKind::Auth, UNKNOWN_TOKEN_PATH);
}

#[tokio::test]
async fn reports_unknown_workspace() {
    let env = TestEnv::new().await;
    let error = env.builder().workspace("nobody").build().unwrap().license().await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Auth,
        "login with a password: the identity provider refused: Realm does not exist; check the workspace's name",
    );
}

#[tokio::test]
async fn reports_unknown_template_with_its_id() {
    let env = TestEnv::new().await;
    let template = env.client.dossier_template("no-such-template".parse::<documine::DossierTemplateId>().unwrap());
    let message = "404 Not Found: There is no dossier template no-such-template.";
    assert_error(&template.get().await.unwrap_err(), ErrorKind::Api, &format!("getDossierTemplate: {message}"));
    assert_error(&template.dossiers().await.unwrap_err(), ErrorKind::Api, &format!("getDossiers: {message}"));
    let error = template.create_dossier(DossierFields::named("Q3")).await.map(drop).unwrap_err();
    assert_error(&error, ErrorKind::Api, &format!("createOrUpdateDossier: {message}"));
    assert!(error.is_not_found());
}

#[tokio::test]
async fn rejects_dossier_without_name() {
    let env = TestEnv::new().await;
    let error = env.template().create_dossier(DossierFields::named("  ")).await.map(drop).unwrap_err();
    assert_error(&error, ErrorKind::Input, UNNAMED_DOSSIER);
    assert_eq!(env.request_log(), Vec::<String>::new());
}

async fn upload(dossier: &DossierHandle, source: Source) -> Error {
    dossier.upload(source).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn rejects_missing_or_unreadable_file_before_sending() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let before = env.request_log().len();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing.pdf");
    let error = upload(&dossier, Source::path(&path)).await;
    assert_error(&error, ErrorKind::Input, &format!("uploadFile: {}: file not found; check the path", path.display()));
    assert!(!error.was_sent());

    let error = upload(&dossier, Source::path(folder.path())).await;
    assert_error(
        &error,
        ErrorKind::Input,
        &format!("uploadFile: {} is a folder; upload the files in it", folder.path().display()),
    );
    let error = upload(&dossier, Source::path("")).await;
    assert_eq!(error.kind(), ErrorKind::Input);
    let error = upload(&dossier, Source::bytes("", INVOICE)).await;
    assert_error(&error, ErrorKind::Input, "uploadFile: the upload has no file name; set one with `file_name(…)`");
    let error = upload(&dossier, Source::bytes("a\r\nX-Other: b.pdf", INVOICE)).await;
    assert_error(
        &error,
        ErrorKind::Input,
        r#"uploadFile: file name "a\r\nX-Other: b.pdf" contains control characters; set another name with `file_name(…)`"#,
    );
    let error = upload(&dossier, Source::path("/dev/null")).await;
    assert_error(
        &error,
        ErrorKind::Input,
        "uploadFile: /dev/null is not a regular file; its length must be known before the upload",
    );
    let inside = folder.path().join("a.pdf");
    std::fs::write(&inside, INVOICE).unwrap();
    let error = upload(&dossier, Source::path(inside.join("b.pdf"))).await;
    assert_error(
        &error,
        ErrorKind::File,
        &format!("uploadFile: cannot read {}/b.pdf: Not a directory (os error 20)", inside.display()),
    );
    assert_eq!(env.request_log_since(before), Vec::<String>::new());
}

/// Uploads a file of more than 400,000 bytes and calls `change` after the first bytes are sent.
async fn upload_while(change: impl Fn(&Path) + Send + Sync + 'static) -> (TestEnv, DossierHandle, Error, String) {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.pdf");
    std::fs::write(&path, big_pdf("a page", 400_000)).unwrap();
    let touched = path.clone();
    let call = dossier.upload(Source::path(&path)).with_progress(move |_, _| change(&touched));
    let error = call.await.map(drop).unwrap_err();
    let line = format!(
        "uploadFile: {} changed during the upload; upload it again when no program writes to it",
        path.display()
    );
    (env, dossier, error, line)
}

#[tokio::test]
async fn detects_file_that_grows_during_upload() {
    let append = |path: &Path| {
        use std::io::Write;
        std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap();
    };
    let (_world, dossier, error, line) = upload_while(append).await;
    assert_error(&error, ErrorKind::Input, &line);
    assert_eq!(dossier.files().await.unwrap(), []);
}

#[tokio::test]
async fn detects_file_that_shrinks_or_disappears_during_upload() {
    let shrink = |path: &Path| std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(100).unwrap();
    let (_world, dossier, error, line) = upload_while(shrink).await;
    assert_error(&error, ErrorKind::Input, &line);
    assert_eq!(dossier.files().await.unwrap(), []);

    let (_world, dossier, error, line) = upload_while(|path| drop(std::fs::remove_file(path))).await;
    assert_error(&error, ErrorKind::Input, &line);
    assert_eq!(dossier.files().await.unwrap(), []);
}

#[tokio::test]
async fn reports_reason_when_service_rejects_document() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    for (name, content, reason) in [
        ("empty.pdf", Vec::new(), "The file empty.pdf is empty."),
        ("notes.pdf", b"just a note".to_vec(), "The file notes.pdf is not a PDF document."),
        (
            "locked.pdf",
            encrypted_pdf(),
            "The file locked.pdf is encrypted. Please upload it without password protection.",
        ),
    ] {
        let error = upload(&dossier, Source::bytes(name, content)).await;
        assert_error(&error, ErrorKind::Api, &format!("uploadFile: 400 Bad Request: {reason}"));
        assert_eq!(error.api_message(), Some(reason));
        assert!(error.was_sent() && !error.is_transient());
    }
    let mut torn = STUDY[..STUDY.len() / 2].to_vec();
    torn.truncate(200);
    let error = upload(&dossier, Source::bytes("torn.pdf", torn)).await;
    let line = error.to_string();
    assert!(
        line.starts_with(
            "uploadFile: 400 Bad Request: The file torn.pdf is damaged and can't be read as a PDF document: "
        ),
        "{line}"
    );
    assert_eq!(dossier.files().await.unwrap(), []);
    assert_eq!(env.client.license_usage().await.unwrap().analysed_pages, Some(0));
}

#[tokio::test]
async fn reports_unwritable_target_and_leaves_no_partial_file() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "a file").unwrap();
    let shown = folder.path().display();
    for (target, reason) in [
        (folder.path().join("missing/out.zip"), MISSING_FOLDER),
        (file.join("out.zip"), NOT_A_FOLDER),
        (folder.path().to_owned(), "the path is a folder; append a file name"),
        (folder.path().join(".."), "the path has no file name"),
    ] {
        let error = package.save_to(&target).await.unwrap_err();
        assert_error(&error, ErrorKind::File, &write_error(&target, reason));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{shown}");
    assert_eq!(std::fs::read(&file).unwrap(), b"a file");
    // The package is still available.
    package.save_to(folder.path().join("out.zip")).await.unwrap();
}

#[tokio::test]
async fn reports_failed_package_and_archived_dossier_in_one_line() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    env.sim.control().fail_next_package("Out of paper.");
    let operation = file.create_package(PackageRequest::default()).await.unwrap();
    let error = Error::from(operation.wait().await.unwrap_err());
    assert_error(
        &error,
        ErrorKind::Operation,
        &format!("package {} ended in state FAILED: Out of paper.", operation.id()),
    );

    env.sim.control().archive_dossier(dossier.id().as_str()).unwrap();
    let error = upload(&dossier, Source::bytes("invoice.pdf", INVOICE)).await;
    assert_error(
        &error,
        ErrorKind::Api,
        "uploadFile: 409 Conflict: The dossier Q3 filings is archived and can no longer be changed.",
    );
}

#[tokio::test]
async fn times_out_when_service_does_not_respond() {
    let silent = CannedServer::respond_and_hold(|_| {
        // With the clock paused, the timeout fires as soon as the runtime is idle.
        tokio::time::pause();
        Vec::new()
    })
    .await;
    let client = Client::builder(&silent.base)
        .workspace("acme")
        .credentials(Credentials::access_token(SECRETS[2]))
        .build()
        .unwrap();
    let call = client
        .dossier_template("t".parse::<documine::DossierTemplateId>().unwrap())
        .create_dossier(DossierFields::named("Q3"));
    let error = call.with_timeout(std::time::Duration::from_secs(50)).await.map(drop).unwrap_err();
    assert_error(&error, ErrorKind::Timeout, &timed_out("createOrUpdateDossier"));
    assert!(error.is_timeout() && error.was_sent());
    assert_eq!(error.attempts(), 1);
}
