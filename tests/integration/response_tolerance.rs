//! Tolerance of newer, older and failing services: new values, new fields, nulls, missing fields, other statuses, other content types.

use std::time::Duration;

use documine::{
    ErrorKind,
    models::{DossierTemplateStatus, ProcessingStatus},
};
use documine_sim::Fault;
use serde_json::json;

use crate::harness::messages::LOGIN_PAGE;
use crate::harness::pdf_fixtures::STUDY;
use crate::harness::test_env::TestEnv;

#[tokio::test]
async fn keeps_unknown_enum_value() {
    let env = TestEnv::new().await;
    env.add_fault(
        Fault::on("getDossierTemplate")
            .patch(&json!([{"op": "replace", "path": "/status", "value": "SLEEPING"}]).to_string()),
    );
    let template = env.template().get().await.unwrap();
    assert_eq!(template.status, Some(DossierTemplateStatus::Unknown("SLEEPING".into())));
    assert_eq!(serde_json::to_value(&template).unwrap()["status"], "SLEEPING");
}

#[tokio::test]
async fn keeps_and_serializes_unknown_field() {
    let env = TestEnv::new().await;
    let extra = json!({"nested": [1, 2.5, {"deep": null}]});
    env.add_fault(Fault::on("getFile").patch(&json!([{"op": "add", "path": "/newField", "value": extra}]).to_string()));
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let status = file.get().await.unwrap();
    assert_eq!(status.extra.get("newField"), Some(&extra));
    assert_eq!(serde_json::to_value(&status).unwrap()["newField"], extra);
}

#[tokio::test]
async fn reads_null_list_as_empty() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let null = |path: &str| json!([{"op": "replace", "path": path, "value": null}]).to_string();
    for (operation, path) in [
        ("getDossierTemplates", "/dossierTemplates"),
        ("getDossiers", "/dossiers"),
        ("getFiles", "/files"),
        ("getDossierComponents", "/files"),
        ("getDownloads", "/downloads"),
        ("getUsers", "/users"),
    ] {
        env.add_fault(Fault::on(operation).patch(&null(path)));
    }
    assert_eq!(env.client.dossier_templates().await.unwrap(), []);
    assert_eq!(env.template().dossiers().await.unwrap(), []);
    assert_eq!(dossier.files().await.unwrap(), []);
    #[cfg(has = "getDossierComponents")]
    assert_eq!(dossier.components().await.unwrap(), []);
    #[cfg(has = "getDownloads")]
    assert_eq!(env.client.downloads().await.unwrap(), []);
    #[cfg(has = "getUsers")]
    assert_eq!(env.client.users().await.unwrap(), []);

    env.add_fault(
        Fault::on("getDossier").patch(
            &json!([
                {"op": "replace", "path": "/memberIds", "value": null},
                {"op": "replace", "path": "/downloadFileTypes", "value": null},
                {"op": "replace", "path": "/dossierAttributes", "value": null},
            ])
            .to_string(),
        ),
    );
    let read = dossier.get().await.unwrap();
    assert!(read.member_ids.is_empty() && read.download_file_types.is_empty() && read.dossier_attributes.is_empty());

    env.add_fault(Fault::on("getComponents").patch(&null("/components/StudyNumber")).times(1));
    assert_eq!(file.components().await.unwrap().values("StudyNumber"), Vec::<String>::new());
    env.add_fault(Fault::on("getComponents").patch(&null("/components")).times(1));
    assert!(file.components().await.unwrap().is_empty());
    env.add_fault(Fault::on("getLicenseUsage").patch(&null("/monthly")));
    assert_eq!(env.client.license_usage().await.unwrap().monthly, []);
}

#[tokio::test]
async fn accepts_missing_fields_except_ids() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let bare = |body: serde_json::Value| {
        move |operation: &str| Fault::on(operation).body("application/json", body.to_string())
    };
    let (id, file_id) = (dossier.id().clone(), file.id().clone());
    env.add_fault(bare(json!({"id": id}))("getDossier"));
    env.add_fault(bare(json!({"id": file_id}))("getFile"));
    env.add_fault(bare(json!({"fileId": file_id}))("getComponents"));
    env.add_fault(bare(json!({}))("getLicense"));
    env.add_fault(bare(json!({}))("getUsers"));
    assert_eq!(dossier.get().await.unwrap().name, None);
    let status = file.get().await.unwrap();
    assert_eq!((status.file_name, status.processing_status, status.excluded), (None, None, None));
    assert!(file.components().await.unwrap().is_empty());
    assert_eq!(env.client.license().await.unwrap().licensed_pages, None);
    #[cfg(has = "getUsers")]
    assert_eq!(env.client.users().await.unwrap(), []);
}

#[tokio::test]
async fn accepts_200_with_body_for_deletion() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(Fault::on("deleteDossier").status(200).body("application/json", r#"{"deleted":true}"#).times(1));
    dossier.delete().await.unwrap();
    env.add_fault(Fault::on("deleteDossier").status(200).body("text/plain", "").times(1));
    dossier.delete().await.unwrap();
}

#[tokio::test]
async fn accepts_202_for_creation() {
    let env = TestEnv::new().await;
    env.add_fault(
        Fault::on("createOrUpdateDossier").status(202).body("application/json", r#"{"id":"d-1","name":"Q3"}"#),
    );
    let dossier = env.template().create_dossier(documine::DossierFields::named("Q3")).await.unwrap();
    assert_eq!(dossier.id().as_str(), "d-1");
}

#[tokio::test]
async fn names_error_page_of_proxy() {
    let env = TestEnv::new().await;
    let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    env.add_fault(Fault::on("getLicense").status(502).body("text/html", page));
    let error = env.client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getLicense: 502 Bad Gateway: the response is an HTML page, possibly the error page of a proxy"
    );
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!((error.api_message(), error.body_snippet()), (None, Some(page)));
    assert!(error.is_transient());
    // A read makes four attempts with growing delays.
    assert_eq!((error.attempts(), env.requests("getLicense").len()), (4, 4));
    assert_eq!(env.time.sleeps().iter().map(Duration::as_millis).collect::<Vec<_>>(), [250, 500, 1000]);
    assert_eq!(error.elapsed().as_millis(), 1750);
}

#[tokio::test]
async fn accepts_500_without_body() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("getLicense").status(500).body("text/plain", ""));
    let error = env.client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 500 Internal Server Error without a message");
    assert_eq!((error.api_message(), error.body_snippet()), (None, None));
    assert_eq!(env.requests("getLicense").len(), 1);
}

#[tokio::test]
async fn names_login_page_in_place_of_json() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("getLicense").status(200).body("text/html; charset=utf-8", "<html>Sign in</html>"));
    let error = env.client.license().await.unwrap_err();
    assert_eq!(error.to_string(), format!("getLicense: {LOGIN_PAGE}"));
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.body_snippet(), Some("<html>Sign in</html>"));
    assert!(error.was_sent() && !error.is_transient());
}

#[cfg(reconstruction)]
#[tokio::test]
async fn reports_position_of_mismatched_json() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    env.add_fault(
        Fault::on("getFiles").body("application/json", r#"{"files":[{"id":"a"},{"id":"b","numberOfPages":"many"}]}"#),
    );
    let error = dossier.files().await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "getFiles: 200 OK, but the body is invalid at `files[1].numberOfPages`: invalid type: string \"many\", expected i64 at line 1 column 53"
    );
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[cfg(reconstruction)]
#[tokio::test]
async fn rejects_truncated_json() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("getUsers").body("application/json", r#"{"users":[{"id":"a"},"#));
    let error = env.client.users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().starts_with("getUsers: 200 OK, but the body is invalid at `users"), "{error}");
    env.sim.faults().clear();
    env.add_fault(Fault::on("getUsers").body("application/json", "[]"));
    let error = env.client.users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[cfg(reconstruction)]
#[tokio::test]
async fn rejects_id_that_would_change_a_path() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("getUsers").body("application/json", r#"{"users":[{"id":".."}]}"#));
    let error = env.client.users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("`users[0].id`"), "{error}");
}

#[tokio::test]
async fn respects_retry_after_within_call_budget() {
    let env = TestEnv::new().await;
    let busy = r#"{"timestamp":"2023-09-21T12:45:00Z","message":"Too many requests."}"#;
    env.add_fault(
        Fault::on("getLicense").status(429).header("Retry-After", "7").body("application/json", busy).times(2),
    );
    env.client.license().await.unwrap();
    assert_eq!(env.time.sleeps().iter().map(Duration::as_secs).collect::<Vec<_>>(), [7, 7]);

    env.add_fault(Fault::on("getLicense").status(429).header("Retry-After", "3600").body("application/json", busy));
    let error = env.client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getLicense: 429 Too Many Requests: Too many requests; Retry-After of 3600s does not fit into the 120s left for this call; \
        call again after the pause"
    );
    assert!(error.is_rate_limited() && error.is_transient());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!((error.attempts(), error.api_timestamp()), (1, Some("2023-09-21T12:45:00Z")));
}

#[tokio::test]
async fn does_not_retry_creation() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("createOrUpdateDossier").status(503).times(1));
    let error = env.template().create_dossier(documine::DossierFields::named("Q3")).await.map(drop).unwrap_err();
    assert!(error.is_transient() && error.was_sent());
    assert_eq!((error.attempts(), env.requests("createOrUpdateDossier").len()), (1, 1));
}

#[tokio::test]
async fn reports_request_id_of_service() {
    let env = TestEnv::new().await;
    env.add_fault(
        Fault::on("getLicense")
            .status(500)
            .header("X-Request-Id", "r-4711")
            .body("application/json", r#"{"message":"Broken."}"#),
    );
    let error = env.client.license().await.unwrap_err();
    assert_eq!(error.request_id(), Some("r-4711"));
    assert_eq!(error.to_string(), "getLicense: 500 Internal Server Error: Broken. (request r-4711)");
}

#[tokio::test]
async fn treats_file_without_state_as_unfinished() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    env.add_fault(
        Fault::on("getFile").patch(&json!([{"op": "remove", "path": "/processingStatus"}]).to_string()).times(1),
    );
    let before = env.requests("getFile").len();
    file.wait_until_processed().await.unwrap();
    assert_eq!(env.requests("getFile").len(), before + 2);
    assert_eq!(file.get().await.unwrap().processing_status, Some(ProcessingStatus::Processed));
}
