//! Boundary values of the caller's input: maximum durations, empty packages, reserved headers, missing fields.

use std::time::Duration;

use documine::{Client, Credentials, DossierFields, DossierTemplateId, Error, ErrorKind, models::DossierId};
use documine::{Source, models::FileId};
use serde_json::json;

use crate::harness::canned_server::{CannedServer, json_response};
use crate::harness::messages::{UNNAMED_DOSSIER, reserved_header};
use crate::harness::pdf_fixtures::STUDY;
use crate::harness::scripted::{client, request_body, scripted_server};
use crate::harness::test_env::{TestEnv, originals};

fn assert_input_error(error: &Error, line: &str) {
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Input, line));
    assert_eq!((error.attempts(), error.was_sent()), (0, false));
}

#[tokio::test]
async fn maximum_duration_means_no_limit() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let upload = dossier.upload(Source::bytes("study.pdf", STUDY)).with_timeout(Duration::MAX);
    // In a task, because a panic would surface there.
    let uploaded = tokio::spawn(upload.send()).await.unwrap().unwrap();
    uploaded.wait_until_processed().with_deadline(Duration::MAX).await.unwrap();
    dossier.get().with_timeout(Duration::MAX).await.unwrap();
    assert_eq!(dossier.files().with_timeout(Duration::MAX).await.unwrap().len(), 1);
    let operation = dossier.create_package(originals()).with_timeout(Duration::MAX).await.unwrap();
    let package = operation.wait().with_deadline(Duration::MAX).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    package.save_to(folder.path().join("a.zip")).with_timeout(Duration::MAX).await.unwrap();
}

#[tokio::test]
async fn client_without_limits_works() {
    let env = TestEnv::new().await;
    let builder = env.builder().connect_timeout(Duration::MAX).attempt_timeout(Duration::MAX);
    let client = builder.idle_timeout(Duration::MAX).build().unwrap();
    let dossier = client.dossier_template(env.template_id()).create_dossier(DossierFields::named("Q3")).await.unwrap();
    let _ = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    package.save_to(folder.path().join("a.zip")).await.unwrap();
}

/// Updates only the description of a dossier that the service describes as `described`, and returns the request body.
async fn update_of(described: &str) -> serde_json::Value {
    let service: CannedServer =
        scripted_server(vec![json_response(&documine_sim::wire::answer("getDossier", described))]).await;
    let template = client(&service.base).await.dossier_template("t-1".parse::<DossierTemplateId>().unwrap());
    let dossier = template.dossier("d-1".parse::<DossierId>().unwrap());
    let now = dossier.get().await.unwrap();
    let _ = dossier.update(DossierFields::of(&now).description("audited")).await.unwrap();
    serde_json::from_str(request_body(service.requests().last().unwrap())).unwrap()
}

#[tokio::test]
async fn update_keeps_lists_that_service_omitted() {
    let sent = json!({"id": "d-1", "name": "Q3", "description": "audited"});
    assert_eq!(update_of(r#"{"id":"d-1","name":"Q3"}"#).await, sent);
    let nulls = r#"{"id":"d-1","name":"Q3","description":null,"ownerId":null,"memberIds":null,"dueDate":null,
                    "downloadFileTypes":null,"reportTemplateIds":null,"dossierAttributes":null}"#;
    assert_eq!(update_of(nulls).await, sent);
}

#[cfg(reconstruction)]
#[tokio::test]
async fn update_sends_lists_that_service_returned() {
    let described = r#"{"id":"d-1","name":"Q3","ownerId":"u-1","memberIds":["u-1","u-2"],"downloadFileTypes":["ORIGINAL"],
                        "reportTemplateIds":["r-1"],"dossierAttributes":{"Region":"EU"}}"#;
    let mut sent: serde_json::Value = serde_json::from_str(described).unwrap();
    sent["description"] = "audited".into();
    assert_eq!(update_of(described).await, sent);
}

#[tokio::test]
async fn rejects_empty_dossier_name_before_sending() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let before = env.request_log().len();
    for name in ["", " \t\n"] {
        let line = UNNAMED_DOSSIER;
        let error = env.template().create_dossier(DossierFields::named(name)).await.map(drop).unwrap_err();
        assert_input_error(&error, line);
        let error = dossier.update(DossierFields::named(name)).await.map(drop).unwrap_err();
        assert_input_error(&error, line);
    }
    assert_eq!(env.request_log_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn rejects_headers_of_the_client_set_by_caller() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let before = env.request_log().len();
    for name in ["content-type", "Content-Length", "TRANSFER-ENCODING", "host", "authorization", "X-TENANT-ID"] {
        let line = reserved_header(name);
        let upload = dossier.upload(Source::bytes("study.pdf", STUDY)).with_header(name, "1");
        assert_input_error(&upload.await.map(drop).unwrap_err(), &line);
        assert_input_error(&dossier.get().with_header(name, "1").await.unwrap_err(), &line);
        assert_input_error(&dossier.files().with_header(name, "1").await.unwrap_err(), &line);
    }
    assert_eq!(env.request_log_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn rejects_package_of_no_files_before_sending() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let before = env.request_log().len();
    let no_files: [&FileId; 0] = [];
    let error = dossier.create_files_package(no_files, originals()).await.map(drop).unwrap_err();
    assert_input_error(&error, "prepareFilesDownload: the package has no files; pass at least one file id");
    assert_eq!(env.request_log_since(before), Vec::<String>::new());
}

#[test]
fn builder_debug_redacts_password_in_url() {
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
fn redacts_invalid_endpoint_in_error() {
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
