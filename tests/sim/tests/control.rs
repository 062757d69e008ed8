//! Control by tests: journal, clock, faults, paging, the same over HTTP, and restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use documine_sim::{Fault, Paging, Simulator};
use reqwest::Method;
use serde_json::{Value, json};
use support::{TestClient, assert_clean, pdf, sample, wait_until};

#[tokio::test]
async fn journal_records_every_request() {
    let Some(client) = TestClient::vendored().await else { return };
    client.advance(7);
    client.get("/api/license/usage?startDate=2025-01-01T00:00:00Z").await;
    client.get("/api/nothing").await;
    let requests = client.sim.requests();
    let operations: Vec<Option<&str>> = requests.iter().map(|request| request.operation.as_deref()).collect();
    assert_eq!(operations, [Some("token"), Some("getLicenseUsage"), None]);
    let usage = &requests[1];
    assert_eq!((usage.method.as_str(), usage.path.as_str(), usage.status), ("GET", "/api/license/usage", 200));
    assert_eq!(usage.query.as_deref(), Some("startDate=2025-01-01T00:00:00Z"));
    assert_eq!(usage.header("X-Tenant-Id"), Some("acme"));
    assert_eq!(usage.at, client.sim.clock().now());
    assert!(usage.response_bytes > 50 && requests[0].request_bytes > 50);
    client.sim.clear_requests();
    assert!(client.sim.requests().is_empty());
}

#[tokio::test]
async fn faults_change_responses() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("f").await;
    client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    let faults = client.sim.faults();
    let path = format!("{dossier}/files");
    faults.add(Fault::on("getFiles").times(1).status(429).header("Retry-After", "3"));
    faults.add(Fault::on("getFiles").nth(2).status(502).body("text/html", "<html>bad gateway</html>"));
    faults.add(
        Fault::on("getFiles")
            .nth(3)
            .patch(r#"[{"op": "replace", "path": "/files/0/processingStatus", "value": "DREAMING"}]"#),
    );
    faults.add(Fault::on("getFiles").nth(4).patch(r#"[{"op": "replace", "path": "/files", "value": null}]"#));
    let busy = client.get(&path).await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, "3"));
    busy.message();
    let html = client.get(&path).await;
    assert_eq!(
        (html.status, html.header("content-type"), html.text().as_str()),
        (502, "text/html", "<html>bad gateway</html>")
    );
    assert_eq!(client.get(&path).await.json()["files"][0]["processingStatus"], "DREAMING");
    assert_eq!(client.get(&path).await.json(), json!({"files": null}));
    assert_eq!(client.get(&path).await.status, 200);

    faults.clear();
    faults.add(Fault::on("*").nth(1).cut_after(5));
    let cut = client.request(Method::GET, &path).send().await.expect("the head arrives");
    assert!(cut.bytes().await.is_err(), "the body is cut");

    faults.add(Fault::on("getUsers").delay_ms(5000));
    let slow = tokio::spawn(client.request(Method::GET, "/api/users").send());
    wait_until(|| client.sim.faults().hits().contains_key("delay_ms")).await;
    assert!(!slow.is_finished());
    client.advance(5);
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn pages_lists_on_request() {
    let Some(client) = TestClient::vendored_with(TestClient::builder().paging(Paging::Page)).await else { return };
    for number in 0..5 {
        client.dossier(&format!("d{number}")).await;
    }
    let page = client.get(&format!("{}?page=1&size=2", client.dossiers())).await.json();
    assert_eq!(
        (&page["page"], &page["size"], &page["totalElements"], &page["totalPages"]),
        (&json!(1), &json!(2), &json!(5), &json!(3))
    );
    assert_eq!(page["dossiers"][0]["name"], "d2");
    assert_eq!(client.get(&format!("{}?page=9", client.dossiers())).await.json()["dossiers"], json!([]));
    assert_eq!(client.get(&format!("{}?size=0", client.dossiers())).await.status, 400);

    let client = TestClient::with(TestClient::builder().paging(Paging::Link)).await;
    for number in 0..5 {
        client.dossier(&format!("d{number}")).await;
    }
    let (mut path, mut names) = (format!("{}?includeActive=true&size=2", client.dossiers()), Vec::new());
    for _ in 0..3 {
        let response = client.get(&path).await;
        names.extend(
            response.json()["dossiers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|dossier| dossier["name"].as_str().unwrap().to_owned()),
        );
        let link = response.header("link");
        path = link.split_once('>').map(|(target, _)| target.trim_start_matches('<').to_owned()).unwrap_or_default();
        assert!(path.is_empty() || path.contains("includeActive=true"), "other parameters are kept: {path}");
    }
    assert_eq!(names, ["d0", "d1", "d2", "d3", "d4"]);
    assert!(path.is_empty(), "the last page has no link");
}

#[tokio::test]
async fn controls_the_simulator_over_http() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("h").await;
    let file = client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    let steer = async |method: Method, path: &str, body: Option<Value>| {
        let request = client.http.request(method, format!("{}/__sim/{path}", client.sim.base_url()));
        client
            .send(match body {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
    };
    let before = steer(Method::GET, "clock", None).await.json();
    assert_eq!(before["manual"], true);
    let after = steer(Method::POST, "clock", Some(json!({"advance_ms": 60_000}))).await.json();
    assert_ne!(before["now"], after["now"]);
    assert_eq!(client.state(&dossier, &file).await, "PROCESSED");

    assert_eq!(
        steer(Method::POST, "faults", Some(json!([{"operation": "getFile", "nth": 1, "status": 503}]))).await.status,
        200
    );
    assert_eq!(client.get(&format!("{dossier}/files/{file}")).await.status, 503);
    assert_eq!(steer(Method::GET, "faults", None).await.json()["faults"][0]["operation"], "getFile");
    assert_eq!(steer(Method::POST, "faults", Some(json!({"nope": 1}))).await.status, 400);
    assert_eq!(steer(Method::DELETE, "faults", None).await.status, 204);

    assert_eq!(steer(Method::POST, "control", Some(json!({"action": "reanalyse", "file_id": file}))).await.status, 204);
    assert_eq!(client.state(&dossier, &file).await, "REPROCESS");
    assert_eq!(
        steer(Method::POST, "control", Some(json!({"action": "reanalyse", "file_id": "none"}))).await.status,
        404
    );
    assert_eq!(steer(Method::POST, "control", Some(json!({"action": "dance"}))).await.status, 400);

    let state = steer(Method::GET, "state", None).await.json();
    assert_eq!(state["files"][0]["id"], json!(file));
    assert_eq!(state["dossiers"][0]["name"], "h");
    let requests = steer(Method::GET, "requests", None).await.json();
    assert!(requests["requests"].as_array().unwrap().iter().any(|request| request["operation"] == "uploadFile"));
    let violations = steer(Method::GET, "violations", None).await.json();
    assert_eq!((&violations["checked"], &violations["violations"]), (&json!(cfg!(feature = "check")), &json!([])));
}

#[tokio::test]
async fn state_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = async || TestClient::builder().data_dir(folder.path()).start().await.unwrap();
    let Some(client) = TestClient::vendored_with(TestClient::builder().data_dir(folder.path())).await else { return };
    let dossier = client.dossier("stays").await;
    let file = client.file(&dossier, "a.pdf", sample("invoice.pdf")).await;
    client.advance(30);
    let package = client.package(&dossier, json!({})).await;
    let bytes = client.get(&format!("{package}/download")).await.body;
    let token = client.token.clone();
    // Dropped without a shutdown: the state of every answered request is saved.
    drop(client);

    let mut client = TestClient::at(start().await).await;
    client.advance(200);
    client.token = token;
    assert_eq!(client.get(&dossier).await.json()["name"], "stays");
    assert_eq!(client.state(&dossier, &file).await, "PROCESSED");
    assert!(client.get(&format!("{package}/download")).await.body == bytes, "the package differs");
    assert_ne!(client.dossier("new").await, dossier, "ids are not reused");

    std::fs::write(folder.path().join("state.json"), "junk").unwrap();
    let error = Simulator::builder().data_dir(folder.path()).start().await.expect_err("refused").to_string();
    assert!(error.contains("state.json is not a state file of this simulator"), "{error}");
}
