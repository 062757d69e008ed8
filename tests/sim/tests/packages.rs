//! Packages: states, ranges, failure, expiry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use reqwest::Method;
use serde_json::json;
use support::{TestClient, assert_clean, pdf, sample, unzip};

async fn ready(client: &TestClient) -> String {
    let dossier = client.dossier("p").await;
    client.file(&dossier, "a.pdf", sample("invoice.pdf")).await;
    client.advance(30);
    client.package(&dossier, json!({})).await
}

#[tokio::test]
async fn package_is_queued_generated_and_ready() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("p").await;
    client.file(&dossier, "a.pdf", pdf(&[&["x"][..]; 20])).await;
    let id = client.post(&format!("{dossier}/create-download"), json!({})).await.json()["downloadId"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/downloads/{id}");
    let first = client.get(&path).await.json();
    assert_eq!((&first["status"], &first["fileSize"]), (&json!("QUEUED"), &json!(null)));
    let early = client.get(&format!("{path}/download")).await;
    assert_eq!((early.status, early.message().as_str()), (409, "The download is QUEUED, not READY."));
    client.sim.clock().advance(std::time::Duration::from_millis(400));
    assert_eq!(client.get(&path).await.json()["status"], "GENERATING");
    client.advance(1);
    let ready = client.get(&path).await.json();
    assert_eq!(ready["status"], "READY");
    let response = client.get(&format!("{path}/download")).await;
    assert_eq!(ready["fileSize"], json!(response.body.len()));
    let names: Vec<String> = unzip(&response.body).into_iter().map(|entry| entry.0).collect();
    assert!(names.contains(&"Components/NOT_ANALYSED.txt".to_owned()), "the analysis was unfinished: {names:?}");
    assert!(client.get(&path).await.json()["lastDownload"].is_string());
    assert_eq!(client.delete(&path).await.status, 204);
    assert_eq!(client.get(&path).await.status, 404);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn serves_range_requests() {
    let Some(client) = TestClient::vendored().await else { return };
    let path = format!("{}/download", ready(&client).await);
    let whole = client.get(&path).await;
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let tag = whole.header("etag").to_owned();
    let size = whole.body.len();
    let part = async |range: &str, tag: &str| {
        client.send(client.request(Method::GET, &path).header("range", range).header("if-range", tag)).await
    };
    let middle = part("bytes=100-199", &tag).await;
    assert_eq!((middle.status, middle.header("content-range")), (206, format!("bytes 100-199/{size}").as_str()));
    assert_eq!(middle.body, whole.body[100..200]);
    let rest = part("bytes=100-", &tag).await;
    assert_eq!(rest.body, whole.body[100..]);
    assert_eq!(part("bytes=100-", "\"other\"").await.status, 200, "another ETag returns the whole package");
    let beyond = part(&format!("bytes={size}-"), &tag).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, format!("bytes */{size}").as_str()));
    assert_clean(&client.sim);
}

#[tokio::test]
async fn serves_packages_without_ranges() {
    let Some(client) = TestClient::vendored_with(TestClient::builder().ranges(false)).await else { return };
    let path = format!("{}/download", ready(&client).await);
    let response = client.send(client.request(Method::GET, &path).header("range", "bytes=5-9")).await;
    assert_eq!((response.status, response.header("etag"), response.header("accept-ranges")), (200, "", ""));
}

#[tokio::test]
async fn packages_can_fail_and_expire() {
    let Some(client) = TestClient::vendored().await else { return };
    client.sim.control().fail_next_package("The report template is broken.");
    let failed = ready(&client).await;
    let shown = client.get(&failed).await.json();
    assert_eq!(
        (&shown["status"], &shown["errorMessage"]),
        (&json!("FAILED"), &json!("The report template is broken."))
    );
    let fetched = client.get(&format!("{failed}/download")).await;
    assert_eq!(fetched.message(), "The download is FAILED, not READY: The report template is broken.");

    let dossier = client.dossier("gone").await;
    let file = client.file(&dossier, "a.pdf", sample("invoice.pdf")).await;
    let path = format!("{dossier}/files/{file}");
    let id = client.post(&format!("{path}/create-download"), json!({})).await.json()["downloadId"]
        .as_str()
        .unwrap()
        .to_owned();
    client.delete(&format!("{path}?deletePermanently=true")).await;
    client.advance(30);
    assert_eq!(client.get(&format!("/api/downloads/{id}")).await.json()["status"], "FAILED");

    client.sim.control().expire_packages();
    assert_eq!(client.get("/api/downloads").await.json(), json!({"downloads": []}));
    let expired = client.get(&failed).await;
    assert_eq!(expired.status, 404);
    assert!(expired.message().contains("expired"));
    assert_clean(&client.sim);
}
