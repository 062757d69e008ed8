//! Error statuses and messages of the API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use documine_sim::{SimClock, Simulator};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use support::{TestClient, assert_clean, encrypted_pdf, pdf, sample, zip};

#[tokio::test]
async fn requires_token_and_workspace() {
    let Some(client) = TestClient::vendored_with(Simulator::builder().clock(SimClock::manual())).await else { return };
    let url = format!("{}/api/license", client.sim.base_url());
    let bare = client.send(client.http.get(&url).header("X-TENANT-ID", "acme")).await;
    assert_eq!(bare.status, 401);
    assert!(bare.header("www-authenticate").starts_with("Bearer"));
    bare.message();
    let wrong = client.send(client.http.get(&url).header("X-TENANT-ID", "acme").bearer_auth("nonsense")).await;
    assert_eq!(wrong.status, 401);
    let missing = client.send(client.http.get(&url).bearer_auth(&client.token)).await;
    assert_eq!((missing.status, missing.message().as_str()), (400, "The header X-TENANT-ID is missing."));
    let other = client.send(client.http.get(&url).bearer_auth(&client.token).header("X-TENANT-ID", "other")).await;
    assert_eq!(other.status, 403);
    client.advance(301);
    assert_eq!(client.get("/api/license").await.status, 401, "the token has expired");
    let client = TestClient::at(client.sim).await;
    assert_eq!(client.get("/api/license").await.status, 200);
    client.sim.control().revoke_tokens();
    assert_eq!(client.get("/api/license").await.status, 401, "the token has been revoked");
}

#[tokio::test]
async fn rejects_uploads_that_are_not_readable_pdfs() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("refused").await;
    let report = sample("study-report.pdf");
    let half = report[..report.len() / 2].to_vec();
    let office = zip(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")]);
    let mixed = zip(&[("a.pdf", &pdf(&[&["a"]])), ("notes.txt", b"hello")]);
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("empty.pdf", Vec::new(), "The file empty.pdf is empty."),
        ("notes.txt", b"hello".to_vec(), "The file notes.txt is not a PDF document."),
        (
            "secret.pdf",
            encrypted_pdf(),
            "The file secret.pdf is encrypted. Please upload it without password protection.",
        ),
        ("half.pdf", half, "The file half.pdf is damaged and can't be read as a PDF document"),
        ("junk.pdf", b"%PDF-1.7\njunk".to_vec(), "The file junk.pdf is damaged and can't be read as a PDF document"),
        ("a.docx", office, "The file a.docx is an Office document"),
        ("b.zip", mixed, "The file notes.txt is not a PDF document."),
        ("c.zip", b"PK\x03\x04junk".to_vec(), "The archive c.zip is damaged"),
        ("d.zip", zip(&[]), "The archive d.zip holds no documents."),
    ];
    for (name, bytes, message) in cases {
        let response = client.upload(&dossier, name, bytes).await;
        assert_eq!(response.status, 400, "{name}");
        assert!(response.message().starts_with(message), "{name}: {}", response.message());
    }
    assert_eq!(
        client.get(&format!("{dossier}/files")).await.json(),
        json!({"files": []}),
        "rejected uploads leave no file"
    );

    let path = format!("{dossier}/files");
    let other_part = Form::new().part("document", Part::bytes(report.clone()).file_name("a.pdf"));
    let response = client.send(client.request(Method::POST, &path).multipart(other_part)).await;
    assert_eq!((response.status, response.message().as_str()), (400, "The part named file is missing in the form."));
    let nameless = Form::new().part("file", Part::bytes(report.clone()));
    let response = client.send(client.request(Method::POST, &path).multipart(nameless)).await;
    assert_eq!((response.status, response.message().as_str()), (400, "The part named file has no file name."));
    let response = client.send(client.request(Method::POST, &path).body(report)).await;
    assert_eq!(response.status, 400);
    let broken = client
        .request(Method::POST, &path)
        .header("content-type", "multipart/form-data; boundary=x")
        .body("--x\r\nhalf");
    assert_eq!(client.send(broken).await.status, 400);
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("here").await;
    let nowhere = format!("{}/nowhere", client.dossiers());
    for path in [
        "/api/dossier-templates/nowhere".to_owned(),
        "/api/dossier-templates/nowhere/dossiers".to_owned(),
        nowhere.clone(),
        format!("{nowhere}/files"),
        format!("{dossier}/files/nowhere"),
        format!("{dossier}/files/%2e%2e%2fx"),
        format!("{dossier}/files/nowhere/components"),
        format!("{nowhere}/bulk/components"),
        "/api/downloads/nowhere".to_owned(),
        "/api/downloads/nowhere/download".to_owned(),
        "/api/nothing".to_owned(),
    ] {
        let response = client.get(&path).await;
        assert_eq!(response.status, 404, "{path}");
        response.message();
    }
    for path in [nowhere, format!("{dossier}/files/nowhere"), "/api/downloads/nowhere".to_owned()] {
        assert_eq!(client.delete(&path).await.status, 404, "{path}");
    }
    let templates = client.get("/api/dossier-templates").await.json();
    let other = templates["dossierTemplates"][1]["id"].as_str().unwrap().to_owned();
    let id = dossier.rsplit('/').next().unwrap();
    let elsewhere = client.get(&format!("/api/dossier-templates/{other}/dossiers/{id}")).await;
    assert_eq!(elsewhere.status, 404, "a dossier belongs to one template");
    let upload = client.upload(&format!("{}/nowhere", client.dossiers()), "a.pdf", vec![b'x'; 300_000]).await;
    assert_eq!(upload.status, 404, "the response arrives despite a long body");
}

#[tokio::test]
async fn validates_bodies_and_parameters() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossiers = client.dossiers();
    let dossier = client.dossier("here").await;
    for (body, message) in [
        (json!({}), "The field name is missing."),
        (json!({"name": " "}), "The field name must not be blank."),
        (json!({"name": 7}), "The field name must be a text."),
        (json!([1]), "The body must be a JSON object."),
        (json!({"name": "a", "memberIds": "b"}), "The field memberIds must be a list of texts."),
        (
            json!({"name": "a", "dueDate": "soon"}),
            "The field dueDate must be a date and time like 2024-01-31T00:00:00Z.",
        ),
        (
            json!({"name": "a", "dossierAttributes": {"a": 1}}),
            "The field dossierAttributes must be an object of texts.",
        ),
    ] {
        let response = client.post(&dossiers, body.clone()).await;
        assert_eq!((response.status, response.message().as_str()), (400, message), "{body}");
    }
    for body in [
        json!({"name": "a", "ownerId": "who"}),
        json!({"name": "a", "reportTemplateIds": ["which"]}),
        json!({"name": "a", "id": "none"}),
    ] {
        assert_eq!(client.post(&dossiers, body.clone()).await.status, 404, "{body}");
    }
    let broken = client.request(Method::POST, &dossiers).header("content-type", "application/json").body("{\"name\":");
    assert_eq!(client.send(broken).await.status, 400);
    let plain = client.request(Method::POST, &dossiers).header("content-type", "text/plain").body("{}");
    assert!(client.send(plain).await.message().contains("application/json"));

    let color = client.post(&format!("{dossier}/create-download"), json!({"previewColor": "red"})).await;
    assert_eq!(color.status, 400);
    let kind = client.post(&format!("{dossier}/create-download"), json!({"downloadFileTypes": ["ALL"]})).await;
    assert!(kind.message().contains("ORIGINAL, PREVIEW"));
    for body in [json!({}), json!({"fileIds": []}), json!({"fileIds": [1]})] {
        assert_eq!(client.post(&format!("{dossier}/files/bulk/create-download"), body).await.status, 400);
    }
    let unknown = client.post(&format!("{dossier}/files/bulk/create-download"), json!({"fileIds": ["none"]})).await;
    assert_eq!(unknown.status, 404);

    assert_eq!(client.get(&format!("{dossiers}?includeActive=maybe")).await.status, 400);
    assert_eq!(client.get("/api/license/usage?startDate=soon").await.status, 400);
    let reversed = client.get("/api/license/usage?startDate=2025-02-01T00:00:00Z&endDate=2025-01-01T00:00:00Z").await;
    assert_eq!(reversed.status, 400);
    let wrong = client.send(client.request(Method::PUT, "/api/license")).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET"));
    wrong.message();
}

#[tokio::test]
async fn accepts_unusual_valid_input() {
    let Some(client) = TestClient::vendored().await else { return };
    let long = "ü€𝄞\u{7}\n".repeat(20_000);
    let response = client
        .post(&client.dossiers(), json!({"name": long, "dossierAttributes": {"": long}, "description": null}))
        .await;
    assert_eq!(response.status, 201);
    assert_eq!(response.json()["name"], long);
    let dossier = format!("{}/{}", client.dossiers(), response.json()["id"].as_str().unwrap());
    let file = client.file(&dossier, "名前 «é» \"x\".pdf", pdf(&[&["x"]])).await;
    client.advance(60);
    assert_eq!(client.get(&format!("{dossier}/files/{file}")).await.json()["fileName"], "名前 «é» \"x\".pdf");
    let package = client.package(&dossier, json!({"previewColor": "#A0b1c2"})).await;
    assert_eq!(client.get(&format!("{package}/download")).await.status, 200);
    let id = "x".repeat(5000);
    assert_eq!(client.get(&format!("/api/downloads/{id}")).await.status, 404);
    assert_eq!(
        client
            .get("/api/license/usage?startDate=0001-01-01T00:00:00Z&endDate=9999-12-31T23:59:59%2B00:00")
            .await
            .status,
        200
    );
    assert_clean(&client.sim);
}
