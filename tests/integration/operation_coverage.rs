//! Checks that every operation of the document has a facade method, a simulator route and a test.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use documine::api::operations::{OPERATIONS, Operation};

use crate::harness::test_env::{self, TestEnv};

/// Returns the operations that both the facade and the document have. Additional operations of another document are ignored.
fn known_operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|operation| operation.canonical && !operation.missing)
}

/// Runs all other tests once more and collects their requests.
#[test]
fn every_operation_succeeds_in_some_test() {
    let folder = tempfile::tempdir().unwrap();
    let observed = folder.path().join("seen");
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--skip", "coverage::"])
        .env("DOCUMINE_COVERAGE_FILE", &observed)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&run.stdout);
    let failed = out.find("\nfailures:").map_or("", |start| &out[start..]);
    assert!(run.status.success(), "a test fails, so its requests are unknown{failed}");
    let lines = std::fs::read_to_string(&observed).unwrap();
    let succeeded: BTreeSet<&str> = lines
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, status)| status.starts_with('2'))
        .map(|(id, _)| id)
        .collect();
    let missing: Vec<_> =
        known_operations().map(|operation| operation.id).filter(|id| !succeeded.contains(id)).collect();
    assert!(missing.is_empty(), "no test succeeds with {missing:?}");
}

#[tokio::test]
async fn every_operation_has_a_route_in_the_simulator() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let http = test_env::plain_http_client();
    for operation in known_operations() {
        let path: Vec<_> =
            operation.path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment }).collect();
        let url = format!("{}{}", env.sim.base_url(), path.join("/"));
        let response = http.request(operation.method.parse().unwrap(), url).send().await.unwrap();
        // A known route responds with 401 without a login; an unknown one would respond with 404 or 405.
        assert_eq!(response.status().as_u16(), 401, "{}", operation.id);
        assert_eq!(env.sim.requests().last().unwrap().operation.as_deref(), Some(operation.id));
    }
    let violations: Vec<&'static str> = env.violations().iter().map(|_| "").collect();
    env.expect_violations(&violations);
}

#[test]
fn every_operation_is_called_by_the_facade() {
    let mut source = String::new();
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("documine/src"), &mut source);
    for operation in OPERATIONS.iter().filter(|operation| operation.canonical) {
        let mut call = String::from(".");
        for letter in operation.id.chars() {
            if letter.is_ascii_uppercase() {
                call.push('_');
            }
            call.push(letter.to_ascii_lowercase());
        }
        call.push_str("()");
        assert!(source.contains(&call), "documine/src never calls {call}");
    }
}

fn read_all(folder: &Path, source: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, source);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            source.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
