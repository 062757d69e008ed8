//! `/__sim/…`: a test looks and steers over HTTP. Not part of the API, so neither sign-in nor journal.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{App, Refusal};
use crate::control::{Action, Control};
use crate::faults::Fault;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/__sim/requests", get(requests).delete(forget_requests))
        .route("/__sim/state", get(state))
        .route("/__sim/violations", get(violations).delete(forget_violations))
        .route("/__sim/clock", get(clock).post(advance))
        .route("/__sim/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/__sim/control", post(control))
}

async fn requests(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({"requests": app.journal.all().iter().map(crate::RecordedRequest::to_json).collect::<Vec<_>>()}))
}

async fn forget_requests(State(app): State<Arc<App>>) -> StatusCode {
    app.journal.clear();
    StatusCode::NO_CONTENT
}

async fn state(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.snapshot())
}

async fn violations(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.violations_json())
}

async fn forget_violations(State(app): State<Arc<App>>) -> StatusCode {
    app.forget_violations();
    StatusCode::NO_CONTENT
}

async fn clock(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({"now": app.now().text(), "manual": app.clock.is_manual()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

async fn advance(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match read::<Advance>(&body) {
        Ok(step) => {
            app.clock.advance(Duration::from_millis(step.advance_ms));
            Json(json!({"now": app.now().text(), "manual": app.clock.is_manual()})).into_response()
        }
        Err(refusal) => refusal.into_response(app.now()),
    }
}

async fn faults(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({"faults": app.faults.list()}))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Value>),
    One(Value),
}

async fn add_faults(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let faults = read::<OneOrMany>(&body).and_then(|faults| {
        let faults = match faults {
            OneOrMany::Many(faults) => faults,
            OneOrMany::One(fault) => vec![fault],
        };
        let read = faults.into_iter().map(|fault| {
            serde_json::from_value::<Fault>(fault).map_err(|error| Refusal::bad_request(error.to_string()))
        });
        read.collect::<Result<Vec<_>, _>>()
    });
    match faults {
        Ok(faults) => {
            for fault in faults {
                app.faults.add(fault);
            }
            Json(json!({"faults": app.faults.list()})).into_response()
        }
        Err(refusal) => refusal.into_response(app.now()),
    }
}

async fn clear_faults(State(app): State<Arc<App>>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

async fn control(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let done = read::<Action>(&body).and_then(|action| {
        Control::new(Arc::clone(&app)).perform(action).map_err(|error| Refusal::not_found(error.to_string()))
    });
    match done {
        Ok(()) => {
            if let Some(store) = &app.store
                && let Err(error) = store.save(&app).await
            {
                return Refusal::internal("The state could not be written", &error).into_response(app.now());
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => refusal.into_response(app.now()),
    }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad_request(error.to_string()))
}
