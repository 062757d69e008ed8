//! Tag 1: dossier templates.

use axum::response::Response;
use http::StatusCode;

use super::call::{Call, json};
use super::lists;
use crate::server::{App, Refusal};

pub(super) fn list(app: &App, call: &Call) -> Result<Response, Refusal> {
    let templates = app.world().templates.iter().map(crate::state::Template::to_json).collect();
    lists::answer(app, call, "dossierTemplates", templates)
}

pub(super) fn get(app: &App, call: &Call) -> Result<Response, Refusal> {
    let template = app.world().template(call.template_id())?.to_json();
    json(StatusCode::OK, &template)
}
