//! Control characters, line breaks and bidirectional characters from the service reach neither terminal nor log.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::wait::WaitErrorKind;
use documine_sim::Fault;
use serde_json::json;

use crate::harness::canned_server::response;
use crate::harness::field_recorder::FieldRecorder;
use crate::harness::pdf_fixtures::STUDY;
use crate::harness::scripted::{client, scripted_server};
use crate::harness::test_env::{TestEnv, originals};

/// An escape sequence, a line break that forges a log line, and bidirectional characters.
const HOSTILE: &str = "\u{1b}[31mSTUCK\r\n2026-01-01 ERROR forged\u{9b}2J\u{202e}gpj.exe\u{2066}\u{200f}";

fn is_harmless(text: &str) -> bool {
    let hidden = ['\u{202e}', '\u{2066}', '\u{200f}'];
    !text.contains(|c: char| c.is_control() || hidden.contains(&c))
}

/// Asserts that the error line and each line of its debug output are harmless.
fn assert_harmless(line: &str, facts: &str) {
    assert!(line.contains("STUCK") && is_harmless(line), "{line:?}");
    assert!(facts.lines().all(is_harmless), "{facts:?}");
}

#[tokio::test]
async fn error_replaces_control_characters_of_service_text() {
    let body = json!({"timestamp": HOSTILE, "message": HOSTILE, "errors": [{"field": HOSTILE, "message": HOSTILE}]});
    let headers = ["Content-Type: application/json", "X-Request-Id: r-1\t\u{202e}"];
    let service = scripted_server(vec![response("400 Bad Request", &headers, &body.to_string())]).await;
    let client = client(&service.base).await;
    // `tracing` caches interest per call site; a call site first used while another test subscribes may be missed, so use it once before.
    client.license().await.unwrap_err();
    let recorder = FieldRecorder::sdk();
    let guard = tracing::subscriber::set_default(recorder.clone());
    let error = client.license().await.unwrap_err();
    drop(guard);
    assert_harmless(&format!("{error:#}"), &format!("{error:?}"));
    assert!(error.api_timestamp().is_some_and(is_harmless), "{:?}", error.api_timestamp());
    assert!(error.request_id().is_none_or(is_harmless), "{:?}", error.request_id());
    assert_eq!(error.api_message(), Some(HOSTILE), "the unmodified text");
    let recorded_fields = recorder.lines();
    assert!(!recorded_fields.is_empty() && recorded_fields.iter().all(|text| is_harmless(text)), "{recorded_fields:?}");
}

#[tokio::test]
async fn decode_error_replaces_control_characters_of_value() {
    let body = json!({"licensedPages": HOSTILE}).to_string();
    let service = scripted_server(vec![response("200 OK", &["Content-Type: application/json"], &body)]).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_harmless(&format!("{error:#}"), &format!("{error:?}"));
}

#[tokio::test]
async fn wait_state_stays_on_one_line() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let state = json!([{"op": "replace", "path": "/processingStatus", "value": HOSTILE}]).to_string();
    env.add_fault(Fault::on("getFile").patch(&state));
    file.wait_until_processed().with_deadline(Duration::from_secs(2)).await.unwrap_err();
    let states = Arc::new(Mutex::new(Vec::new()));
    let observed_states = Arc::clone(&states);
    let recorder = FieldRecorder::sdk();
    let guard = tracing::subscriber::set_default(recorder.clone());
    let wait = file.wait_until_processed().with_deadline(Duration::from_secs(5));
    let error = wait.on_state(move |state| observed_states.lock().unwrap().push(state.to_owned())).await.unwrap_err();
    drop(guard);
    assert_harmless(&format!("{error:#}"), &format!("{error:?}"));
    assert!(error.last_state().is_some_and(is_harmless), "{:?}", error.last_state());
    let error = documine::Error::from(error);
    assert_harmless(&format!("{error:#}"), &format!("{error:?}"));
    let states = states.lock().unwrap().clone();
    assert!(!states.is_empty() && states.iter().all(|state| is_harmless(state)), "{states:?}");
    let recorded_fields = recorder.lines();
    assert!(recorded_fields.iter().any(|text| text.contains("STUCK")), "the state is logged");
    assert!(recorded_fields.iter().all(|text| is_harmless(text)), "{recorded_fields:?}");

    let failed = json!([
        {"op": "replace", "path": "/files/0/processingStatus", "value": "ERROR"},
        {"op": "add", "path": "/files/0/errorMessage", "value": HOSTILE},
        {"op": "add", "path": "/files/0/fileName", "value": HOSTILE},
    ]);
    env.add_fault(Fault::on("getFiles").patch(&failed.to_string()));
    let error = dossier.wait_until_processed().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Failed);
    assert_harmless(&format!("{error:#}"), &format!("{error:?}"));
}

#[tokio::test]
async fn package_failure_reason_stays_on_one_line() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let failed = json!([
        {"op": "replace", "path": "/status", "value": "FAILED"},
        {"op": "add", "path": "/errorMessage", "value": HOSTILE},
    ]);
    env.add_fault(Fault::on("getDownload").patch(&failed.to_string()));
    let package = dossier.create_package(originals()).await.unwrap();
    let error = package.wait().await.unwrap_err();
    assert_harmless(&format!("{error:#}"), &format!("{error:?}"));
}
