//! Texts of the service that a terminal or a log would obey reach neither: control characters, line ends, changes of direction.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{PackageContent, WaitErrorKind};
use documine_sim::Fault;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::canned::answer;
use crate::paper::STUDY;
use crate::scripted::{client, service};
use crate::world::World;

/// An escape sequence, a line end that forges a line, a change of direction.
const HOSTILE: &str = "\u{1b}[31mSTUCK\r\n2026-01-01 ERROR forged\u{9b}2J\u{202e}gpj.exe\u{2066}\u{200f}";

fn is_harmless(text: &str) -> bool {
    let hidden = ['\u{202e}', '\u{2066}', '\u{200f}'];
    !text.contains(|c: char| c.is_control() || hidden.contains(&c))
}

/// The line that an error shows, and the lines of its facts.
fn assert_harmless(line: &str, facts: &str) {
    assert!(line.contains("STUCK") && is_harmless(line), "{line:?}");
    assert!(facts.lines().all(is_harmless), "{facts:?}");
}

/// Keeps what events and spans hold.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Visit for Kept {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0.lock().unwrap().push(value.to_owned());
    }

    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.0.lock().unwrap().push(format!("{value:?}"));
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "documine"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn an_error_shows_no_control_character_of_the_service() {
    let body = json!({"timestamp": HOSTILE, "message": HOSTILE, "errors": [{"field": HOSTILE, "message": HOSTILE}]});
    let headers = ["Content-Type: application/json", "X-Request-Id: r-1\t\u{202e}"];
    let service = service(vec![answer("400 Bad Request", &headers, &body.to_string())]).await;
    let client = client(&service.base).await;
    // Spans are known to tracing once they were made; one that is made for the first time while others subscribe may be missed.
    client.license().await.unwrap_err();
    let kept = Kept::default();
    let guard = tracing::subscriber::set_default(kept.clone());
    let error = client.license().await.unwrap_err();
    drop(guard);
    assert_harmless(&error.to_string(), &format!("{error:?}"));
    assert!(error.api_timestamp().is_some_and(is_harmless), "{:?}", error.api_timestamp());
    assert!(error.request_id().is_none_or(is_harmless), "{:?}", error.request_id());
    assert_eq!(error.api_message(), Some(HOSTILE), "the text itself, as it came");
    let seen = kept.0.lock().unwrap().clone();
    assert!(!seen.is_empty() && seen.iter().all(|text| is_harmless(text)), "{seen:?}");
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_shown_without_control_characters() {
    let body = json!({"licensedPages": HOSTILE}).to_string();
    let service = service(vec![answer("200 OK", &["Content-Type: application/json"], &body)]).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_harmless(&error.to_string(), &format!("{error:?}"));
}

#[tokio::test]
async fn a_waits_state_is_one_line_wherever_it_goes() {
    let world = World::new().await;
    let (dossier, file) = world.processed("study.pdf", STUDY).await;
    let state = json!([{"op": "replace", "path": "/processingStatus", "value": HOSTILE}]).to_string();
    world.sim.faults().add(Fault::on("getFile").patch(&state));
    file.processed().with_deadline(Duration::from_secs(2)).await.unwrap_err();
    let states = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&states);
    let kept = Kept::default();
    let guard = tracing::subscriber::set_default(kept.clone());
    let wait = file.processed().with_deadline(Duration::from_secs(5));
    let error = wait.on_state(move |state| told.lock().unwrap().push(state.to_owned())).await.unwrap_err();
    drop(guard);
    assert_harmless(&error.to_string(), &format!("{error:?}"));
    assert!(error.last_state().is_some_and(is_harmless), "{:?}", error.last_state());
    let error = documine::Error::from(error);
    assert_harmless(&error.to_string(), &format!("{error:?}"));
    let states = states.lock().unwrap().clone();
    assert!(!states.is_empty() && states.iter().all(|state| is_harmless(state)), "{states:?}");
    let seen = kept.0.lock().unwrap().clone();
    assert!(seen.iter().any(|text| text.contains("STUCK")), "the state is logged");
    assert!(seen.iter().all(|text| is_harmless(text)), "{seen:?}");

    let failed = json!([
        {"op": "replace", "path": "/files/0/processingStatus", "value": "ERROR"},
        {"op": "add", "path": "/files/0/errorMessage", "value": HOSTILE},
        {"op": "add", "path": "/files/0/fileName", "value": HOSTILE},
    ]);
    world.sim.faults().add(Fault::on("getFiles").patch(&failed.to_string()));
    let error = dossier.processed().await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::Failed);
    assert_harmless(&error.to_string(), &format!("{error:?}"));
}

#[tokio::test]
async fn why_a_package_failed_is_one_line() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let failed = json!([
        {"op": "replace", "path": "/status", "value": "FAILED"},
        {"op": "add", "path": "/errorMessage", "value": HOSTILE},
    ]);
    world.sim.faults().add(Fault::on("getDownload").patch(&failed.to_string()));
    let package =
        dossier.create_package(PackageContent::file_types([documine::DownloadFileType::Original])).await.unwrap();
    let error = package.wait().await.unwrap_err();
    assert_harmless(&error.to_string(), &format!("{error:?}"));
}
