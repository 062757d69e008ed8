//! What a newer, older or troubled service may send without breaking a program: new values, new fields, nulls, gaps, other statuses, no JSON.

use std::time::Duration;

use documine::{DossierTemplateStatus, ErrorKind, ProcessingStatus};
use documine_sim::Fault;
use serde_json::json;

use crate::paper::STUDY;
use crate::world::World;

#[tokio::test]
async fn an_unknown_value_is_kept_as_it_came() {
    let world = World::new().await;
    world.sim.faults().add(
        Fault::on("getDossierTemplate")
            .patch(&json!([{"op": "replace", "path": "/status", "value": "SLEEPING"}]).to_string()),
    );
    let template = world.template().get().await.unwrap();
    assert_eq!(template.status, Some(DossierTemplateStatus::Unknown("SLEEPING".into())));
    assert_eq!(serde_json::to_value(&template).unwrap()["status"], "SLEEPING");
}

#[tokio::test]
async fn an_unknown_field_is_kept_and_written_again() {
    let world = World::new().await;
    let extra = json!({"nested": [1, 2.5, {"deep": null}]});
    world
        .sim
        .faults()
        .add(Fault::on("getFile").patch(&json!([{"op": "add", "path": "/newField", "value": extra}]).to_string()));
    let (_, file) = world.processed("study.pdf", STUDY).await;
    let status = file.get().await.unwrap();
    assert_eq!(status.extra.get("newField"), Some(&extra));
    assert_eq!(serde_json::to_value(&status).unwrap()["newField"], extra);
}

#[tokio::test]
async fn a_null_list_is_an_empty_list() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    let null = |path: &str| json!([{"op": "replace", "path": path, "value": null}]).to_string();
    for (operation, path) in [
        ("getDossierTemplates", "/dossierTemplates"),
        ("getDossiers", "/dossiers"),
        ("getFiles", "/files"),
        ("getDossierComponents", "/files"),
        ("getDownloads", "/downloads"),
        ("getUsers", "/users"),
    ] {
        world.sim.faults().add(Fault::on(operation).patch(&null(path)));
    }
    assert_eq!(world.client.dossier_templates().await.unwrap(), []);
    assert_eq!(world.template().dossiers().await.unwrap(), []);
    assert_eq!(dossier.files().await.unwrap(), []);
    #[cfg(has = "getDossierComponents")]
    assert_eq!(dossier.components().await.unwrap(), []);
    #[cfg(has = "getDownloads")]
    assert_eq!(world.client.downloads().await.unwrap(), []);
    #[cfg(has = "getUsers")]
    assert_eq!(world.client.users().await.unwrap(), []);

    world.sim.faults().add(
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

    world.sim.faults().add(Fault::on("getComponents").patch(&null("/components/StudyNumber")).times(1));
    assert_eq!(file.components().await.unwrap().values("StudyNumber"), Vec::<String>::new());
    world.sim.faults().add(Fault::on("getComponents").patch(&null("/components")).times(1));
    assert!(file.components().await.unwrap().components.is_empty());
    world.sim.faults().add(Fault::on("getLicenseUsage").patch(&null("/monthly")));
    assert_eq!(world.client.license_usage().await.unwrap().monthly, []);
}

#[tokio::test]
async fn all_but_an_id_may_be_missing() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    let bare = |body: serde_json::Value| {
        move |operation: &str| Fault::on(operation).body("application/json", body.to_string())
    };
    let (id, file_id) = (dossier.id().clone(), file.id().clone());
    world.sim.faults().add(bare(json!({"id": id}))("getDossier"));
    world.sim.faults().add(bare(json!({"id": file_id}))("getFile"));
    world.sim.faults().add(bare(json!({"fileId": file_id}))("getComponents"));
    world.sim.faults().add(bare(json!({}))("getLicense"));
    world.sim.faults().add(bare(json!({}))("getUsers"));
    assert_eq!(dossier.get().await.unwrap().name, None);
    let status = file.get().await.unwrap();
    assert_eq!((status.file_name, status.processing_status, status.excluded), (None, None, None));
    assert!(file.components().await.unwrap().components.is_empty());
    assert_eq!(world.client.license().await.unwrap().licensed_pages, None);
    #[cfg(has = "getUsers")]
    assert_eq!(world.client.users().await.unwrap(), []);
}

#[tokio::test]
async fn a_deletion_may_be_answered_with_200_and_a_body() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world
        .sim
        .faults()
        .add(Fault::on("deleteDossier").status(200).body("application/json", r#"{"deleted":true}"#).times(1));
    dossier.delete().await.unwrap();
    world.sim.faults().add(Fault::on("deleteDossier").status(200).body("text/plain", "").times(1));
    dossier.delete().await.unwrap();
}

#[tokio::test]
async fn a_creation_may_be_answered_with_202() {
    let world = World::new().await;
    world
        .sim
        .faults()
        .add(Fault::on("createOrUpdateDossier").status(202).body("application/json", r#"{"id":"d-1","name":"Q3"}"#));
    let dossier = world.template().create_dossier(documine::NewDossier::named("Q3")).await.unwrap();
    assert_eq!(dossier.id().as_str(), "d-1");
}

#[tokio::test]
async fn a_proxys_error_page_is_named_as_what_it_is() {
    let world = World::new().await;
    let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    world.sim.faults().add(Fault::on("getLicense").status(502).body("text/html", page));
    let error = world.client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getLicense: 502 Bad Gateway: the response is an HTML page, possibly the error page of a proxy"
    );
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!((error.api_message(), error.body_snippet()), (None, Some(page)));
    assert!(error.is_transient());
    // A read is tried four times, each time after a longer pause.
    assert_eq!((error.attempts(), world.requests("getLicense").len()), (4, 4));
    assert_eq!(world.time.sleeps().iter().map(Duration::as_millis).collect::<Vec<_>>(), [250, 500, 1000]);
    assert_eq!(error.elapsed().as_millis(), 1750);
}

#[tokio::test]
async fn an_empty_500_is_no_trouble_for_the_reader() {
    let world = World::new().await;
    world.sim.faults().add(Fault::on("getLicense").status(500).body("text/plain", ""));
    let error = world.client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 500 Internal Server Error without a message");
    assert_eq!((error.api_message(), error.body_snippet()), (None, None));
    assert_eq!(world.requests("getLicense").len(), 1);
}

#[tokio::test]
async fn a_login_page_in_place_of_json_is_named_as_what_it_is() {
    let world = World::new().await;
    world
        .sim
        .faults()
        .add(Fault::on("getLicense").status(200).body("text/html; charset=utf-8", "<html>Sign in</html>"));
    let error = world.client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getLicense: 200 OK, but the response is an HTML page, possibly the login page of a proxy"
    );
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.body_snippet(), Some("<html>Sign in</html>"));
    assert!(error.was_sent() && !error.is_transient());
}

#[cfg(reconstruction)]
#[tokio::test]
async fn json_of_another_shape_is_told_with_the_place() {
    let world = World::new().await;
    let dossier = world.dossier().await;
    world.sim.faults().add(
        Fault::on("getFiles").body("application/json", r#"{"files":[{"id":"a"},{"id":"b","numberOfPages":"many"}]}"#),
    );
    let error = dossier.files().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getFiles: 200 OK, but the body is invalid at `files[1].numberOfPages`: invalid type: string \"many\", expected i64 at line 1 column 53"
    );
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[cfg(reconstruction)]
#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let world = World::new().await;
    world.sim.faults().add(Fault::on("getUsers").body("application/json", r#"{"users":[{"id":"a"},"#));
    let error = world.client.users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().starts_with("getUsers: 200 OK, but the body is invalid at `users"), "{error}");
    world.sim.faults().clear();
    world.sim.faults().add(Fault::on("getUsers").body("application/json", "[]"));
    let error = world.client.users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[cfg(reconstruction)]
#[tokio::test]
async fn an_id_that_would_change_a_path_is_refused_when_it_is_read() {
    let world = World::new().await;
    world.sim.faults().add(Fault::on("getUsers").body("application/json", r#"{"users":[{"id":".."}]}"#));
    let error = world.client.users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("`users[0].id`"), "{error}");
}

#[tokio::test]
async fn a_service_that_asks_for_patience_gets_it() {
    let world = World::new().await;
    let busy = r#"{"timestamp":"2023-09-21T12:45:00Z","message":"Too many requests."}"#;
    world
        .sim
        .faults()
        .add(Fault::on("getLicense").status(429).header("Retry-After", "7").body("application/json", busy).times(2));
    world.client.license().await.unwrap();
    assert_eq!(world.time.sleeps().iter().map(Duration::as_secs).collect::<Vec<_>>(), [7, 7]);

    world
        .sim
        .faults()
        .add(Fault::on("getLicense").status(429).header("Retry-After", "3600").body("application/json", busy));
    let error = world.client.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getLicense: 429 Too Many Requests: Too many requests; Retry-After of 3600s exceeds the 120s left for this call; call again after the pause"
    );
    assert!(error.is_rate_limited() && error.is_transient());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!((error.attempts(), error.api_timestamp()), (1, Some("2023-09-21T12:45:00Z")));
}

#[tokio::test]
async fn a_creation_is_not_repeated_by_itself() {
    let world = World::new().await;
    world.sim.faults().add(Fault::on("createOrUpdateDossier").status(503).times(1));
    let error = world.template().create_dossier(documine::NewDossier::named("Q3")).await.map(drop).unwrap_err();
    assert!(error.is_transient() && error.was_sent());
    assert_eq!((error.attempts(), world.requests("createOrUpdateDossier").len()), (1, 1));
}

#[tokio::test]
async fn the_id_of_a_request_is_told_where_the_service_names_it() {
    let world = World::new().await;
    world.sim.faults().add(
        Fault::on("getLicense")
            .status(500)
            .header("X-Request-Id", "r-4711")
            .body("application/json", r#"{"message":"Broken."}"#),
    );
    let error = world.client.license().await.unwrap_err();
    assert_eq!(error.request_id(), Some("r-4711"));
    assert_eq!(error.to_string(), "getLicense: 500 Internal Server Error: Broken. (request r-4711)");
}

#[tokio::test]
async fn a_file_without_a_state_is_work_in_progress() {
    let world = World::new().await;
    let (_, file) = world.processed("study.pdf", STUDY).await;
    world
        .sim
        .faults()
        .add(Fault::on("getFile").patch(&json!([{"op": "remove", "path": "/processingStatus"}]).to_string()).times(1));
    let before = world.requests("getFile").len();
    file.processed().await.unwrap();
    assert_eq!(world.requests("getFile").len(), before + 2);
    assert_eq!(file.get().await.unwrap().processing_status, Some(ProcessingStatus::Processed));
}
