//! Packages on their way: states, parts, failure, expiry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use reqwest::Method;
use serde_json::json;
use support::{Desk, assert_clean, pdf, sample, unzip};

async fn ready(desk: &Desk) -> String {
    let dossier = desk.dossier("p").await;
    desk.file(&dossier, "a.pdf", sample("invoice.pdf")).await;
    desk.wait(30);
    desk.package(&dossier, json!({})).await
}

#[tokio::test]
async fn a_package_is_queued_made_and_ready() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let dossier = desk.dossier("p").await;
    desk.file(&dossier, "a.pdf", pdf(&[&["x"][..]; 20])).await;
    let id = desk.post(&format!("{dossier}/create-download"), json!({})).await.json()["downloadId"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/downloads/{id}");
    let first = desk.get(&path).await.json();
    assert_eq!((&first["status"], &first["fileSize"]), (&json!("QUEUED"), &json!(null)));
    let early = desk.get(&format!("{path}/download")).await;
    assert_eq!((early.status, early.message().as_str()), (409, "The download is QUEUED, not READY."));
    desk.sim.clock().advance(std::time::Duration::from_millis(400));
    assert_eq!(desk.get(&path).await.json()["status"], "GENERATING");
    desk.wait(1);
    let ready = desk.get(&path).await.json();
    assert_eq!(ready["status"], "READY");
    let answer = desk.get(&format!("{path}/download")).await;
    assert_eq!(ready["fileSize"], json!(answer.body.len()));
    let names: Vec<String> = unzip(&answer.body).into_iter().map(|entry| entry.0).collect();
    assert!(names.contains(&"Components/NOT_ANALYSED.txt".to_owned()), "the analysis was not over: {names:?}");
    assert!(desk.get(&path).await.json()["lastDownload"].is_string());
    assert_eq!(desk.delete(&path).await.status, 204);
    assert_eq!(desk.get(&path).await.status, 404);
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn parts_can_be_fetched() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let path = format!("{}/download", ready(&desk).await);
    let whole = desk.get(&path).await;
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let tag = whole.header("etag").to_owned();
    let size = whole.body.len();
    let part = async |range: &str, tag: &str| {
        desk.send(desk.request(Method::GET, &path).header("range", range).header("if-range", tag)).await
    };
    let middle = part("bytes=100-199", &tag).await;
    assert_eq!((middle.status, middle.header("content-range")), (206, format!("bytes 100-199/{size}").as_str()));
    assert_eq!(middle.body, whole.body[100..200]);
    let rest = part("bytes=100-", &tag).await;
    assert_eq!(rest.body, whole.body[100..]);
    assert_eq!(part("bytes=100-", "\"other\"").await.status, 200, "another state: all of it");
    let beyond = part(&format!("bytes={size}-"), &tag).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, format!("bytes */{size}").as_str()));
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn a_server_without_ranges_is_possible() {
    if support::other_document() {
        return;
    }
    let desk = Desk::with(Desk::builder().ranges(false)).await;
    let path = format!("{}/download", ready(&desk).await);
    let answer = desk.send(desk.request(Method::GET, &path).header("range", "bytes=5-9")).await;
    assert_eq!((answer.status, answer.header("etag"), answer.header("accept-ranges")), (200, "", ""));
}

#[tokio::test]
async fn packages_fail_and_expire() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    desk.sim.control().fail_next_package("The report template is broken.");
    let failed = ready(&desk).await;
    let shown = desk.get(&failed).await.json();
    assert_eq!(
        (&shown["status"], &shown["errorMessage"]),
        (&json!("FAILED"), &json!("The report template is broken."))
    );
    let fetched = desk.get(&format!("{failed}/download")).await;
    assert_eq!(fetched.message(), "The download is FAILED, not READY: The report template is broken.");

    let dossier = desk.dossier("gone").await;
    let file = desk.file(&dossier, "a.pdf", sample("invoice.pdf")).await;
    let path = format!("{dossier}/files/{file}");
    let id = desk.post(&format!("{path}/create-download"), json!({})).await.json()["downloadId"]
        .as_str()
        .unwrap()
        .to_owned();
    desk.delete(&format!("{path}?deletePermanently=true")).await;
    desk.wait(30);
    assert_eq!(desk.get(&format!("/api/downloads/{id}")).await.json()["status"], "FAILED");

    desk.sim.control().expire_packages();
    assert_eq!(desk.get("/api/downloads").await.json(), json!({"downloads": []}));
    let expired = desk.get(&failed).await;
    assert_eq!(expired.status, 404);
    assert!(expired.message().contains("expired"));
    assert_clean(&desk.sim);
}
