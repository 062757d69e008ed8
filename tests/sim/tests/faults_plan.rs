//! Plans of faults: chance and its seed, files, presets, the same over HTTP and on the command line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use documine_sim::{Fault, Faults};
use reqwest::Method;
use serde_json::{Value, json};
use support::{Answer, Desk};

/// Which of so many requests were hit.
async fn hits(desk: &Desk, requests: usize) -> Vec<bool> {
    for _ in 0..requests {
        desk.get("/api/license").await;
    }
    let asked = desk.sim.requests();
    asked.iter().filter(|request| request.method == "GET").map(|request| request.fault.is_some()).collect()
}

#[tokio::test]
async fn the_same_seed_hits_the_same_requests() {
    if support::other_document() {
        return;
    }
    let plan = || {
        let plan = Faults::default();
        plan.add(Fault::on("api/*").probability(0.3).status(503));
        plan
    };
    let first = hits(&Desk::with(Desk::builder().faults(plan()).fault_seed(5)).await, 60).await;
    assert!(first.contains(&true) && first.contains(&false));
    assert_eq!(hits(&Desk::with(Desk::builder().faults(plan()).fault_seed(5)).await, 60).await, first);
    assert_eq!(
        hits(&Desk::with(Desk::builder().faults(plan()).seed(5)).await, 60).await,
        first,
        "the simulator's seed"
    );
    assert_ne!(hits(&Desk::with(Desk::builder().faults(plan()).fault_seed(6)).await, 60).await, first);
    let own = plan();
    own.seed(5);
    let desk = Desk::with(Desk::builder().faults(own).seed(9)).await;
    assert_eq!(hits(&desk, 60).await, first, "the plan's seed goes before the simulator's");
    let count = first.iter().filter(|hit| **hit).count() as u64;
    assert_eq!(desk.sim.faults().hits(), [("status_503".to_owned(), count)].into());
}

#[test]
fn a_plan_is_loaded_from_a_file() {
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
fn the_readme_shows_a_plan_that_is_accepted() {
    let readme = include_str!("../README.md");
    let section = readme.split_once("## Faults").unwrap().1;
    let plan = section.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    assert_eq!(Faults::parse(plan).unwrap().list().len(), 3);
}

#[tokio::test]
async fn a_flaky_network_hits_about_a_fifth() {
    if support::other_document() {
        return;
    }
    let desk = Desk::with(Desk::builder().faults(Faults::preset("flaky").unwrap()).fault_seed(3)).await;
    for _ in 0..120 {
        drop(desk.request(Method::GET, "/api/license").send().await);
    }
    let hit = desk.sim.faults().hits();
    let count: u64 = hit.values().sum();
    assert!((12..40).contains(&count), "{hit:?}");
    let journal = desk.sim.requests();
    assert_eq!(journal.iter().filter(|request| request.fault.is_some()).count() as u64, count);
    for unseen in journal.iter().filter(|request| request.fault.as_deref() == Some("unseen")) {
        assert!(!unseen.reached);
    }
}

#[tokio::test]
async fn a_newer_server_is_newer_in_every_answer() {
    if support::other_document() {
        return;
    }
    let desk = Desk::with(Desk::builder().faults(Faults::preset("newer-server").unwrap())).await;
    for _ in 0..3 {
        let templates = desk.get("/api/dossier-templates").await.json();
        assert_eq!(templates["dossierTemplates"], Value::Null);
        assert!(templates["xUnheardOf"].is_object());
    }
    let template = format!("/api/dossier-templates/{}", desk.sim.dossier_template_id());
    assert_eq!(desk.get(&template).await.json()["status"], "UNHEARD_OF");
    support::assert_clean(&desk.sim);
}

#[tokio::test]
async fn the_plan_is_steered_over_http() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let steer = async |method: Method, body: Option<Value>| -> Answer {
        let request = desk.http.request(method, format!("{}/__sim/faults", desk.sim.base_url()));
        desk.send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    };
    let post = async |body: Value| steer(Method::POST, Some(body)).await;
    assert_eq!(post(json!({"operation": "getLicense", "nth": 1, "rate_limited": 2})).await.status, 200);
    assert_eq!(post(json!({"preset": "rude-proxy", "seed": 7})).await.status, 200);
    assert_eq!(post(json!({"seed": 8})).await.json()["seed"], 8);
    assert_eq!(desk.get("/api/license").await.status, 429);
    let shown = steer(Method::GET, None).await.json();
    assert_eq!(shown["faults"][0], json!({"operation": "getLicense", "nth": 1, "rate_limited": 2}));
    assert_eq!((shown["faults"].as_array().unwrap().len(), &shown["hits"]), (9, &json!({"rate_limited": 1})));
    let requests = desk.send(desk.http.get(format!("{}/__sim/requests", desk.sim.base_url()))).await.json();
    assert_eq!(
        (&requests["requests"][1]["fault"], &requests["requests"][1]["reached"]),
        (&json!("rate_limited"), &json!(false))
    );
    // What is shown can be sent again.
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
    assert_eq!(steer(Method::GET, None).await.json()["faults"].as_array().unwrap().len(), 18, "all of a list or none");
    assert_eq!(steer(Method::DELETE, None).await.status, 204);
    let empty = steer(Method::GET, None).await.json();
    assert_eq!((&empty["faults"], &empty["hits"], &empty["seed"]), (&json!([]), &json!({}), &json!(8)));
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_documine-sim"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn the_program_takes_a_plan() {
    let mut child = program(&["--faults", "preset:rate-limited", "--fault-seed", "11"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
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
