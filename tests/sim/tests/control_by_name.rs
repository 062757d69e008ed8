//! Control of single files, timing, responses and users while the simulator runs, in Rust and over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::time::Duration;

use documine_sim::Timing;
use serde_json::{Value, json};
use support::{TestClient, TestResponse, assert_clean, pdf};

async fn act(client: &TestClient, body: Value) -> TestResponse {
    client.send(client.http.post(format!("{}/__sim/control", client.sim.base_url())).json(&body)).await
}

#[tokio::test]
async fn analysis_in_progress_and_of_later_uploads_fails_by_name() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("d").await;
    let page = || pdf(&[&["a"]]);
    let running = client.file(&dossier, "scan-1.pdf", page()).await;
    let other = client.file(&dossier, "report.pdf", page()).await;
    assert_eq!(client.sim.control().fail_analysis("scan-?.pdf", "no text"), 1);
    let later = client.file(&dossier, "scan-2.pdf", page()).await;
    client.advance(60);
    for file in [&running, &later] {
        let status = client.get(&format!("{dossier}/files/{file}")).await.json();
        assert_eq!((&status["processingStatus"], &status["errorMessage"]), (&json!("ERROR"), &json!("no text")));
    }
    assert_eq!(client.state(&dossier, &other).await, "PROCESSED");
    // Failed analyses are not counted, as those that were planned to fail.
    assert_eq!(client.get("/api/license/usage").await.json()["analysedFiles"], 1);
    // A processed file is not affected, and a reanalysis is.
    assert_eq!(client.sim.control().fail_analysis("report.pdf", "later"), 0);
    client.sim.control().reanalyse(&other).unwrap();
    client.advance(60);
    assert_eq!(client.state(&dossier, &other).await, "ERROR");
    client.sim.control().clear_analysis_plans();
    client.sim.control().reanalyse(&running).unwrap();
    client.advance(60);
    assert_eq!(client.state(&dossier, &running).await, "PROCESSED");
    assert_clean(&client.sim);
}

#[tokio::test]
async fn analysis_is_delayed_by_name() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("d").await;
    let running = client.file(&dossier, "slow.pdf", pdf(&[&["a"]])).await;
    let body = json!({"action": "delay_analysis", "name": "slow*", "delay_ms": 60_000});
    assert_eq!(act(&client, body).await.status, 204);
    let later = client.file(&dossier, "slower.pdf", pdf(&[&["a"]])).await;
    client.advance(30);
    assert_eq!(client.state(&dossier, &running).await, "UNPROCESSED");
    assert_eq!(client.get("/api/license/usage").await.json()["analysedFiles"], 0);
    client.advance(60);
    assert_eq!(client.state(&dossier, &running).await, "PROCESSED");
    assert_eq!(client.state(&dossier, &later).await, "PROCESSED");
    assert_eq!(client.get("/api/license/usage").await.json()["analysedFiles"], 2);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn timing_changes_while_the_simulator_runs() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("d").await;
    let default = client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    client.sim.control().set_timing(Timing::fixed(Duration::from_secs(600), Duration::from_secs(50)));
    let slow = client.file(&dossier, "b.pdf", pdf(&[&["a"], &["b"]])).await;
    client.advance(599);
    assert_eq!(client.state(&dossier, &default).await, "PROCESSED");
    assert_eq!(client.state(&dossier, &slow).await, "INDEXING");
    client.advance(2);
    assert_eq!(client.state(&dossier, &slow).await, "PROCESSED");

    let package = async || {
        let response = client.post(&format!("{dossier}/create-download"), json!({})).await.json();
        format!("/api/downloads/{}", response["downloadId"].as_str().unwrap())
    };
    let slow = package().await;
    // Absent fields stay as they are.
    assert_eq!(act(&client, json!({"action": "set_timing", "package_ms": 1000})).await.status, 204);
    let fast = package().await;
    client.advance(2);
    assert_eq!(client.get(&slow).await.json()["status"], "GENERATING");
    assert_eq!(client.get(&fast).await.json()["status"], "READY");
    client.advance(60);
    assert_eq!(client.get(&slow).await.json()["status"], "READY");
    assert!(client.sim.control().timing().indexing == Duration::from_secs(600));
    assert_clean(&client.sim);
}

#[tokio::test]
async fn responses_are_patched_over_http_and_the_hits_are_counted() {
    let Some(client) = TestClient::vendored().await else { return };
    let patch = json!({"action": "patch_response", "operation": "getLicense", "field": "/licensedPages", "value": 3});
    assert_eq!(act(&client, patch).await.status, 204);
    // A second patch of the same operation applies as well.
    client.sim.control().patch_response("getLicense", "product", json!({"unexpected": true})).unwrap();
    let license = client.get("/api/license").await.json();
    assert_eq!((&license["licensedPages"], &license["product"]), (&json!(3), &json!({"unexpected": true})));
    let patches = client.send(client.http.get(format!("{}/__sim/patches", client.sim.base_url()))).await.json();
    assert_eq!((&patches["patches"][0]["responses"], &patches["patches"][0]["hits"]), (&json!(1), &json!(1)));
    assert_eq!(act(&client, json!({"action": "clear_patches"})).await.status, 204);
    assert_ne!(client.get("/api/license").await.json()["licensedPages"], 3);

    let unknown = json!({"action": "patch_response", "operation": "getLicense", "field": "licencedPages", "value": 3});
    let response = act(&client, unknown).await;
    assert_eq!(response.status, 404);
    assert_eq!(response.message(), "the responses of getLicense have no field `licencedPages`; write `licensedPages`");
    let response = act(&client, json!({"action": "pach_response"})).await;
    assert_eq!((response.status, response.message().contains("write `patch_response`")), (400, true));
    assert_clean(&client.sim);
}

#[tokio::test]
async fn users_tokens_and_license_are_controlled_over_http() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("d").await;
    assert_eq!(act(&client, json!({"action": "exhaust_license", "exhausted": true})).await.status, 204);
    let response = client.upload(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    assert_eq!((response.status, response.message()), (403, "The licensed number of pages is used up.".to_owned()));
    let usage = client.get("/api/license/usage").await.json();
    assert_eq!(usage["licensedPages"], usage["analysedPages"]);
    assert_eq!(act(&client, json!({"action": "exhaust_license", "exhausted": false})).await.status, 204);
    client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;

    let user = client.sim.username();
    assert_eq!(act(&client, json!({"action": "disable_user", "username": "nobody"})).await.status, 404);
    assert_eq!(act(&client, json!({"action": "disable_user", "username": user})).await.status, 204);
    assert!(support::sign_in(&client.http, &client.sim).await["access_token"].is_null());
    assert_eq!(act(&client, json!({"action": "enable_user", "username": user})).await.status, 204);
    assert!(support::sign_in(&client.http, &client.sim).await["access_token"].is_string());
    assert_eq!(client.get("/api/license").await.status, 200);
    assert_eq!(act(&client, json!({"action": "expire_access_tokens"})).await.status, 204);
    assert_eq!(client.get("/api/license").await.status, 401);
    let tokens = support::sign_in(&client.http, &client.sim).await;
    assert_eq!(act(&client, json!({"action": "expire_refresh_tokens"})).await.status, 204);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    assert_eq!(support::request_tokens(&client.http, &client.sim, &refresh).await.status, 400);
    assert_clean(&client.sim);
}
