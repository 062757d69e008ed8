//! Tag 1: dossier templates.

use axum::response::Response;
use http::StatusCode;

use super::api_call::{ApiCall, json};
use super::lists;
use crate::api_error::ApiError;
use crate::service::App;

pub(super) fn list(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let templates = app.workspace().templates.iter().map(crate::state::Template::to_json).collect();
    lists::list_response(app, call, "dossierTemplates", templates)
}

pub(super) fn get(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let template = app.workspace().template(call.template_id())?.to_json();
    json(StatusCode::OK, &template)
}
