//! `/__sim/…`: control of the simulator over HTTP. These routes are not part of the API, so they need no sign-in and have no journal entries.

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

use super::guard;
use crate::api_error::ApiError;
use crate::control::{Control, ControlAction};
use crate::faults::{Fault, Faults, with_suggestion};
use crate::service::App;

pub(super) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/__sim/requests", get(requests).delete(clear_requests))
        .route("/__sim/state", get(state))
        .route("/__sim/violations", get(violations).delete(clear_violations))
        .route("/__sim/clock", get(clock).post(advance))
        .route("/__sim/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/__sim/control", post(control))
        .route("/__sim/patches", get(patches))
        .route_layer(axum::middleware::from_fn_with_state(Arc::clone(app), guard::guard))
}

async fn requests(State(app): State<Arc<App>>) -> Json<Value> {
    Json(
        json!({"requests": app.journal.all().iter().map(crate::journal::RecordedRequest::to_json).collect::<Vec<_>>()}),
    )
}

async fn clear_requests(State(app): State<Arc<App>>) -> StatusCode {
    app.journal.clear();
    StatusCode::NO_CONTENT
}

async fn state(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.snapshot())
}

async fn violations(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.violations_json())
}

async fn clear_violations(State(app): State<Arc<App>>) -> StatusCode {
    app.clear_violations();
    StatusCode::NO_CONTENT
}

async fn clock(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({"now": app.now().to_rfc3339(), "manual": app.clock.is_manual()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockAdvance {
    advance_ms: u64,
}

async fn advance(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match read::<ClockAdvance>(&body) {
        Ok(step) => {
            app.clock.advance(Duration::from_millis(step.advance_ms));
            Json(json!({"now": app.now().to_rfc3339(), "manual": app.clock.is_manual()})).into_response()
        }
        Err(error) => error.into_response(app.now()),
    }
}

async fn faults(State(app): State<Arc<App>>) -> Json<Value> {
    let faults: Vec<Value> = app.faults.list().iter().map(fault_json).collect();
    Json(json!({"seed": app.faults.seed_in_use(), "faults": faults, "hits": app.faults.hits()}))
}

/// Returns a fault as written in a plan, without unset fields.
fn fault_json(fault: &Fault) -> Value {
    let mut written = serde_json::to_value(fault).unwrap_or_default();
    if let Some(fields) = written.as_object_mut() {
        let nothing = [json!(null), json!(false), json!({})];
        fields.retain(|_, value| !nothing.contains(value));
    }
    written
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FaultsBody {
    Many(Vec<Value>),
    One(Value),
}

/// Settings of the whole plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanSettings {
    preset: Option<String>,
    seed: Option<u64>,
}

async fn add_faults(state: State<Arc<App>>, body: Bytes) -> Response {
    let app = &state.0;
    let result = read::<FaultsBody>(&body).and_then(|faults| match faults {
        FaultsBody::Many(faults) => add_all_or_none(app, faults),
        FaultsBody::One(settings) if ["preset", "seed"].iter().any(|key| settings.get(key).is_some()) => {
            set_plan(app, settings)
        }
        FaultsBody::One(fault) => add_all_or_none(app, vec![fault]),
    });
    match result {
        Ok(()) => faults(state).await.into_response(),
        Err(error) => error.into_response(app.now()),
    }
}

/// Adds all faults or none.
fn add_all_or_none(app: &App, faults: Vec<Value>) -> Result<(), ApiError> {
    let faults = faults.into_iter().map(|fault| {
        let fault: Fault = from_value(fault)?;
        fault.validate().map_err(ApiError::bad_request)?;
        Ok(fault)
    });
    faults.collect::<Result<Vec<_>, ApiError>>()?.into_iter().for_each(|fault| app.faults.add(fault));
    Ok(())
}

fn set_plan(app: &App, settings: Value) -> Result<(), ApiError> {
    let settings: PlanSettings = from_value(settings)?;
    if let Some(name) = settings.preset {
        let preset = Faults::preset(&name).map_err(|error| ApiError::bad_request(error.to_string()))?;
        app.faults.add_all(&preset);
    }
    if let Some(seed) = settings.seed {
        app.faults.seed(seed);
    }
    Ok(())
}

fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|error| ApiError::bad_request(with_suggestion(&error.to_string())))
}

async fn clear_faults(State(app): State<Arc<App>>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

async fn patches(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.patches.to_json())
}

async fn control(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let result = read::<ControlAction>(&body).and_then(|action| {
        Control::new(Arc::clone(&app)).perform(action).map_err(|error| ApiError::not_found(error.to_string()))
    });
    match result {
        Ok(()) => {
            if let Err(error) = app.save().await {
                return ApiError::internal("The state could not be written", &error).into_response(app.now());
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => error.into_response(app.now()),
    }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(with_suggestion(&error.to_string())))
}
