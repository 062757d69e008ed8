//! What goes wrong on this side: each time one clear line that says what, where, and what to do. Nothing is sent where nothing should be,
//! nothing half remains, and no secret is shown.

use std::path::Path;

use documine::{
    Client, Credentials, DossierHandle, DownloadFileType, Error, ErrorKind, NewDossier, PackageContent, Source,
};

use crate::canned::{Canned, answer};
use crate::paper::{INVOICE, STUDY, big_pdf, encrypted_pdf};
use crate::world::World;

pub const SECRETS: [&str; 3] = ["pa55-w0rd", "cl1ent-s3cret", "t0ken-t3xt"];

pub fn credentials() -> Credentials {
    Credentials::password("client", "robot", SECRETS[0]).client_secret(SECRETS[1])
}

/// One line, of this kind, without a secret.
pub fn is_line(error: &Error, kind: ErrorKind, line: &str) {
    assert_eq!(error.to_string(), line);
    assert_eq!(error.kind(), kind, "{line}");
    assert!(!line.contains('\n'));
    let all = format!("{error} {error:?}");
    for secret in SECRETS {
        assert!(!all.contains(secret), "{all}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let time = World::new().await;
    let with = |credentials| {
        Client::builder(&base).workspace("acme").credentials(credentials).clock(time.time.clone()).build().unwrap()
    };
    let error = with(credentials()).license().await.unwrap_err();
    is_line(
        &error,
        ErrorKind::Connect,
        "login with a password: the request to the identity provider failed: Connection refused (os error 111)",
    );
    assert!(!error.was_sent() && error.is_transient());
    let error = with(Credentials::access_token(SECRETS[2])).license().await.unwrap_err();
    is_line(
        &error,
        ErrorKind::Connect,
        "getLicense: could not connect to the service: Connection refused (os error 111)",
    );
    assert!(!error.was_sent() && error.is_transient());
    assert_eq!(error.attempts(), 4);
}

#[tokio::test]
async fn an_address_where_another_service_lives_is_told() {
    let shop =
        Canned::answering(|_| answer("404 Not Found", &["Content-Type: text/html"], "<html>Nothing here</html>")).await;
    let client = Client::builder(&shop.base).workspace("acme").credentials(credentials()).build().unwrap();
    is_line(
        &client.license().await.unwrap_err(),
        ErrorKind::Auth,
        "login with a password: the identity provider has no such path (404); check the base URL, the workspace and the token path",
    );
}

#[tokio::test]
async fn a_workspace_that_is_not_there_is_told() {
    let world = World::new().await;
    let error = world.builder().workspace("nobody").build().unwrap().license().await.unwrap_err();
    is_line(
        &error,
        ErrorKind::Auth,
        "login with a password: the identity provider refused: Realm does not exist; check the workspace's name",
    );
}

#[tokio::test]
async fn an_unknown_template_is_told_with_its_id() {
    let world = World::new().await;
    let template = world.client.dossier_template("no-such-template".parse::<documine::DossierTemplateId>().unwrap());
    let message = "404 Not Found: There is no dossier template no-such-template.";
    is_line(&template.get().await.unwrap_err(), ErrorKind::Api, &format!("getDossierTemplate: {message}"));
    is_line(&template.dossiers().await.unwrap_err(), ErrorKind::Api, &format!("getDossiers: {message}"));
    let error = template.create_dossier(NewDossier::named("Q3")).await.map(drop).unwrap_err();
    is_line(&error, ErrorKind::Api, &format!("createOrUpdateDossier: {message}"));
    assert!(error.is_not_found());
}

#[tokio::test]
async fn a_dossier_without_a_name_is_refused() {
    let world = World::new().await;
    let error = world.template().create_dossier(NewDossier::named("  ")).await.map(drop).unwrap_err();
    is_line(&error, ErrorKind::Input, "createOrUpdateDossier: the dossier has no name; give it one");
    assert_eq!(world.journal(), Vec::<String>::new());
}

async fn upload(dossier: &DossierHandle, source: Source) -> Error {
    dossier.upload(source).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn a_missing_file_is_told_and_nothing_is_sent() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let before = world.journal().len();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing.pdf");
    let error = upload(&dossier, Source::path(&path)).await;
    is_line(
        &error,
        ErrorKind::Input,
        &format!("uploadFile: {}: there is no such file; check the path", path.display()),
    );
    assert!(!error.was_sent());

    let error = upload(&dossier, Source::path(folder.path())).await;
    is_line(
        &error,
        ErrorKind::Input,
        &format!("uploadFile: {} is a folder; name the files in it", folder.path().display()),
    );
    let error = upload(&dossier, Source::path("")).await;
    assert_eq!(error.kind(), ErrorKind::Input);
    let error = upload(&dossier, Source::bytes("", INVOICE)).await;
    is_line(&error, ErrorKind::Input, "uploadFile: the upload has no file name; give one with `file_name(…)`");
    let error = upload(&dossier, Source::bytes("a\r\nX-Other: b.pdf", INVOICE)).await;
    is_line(
        &error,
        ErrorKind::Input,
        r#"uploadFile: the file name "a\r\nX-Other: b.pdf" holds control characters; give another one with `file_name(…)`"#,
    );
    let error = upload(&dossier, Source::path("/dev/null")).await;
    is_line(
        &error,
        ErrorKind::Input,
        "uploadFile: /dev/null is no regular file; its length can't be known before it is sent",
    );
    let inside = folder.path().join("a.pdf");
    std::fs::write(&inside, INVOICE).unwrap();
    let error = upload(&dossier, Source::path(inside.join("b.pdf"))).await;
    is_line(
        &error,
        ErrorKind::File,
        &format!("uploadFile: {}/b.pdf can't be read: Not a directory (os error 20)", inside.display()),
    );
    assert_eq!(world.journal_since(before), Vec::<String>::new());
}

/// Uploads a file of 400 000 bytes and more to which `change` is done when its first bytes have gone.
async fn upload_while(change: impl Fn(&Path) + Send + Sync + 'static) -> (World, DossierHandle, Error, String) {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.pdf");
    std::fs::write(&path, big_pdf("a page", 400_000)).unwrap();
    let touched = path.clone();
    let call = dossier.upload(Source::path(&path)).with_progress(move |_, _| change(&touched));
    let error = call.await.map(drop).unwrap_err();
    let line = format!(
        "uploadFile: {} changed while it was uploaded; upload it again when nobody writes to it",
        path.display()
    );
    (world, dossier, error, line)
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_uploaded_is_told_and_nothing_of_it_remains() {
    let append = |path: &Path| {
        use std::io::Write;
        std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap();
    };
    let (_world, dossier, error, line) = upload_while(append).await;
    is_line(&error, ErrorKind::Input, &line);
    assert_eq!(dossier.files().await.unwrap(), []);
}

#[tokio::test]
async fn a_file_that_shrinks_or_goes_while_it_is_uploaded_is_told_and_nothing_of_it_remains() {
    let shrink = |path: &Path| std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(100).unwrap();
    let (_world, dossier, error, line) = upload_while(shrink).await;
    is_line(&error, ErrorKind::Input, &line);
    assert_eq!(dossier.files().await.unwrap(), []);

    let (_world, dossier, error, line) = upload_while(|path| drop(std::fs::remove_file(path))).await;
    is_line(&error, ErrorKind::Input, &line);
    assert_eq!(dossier.files().await.unwrap(), []);
}

#[tokio::test]
async fn a_document_that_can_not_be_read_is_refused_with_the_services_reason() {
    let world = World::new().await;
    let dossier = world.dossier().await;
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
        is_line(&error, ErrorKind::Api, &format!("uploadFile: 400 Bad Request: {reason}"));
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
    assert_eq!(world.client.license_usage().await.unwrap().analysed_pages, Some(0));
}

#[tokio::test]
async fn a_place_that_can_not_be_written_is_told_and_nothing_half_remains() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let content = PackageContent::file_types([DownloadFileType::Original]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "a file").unwrap();
    let shown = folder.path().display();
    for (target, reason) in [
        (folder.path().join("missing/out.zip"), "No such file or directory (os error 2); create the folder first"),
        (file.join("out.zip"), "Not a directory (os error 20); choose a writable folder"),
        (folder.path().to_owned(), "it is a folder; name a file in it"),
        (folder.path().join(".."), "the path names no file"),
    ] {
        let error = package.save_to(&target).await.unwrap_err();
        is_line(&error, ErrorKind::File, &format!("downloadPackage: {} can't be written: {reason}", target.display()));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{shown}");
    assert_eq!(std::fs::read(&file).unwrap(), b"a file");
    // Nothing is lost: the package is still there.
    package.save_to(folder.path().join("out.zip")).await.unwrap();
}

#[tokio::test]
async fn a_package_that_failed_and_a_dossier_that_is_archived_are_one_line_each() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    world.sim.control().fail_next_package("Out of paper.");
    let operation = file.create_package(PackageContent::default()).await.unwrap();
    let error = Error::from(operation.wait().await.unwrap_err());
    is_line(&error, ErrorKind::Operation, &format!("package {} ended as FAILED: Out of paper.", operation.id()));

    world.sim.control().archive_dossier(dossier.id().as_str()).unwrap();
    let error = upload(&dossier, Source::bytes("invoice.pdf", INVOICE)).await;
    is_line(
        &error,
        ErrorKind::Api,
        "uploadFile: 409 Conflict: The dossier Q3 filings is archived and can no longer be changed.",
    );
}

#[tokio::test]
async fn a_service_that_is_silent_is_given_up() {
    let silent = Canned::answering_and_holding(|_| {
        // From now on a limit runs out as soon as nothing else can happen.
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
        .create_dossier(NewDossier::named("Q3"));
    let error = call.with_timeout(std::time::Duration::from_secs(50)).await.map(drop).unwrap_err();
    is_line(&error, ErrorKind::Timeout, "createOrUpdateDossier: nothing came from the service for 50s");
    assert!(error.is_timeout() && error.was_sent());
    assert_eq!(error.attempts(), 1);
}
