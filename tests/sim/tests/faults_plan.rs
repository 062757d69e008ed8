//! Fault plans: probabilities and seeds, files, presets, control over HTTP and by the program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::process::Command;

use documine_sim::{Fault, Faults};
use reqwest::Method;
use serde_json::{Value, json};
use support::{TestClient, TestResponse, program, ready_line};

/// Returns which of the requests were hit.
async fn hits(client: &TestClient, requests: usize) -> Vec<bool> {
    for _ in 0..requests {
        client.get("/api/license").await;
    }
    let asked = client.sim.requests();
    asked.iter().filter(|request| request.method == "GET").map(|request| request.fault.is_some()).collect()
}

#[tokio::test]
async fn same_seed_hits_the_same_requests() {
    let plan = || {
        let plan = Faults::default();
        plan.add(Fault::on("api/*").probability(0.3).status(503));
        plan
    };
    let Some(first) = TestClient::vendored_with(TestClient::builder().faults(plan()).fault_seed(5)).await else {
        return;
    };
    let first = hits(&first, 60).await;
    assert!(first.contains(&true) && first.contains(&false));
    assert_eq!(hits(&TestClient::with(TestClient::builder().faults(plan()).fault_seed(5)).await, 60).await, first);
    assert_eq!(
        hits(&TestClient::with(TestClient::builder().faults(plan()).seed(5)).await, 60).await,
        first,
        "the simulator's seed"
    );
    assert_ne!(hits(&TestClient::with(TestClient::builder().faults(plan()).fault_seed(6)).await, 60).await, first);
    let own = plan();
    own.seed(5);
    let client = TestClient::with(TestClient::builder().faults(own).seed(9)).await;
    assert_eq!(hits(&client, 60).await, first, "the plan's seed takes precedence");
    let count = first.iter().filter(|hit| **hit).count() as u64;
    assert_eq!(client.sim.faults().hits(), [("status_503".to_owned(), count)].into());
}

#[test]
fn loads_a_plan_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[[fault]]\noperation = 'getFiles'\nrate_limited = 3\n").unwrap();
    assert_eq!(Faults::load(file.path()).unwrap().list(), [Fault::on("getFiles").rate_limited(3)]);
    std::fs::write(file.path(), "seed = 1\n[[fault]]\noperation = 'getFiles'\nrate_limit = 3\n").unwrap();
    let error = Faults::load(file.path()).expect_err("refused").to_string();
    assert!(error.starts_with(&format!("fault plan {}", file.path().display())), "{error}");
    assert!(error.ends_with("line 4: unknown field `rate_limit`; write `rate_limited`"), "{error}");
    assert!(Faults::load("/nowhere/plan.toml").expect_err("refused").to_string().contains("/nowhere/plan.toml"));
}

/// The plan in the README.
#[test]
fn readme_plan_is_valid() {
    let readme = include_str!("../README.md");
    let section = readme.split_once("## Faults").unwrap().1;
    let plan = section.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    assert_eq!(Faults::parse(plan).unwrap().list().len(), 3);
}

#[tokio::test]
async fn flaky_preset_hits_about_a_fifth() {
    let Some(client) =
        TestClient::vendored_with(TestClient::builder().faults(Faults::preset("flaky").unwrap()).fault_seed(3)).await
    else {
        return;
    };
    for _ in 0..120 {
        drop(client.request(Method::GET, "/api/license").send().await);
    }
    let hit = client.sim.faults().hits();
    let count: u64 = hit.values().sum();
    assert!((12..40).contains(&count), "{hit:?}");
    let journal = client.sim.requests();
    assert_eq!(journal.iter().filter(|request| request.fault.is_some()).count() as u64, count);
    for unseen in journal.iter().filter(|request| request.fault.as_deref() == Some("unseen")) {
        assert!(!unseen.reached);
    }
}

#[tokio::test]
async fn newer_server_preset_changes_every_response() {
    let Some(client) =
        TestClient::vendored_with(TestClient::builder().faults(Faults::preset("newer-server").unwrap())).await
    else {
        return;
    };
    for _ in 0..3 {
        let templates = client.get("/api/dossier-templates").await.json();
        assert_eq!(templates["dossierTemplates"], Value::Null);
        assert!(templates["xUnheardOf"].is_object());
    }
    let template = format!("/api/dossier-templates/{}", client.sim.dossier_template_id());
    assert_eq!(client.get(&template).await.json()["status"], "UNHEARD_OF");
    support::assert_clean(&client.sim);
}

#[tokio::test]
async fn controls_the_plan_over_http() {
    let Some(client) = TestClient::vendored().await else { return };
    let steer = async |method: Method, body: Option<Value>| -> TestResponse {
        let request = client.http.request(method, format!("{}/__sim/faults", client.sim.base_url()));
        client
            .send(match body {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
    };
    let post = async |body: Value| steer(Method::POST, Some(body)).await;
    assert_eq!(post(json!({"operation": "getLicense", "nth": 1, "rate_limited": 2})).await.status, 200);
    assert_eq!(post(json!({"preset": "rude-proxy", "seed": 7})).await.status, 200);
    assert_eq!(post(json!({"seed": 8})).await.json()["seed"], 8);
    assert_eq!(client.get("/api/license").await.status, 429);
    let shown = steer(Method::GET, None).await.json();
    assert_eq!(shown["faults"][0], json!({"operation": "getLicense", "nth": 1, "rate_limited": 2}));
    assert_eq!((shown["faults"].as_array().unwrap().len(), &shown["hits"]), (9, &json!({"rate_limited": 1})));
    let requests = client.send(client.http.get(format!("{}/__sim/requests", client.sim.base_url()))).await.json();
    assert_eq!(
        (&requests["requests"][1]["fault"], &requests["requests"][1]["reached"]),
        (&json!("rate_limited"), &json!(false))
    );
    // The listed faults can be sent again.
    assert_eq!(post(shown["faults"].clone()).await.status, 200);
    for (wrong, words) in [
        (json!({"preset": "flakey"}), "write one of flaky"),
        (json!({"preset": "flaky", "sede": 1}), "unknown field `sede`"),
        (json!({"operation": "getFils", "unseen": true}), "write `getFiles`"),
        (
            json!([{"operation": "getFiles", "unseen": true}, {"operation": "getFiles", "unsene": true}]),
            "write `unseen`",
        ),
    ] {
        let refused = post(wrong).await;
        assert_eq!(refused.status, 400);
        assert!(refused.message().contains(words), "{}", refused.message());
    }
    assert_eq!(
        steer(Method::GET, None).await.json()["faults"].as_array().unwrap().len(),
        18,
        "a list is added completely or not at all"
    );
    assert_eq!(steer(Method::DELETE, None).await.status, 204);
    let empty = steer(Method::GET, None).await.json();
    assert_eq!((&empty["faults"], &empty["hits"], &empty["seed"]), (&json!([]), &json!({}), &json!(8)));
}

#[tokio::test]
async fn program_accepts_a_plan() {
    let mut child = program(&["--faults", "preset:rate-limited", "--fault-seed", "11"]).spawn().unwrap();
    let ready: Value = serde_json::from_str(&ready_line(&mut child)).unwrap();
    let url = format!("{}/__sim/faults", ready["base_url"].as_str().unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let shown: Value = http.get(url).send().await.unwrap().json().await.unwrap();
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!((&shown["seed"], shown["faults"].as_array().unwrap().len()), (&json!(11), 2));

    let plan = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(plan.path(), "[[fault]]\noperation = 'getFils'\nunseen = true\n").unwrap();
    for (plan, words) in [
        (plan.path().to_str().unwrap(), "line 1: there is no operation `getFils`; write `getFiles`"),
        ("preset:flakey", "there is no preset `flakey`"),
        ("/nowhere.toml", "fault plan /nowhere.toml"),
    ] {
        let output = program(&["--faults", plan]).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.lines().count() == 1 && text.contains(words), "{text}");
    }
}
