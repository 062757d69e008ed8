//! The raw client and arbitrary requests use the same transport stack as the facade.

use documine::{Error, ErrorKind};
use documine_sim::Fault;
use http::Method;
#[cfg(reconstruction)]
use serde_json::{Value, json};

use crate::harness::pdf_fixtures::INVOICE;
use crate::harness::test_env::{TestEnv, header, operation_path};

#[tokio::test]
async fn raw_client_sends_token_and_tenant() {
    let env = TestEnv::new().await;
    let raw = env.client.raw();
    let templates = raw.get_dossier_templates().send().await.unwrap().into_inner();
    assert!(templates.dossier_templates.iter().any(|template| template.id == env.template_id()));
    let dossiers =
        raw.get_dossiers().dossier_template_id(env.template_id()).include_archived(true).send().await.unwrap();
    assert_eq!(dossiers.status().as_u16(), 200);
    assert_eq!(dossiers.into_inner().dossiers, []);
    assert_eq!(env.request_log(), ["token 200", "getDossierTemplates 200", "getDossiers 200"]);
    assert_eq!(env.client.requests_sent(), 2);
}

#[tokio::test]
async fn finds_facade_error_in_raw_client_error() {
    let env = TestEnv::new().await;
    let error = env.client.raw().get_download().download_id("nothing").send().await.unwrap_err();
    let error = Error::find(&error).unwrap();
    assert!(error.is_not_found());
    assert_eq!(error.to_string(), "getDownload: 404 Not Found: There is no download nothing, or it has expired.");
}

#[cfg(has = "getUsers")]
#[tokio::test]
async fn raw_client_uses_retry_and_refresh() {
    let env = TestEnv::new().await;
    let raw = env.client.raw();
    raw.get_users().send().await.unwrap();
    env.sim.control().provider().expire_access_tokens();
    env.add_fault(Fault::on("getUsers").nth(2).status(503));
    let before = env.request_log().len();
    raw.get_users().send().await.unwrap();
    assert_eq!(env.request_log_since(before), ["getUsers 401", "token 200", "getUsers 503", "getUsers 200"]);
}

#[tokio::test]
async fn uploads_custom_form() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let part = reqwest::multipart::Part::bytes(INVOICE).file_name("own.pdf").mime_str("application/pdf").unwrap();
    let raw = env.client.raw();
    let call = raw.upload_file().dossier_template_id(env.template_id()).dossier_id(dossier.id());
    let upload = documine_api::operations::operation("uploadFile").unwrap();
    let required = upload.parts.iter().filter_map(|(_, name, value)| Some((*name, (*value)?)));
    let form = required.fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(name, value));
    let result = call.body(form.part(documine_sim::wire::part(), part)).send().await.unwrap().into_inner();
    assert_eq!(result.file_ids.len(), 1);
    let file = dossier.file(&result.file_ids[0]).wait_until_processed().await.unwrap();
    assert_eq!(file.get().await.unwrap().file_name.as_deref(), Some("own.pdf"));
}

#[cfg(reconstruction)]
#[tokio::test]
async fn sends_arbitrary_request() {
    let env = TestEnv::new().await;
    let client = &env.client;
    let license: Value =
        serde_json::from_slice(&client.request(Method::GET, operation_path("getLicense", &[]), None).await.unwrap())
            .unwrap();
    assert_eq!(license["active"], true);

    let path = format!("/api/dossier-templates/{}/dossiers", env.template_id());
    let created: Value = serde_json::from_slice(
        &client.request(Method::POST, path.as_str(), Some(json!({"name": "Q3"}))).await.unwrap(),
    )
    .unwrap();
    let listed: Value = serde_json::from_slice(
        &client.request(Method::GET, format!("{path}?includeArchived=true"), None).await.unwrap(),
    )
    .unwrap();
    assert_eq!(listed["dossiers"], json!([created]));

    let one = format!("{path}/{}", created["id"].as_str().unwrap());
    assert!(client.request(Method::DELETE, format!("{one}?deletePermanently=true"), None).await.unwrap().is_empty());
    let error = client.request(Method::GET, one, None).await.unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().starts_with("request: 404 Not Found: There is no dossier "), "{error}");
}

#[tokio::test]
async fn sends_request_unknown_to_document() {
    let mut env = TestEnv::new().await;
    let error =
        env.client.request(Method::GET, "/api/not/in/the/document", None).with_header("X-Mine", "1").await.unwrap_err();
    assert_eq!(error.to_string(), "request: 404 Not Found: There is nothing under this path.");
    let request = &env.sim.requests()[1];
    assert_eq!((request.operation.as_deref(), request.path.as_str()), (None, "/api/not/in/the/document"));
    assert_eq!(header(request, "x-tenant-id").as_deref(), Some(env.sim.workspace_id()));
    assert!(header(request, "authorization").is_some_and(|value| value.starts_with("Bearer ")));
    assert_eq!(header(request, "x-mine").as_deref(), Some("1"));
    env.expect_violations(&["GET /api/not/in/the/document is no operation of the document"]);
}

#[tokio::test]
async fn rejects_unsafe_path_before_sending() {
    let env = TestEnv::new().await;
    for path in [
        "",
        "api/license",
        "https://evil.example/",
        "@evil.example/",
        "/..",
        "/api/../auth",
        "/api/./license",
        "/api/%2e%2e/auth",
        "/api/.%2E/auth",
        "/api\\..\\auth",
        "\\\\evil.example\\",
        "/api/.\n./auth",
        "/api/.\t./auth",
        "/api/license\r\nX-Other: 1",
    ] {
        let error = env.client.request(Method::GET, path, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{path:?}: {error}");
        assert!(error.to_string().contains("; start with `/`") && !error.was_sent(), "{error}");
    }
    assert_eq!(env.request_log(), Vec::<String>::new());
}

#[cfg(has = "getLicense")]
#[tokio::test]
async fn rejects_web_page_as_response() {
    let env = TestEnv::new().await;
    env.add_fault(Fault::on("getLicense").body("text/html", "<html>Sign in</html>"));
    let error = env.client.request(Method::GET, operation_path("getLicense", &[]), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}
