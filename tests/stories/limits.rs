//! The edges of what a caller can ask for: limits without end, packages of nothing, headers that are not theirs, fields that are not there.

use std::time::Duration;

use documine::{Client, Credentials, DossierFields, DossierId, DossierTemplateId, DownloadFileType, Error, ErrorKind};
use documine::{FileId, NewDossier, PackageContent, Source};
use serde_json::json;

use crate::canned::{Canned, json as answer};
use crate::paper::STUDY;
use crate::scripted::{body, client, service};
use crate::world::World;

fn is_input(error: &Error, line: &str) {
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Input, line));
    assert_eq!((error.attempts(), error.was_sent()), (0, false));
}

fn originals() -> PackageContent {
    PackageContent::file_types([DownloadFileType::Original])
}

#[tokio::test]
async fn the_longest_limit_is_no_limit() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let upload = dossier.upload(Source::bytes("study.pdf", STUDY)).with_timeout(Duration::MAX);
    // In a task, as a panic would show there.
    let uploaded = tokio::spawn(upload.send()).await.unwrap().unwrap();
    uploaded.processed().with_deadline(Duration::MAX).await.unwrap();
    dossier.get().with_timeout(Duration::MAX).await.unwrap();
    assert_eq!(dossier.files().with_timeout(Duration::MAX).await.unwrap().len(), 1);
    let operation = dossier.create_package(originals()).with_timeout(Duration::MAX).await.unwrap();
    let package = operation.wait().with_deadline(Duration::MAX).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    package.save_to(folder.path().join("a.zip")).with_timeout(Duration::MAX).await.unwrap();
}

#[tokio::test]
async fn a_client_without_any_limit_works() {
    let world = World::new().await;
    let builder = world.builder().connect_timeout(Duration::MAX).attempt_timeout(Duration::MAX);
    let client = builder.idle_timeout(Duration::MAX).build().unwrap();
    let dossier = client.dossier_template(world.template_id()).create_dossier(NewDossier::named("Q3")).await.unwrap();
    let _ = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    package.save_to(folder.path().join("a.zip")).await.unwrap();
}

/// What is sent when the dossier that the service describes so is changed in its description alone.
async fn update_of(described: &str) -> serde_json::Value {
    let service: Canned = service(vec![answer(&documine_sim::wire::answer("getDossier", described))]).await;
    let template = client(&service.base).await.dossier_template("t-1".parse::<DossierTemplateId>().unwrap());
    let dossier = template.dossier("d-1".parse::<DossierId>().unwrap());
    let now = dossier.get().await.unwrap();
    let _ = dossier.update(DossierFields::of(&now).description("audited")).await.unwrap();
    serde_json::from_str(body(service.requests().last().unwrap())).unwrap()
}

#[tokio::test]
async fn an_update_empties_no_list_that_the_service_did_not_show() {
    let sent = json!({"id": "d-1", "name": "Q3", "description": "audited"});
    assert_eq!(update_of(r#"{"id":"d-1","name":"Q3"}"#).await, sent);
    let nulls = r#"{"id":"d-1","name":"Q3","description":null,"ownerId":null,"memberIds":null,"dueDate":null,
                    "downloadFileTypes":null,"reportTemplateIds":null,"dossierAttributes":null}"#;
    assert_eq!(update_of(nulls).await, sent);
}

#[cfg(reconstruction)]
#[tokio::test]
async fn an_update_keeps_the_lists_that_the_service_showed() {
    let described = r#"{"id":"d-1","name":"Q3","ownerId":"u-1","memberIds":["u-1","u-2"],"downloadFileTypes":["ORIGINAL"],
                        "reportTemplateIds":["r-1"],"dossierAttributes":{"Region":"EU"}}"#;
    let mut sent: serde_json::Value = serde_json::from_str(described).unwrap();
    sent["description"] = "audited".into();
    assert_eq!(update_of(described).await, sent);
}

#[tokio::test]
async fn a_dossier_without_a_name_is_told_before_anything_is_sent() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let before = world.journal().len();
    for name in ["", " \t\n"] {
        let line = "createOrUpdateDossier: the dossier has no name; give it one";
        let error = world.template().create_dossier(NewDossier::named(name)).await.map(drop).unwrap_err();
        is_input(&error, line);
        let error = dossier.update(DossierFields::named(name)).await.map(drop).unwrap_err();
        is_input(&error, line);
    }
    assert_eq!(world.journal_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn headers_that_describe_the_body_are_not_a_callers() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let before = world.journal().len();
    for name in ["content-type", "Content-Length", "TRANSFER-ENCODING", "host"] {
        let line = format!("invalid header {name:?}: set by the client; remove it");
        let upload = dossier.upload(Source::bytes("study.pdf", STUDY)).with_header(name, "1");
        is_input(&upload.await.map(drop).unwrap_err(), &line);
        is_input(&dossier.get().with_header(name, "1").await.unwrap_err(), &line);
        is_input(&dossier.files().with_header(name, "1").await.unwrap_err(), &line);
    }
    assert_eq!(world.journal_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn a_package_of_no_files_is_told_before_anything_is_sent() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    let before = world.journal().len();
    let none: [&FileId; 0] = [];
    let error = dossier.create_files_package(none, originals()).await.map(drop).unwrap_err();
    is_input(&error, "prepareFilesDownload: a package of no files would be empty; name at least one");
    assert_eq!(world.journal_since(before), Vec::<String>::new());
}

#[test]
fn a_builder_shows_no_password_that_stands_in_an_address() {
    let with = |host: &str| format!("https://robot:pa55-w0rd@{host}");
    let builder = Client::builder(with("acme.example"))
        .workspace("acme")
        .credentials(Credentials::access_token("t0ken-t3xt"))
        .auth_path(with("login.example/auth"))
        .token_path(with("login.example/token"))
        .device_path(with("login.example/device"));
    let shown = format!("{builder:?} {builder:#?}");
    assert!(!shown.contains("pa55-w0rd") && !shown.contains("robot") && !shown.contains("t0ken-t3xt"), "{shown}");
    assert!(shown.contains("acme"), "{shown}");
}

#[test]
fn an_endpoint_that_is_no_address_is_not_shown() {
    let base = || {
        let builder = Client::builder("https://acme.example").workspace("acme");
        builder.credentials(Credentials::access_token("t"))
    };
    let broken = "https://robot:pa55-w0rd@login.example:99999/token";
    for (what, builder) in [
        ("authorization", base().auth_path(broken)),
        ("token", base().token_path(broken)),
        ("device", base().device_path(broken)),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains(&format!("{what} path")) && text.contains("invalid port number"), "{text}");
        assert!(!format!("{text} {error:?}").contains("pa55-w0rd"), "{text}");
    }
}
