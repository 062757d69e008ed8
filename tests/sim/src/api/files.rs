//! Tag 3: files, without the upload.

use axum::response::Response;
use http::StatusCode;

use super::api_call::{ApiCall, json, no_content};
use super::lists;
use crate::api_error::ApiError;
use crate::service::App;

pub(super) fn list(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let now = app.now();
    let files = {
        let workspace = app.workspace();
        let dossier = workspace.dossier(call.template_id(), call.dossier_id())?;
        workspace.files_of(dossier).map(|file| file.to_json(now)).collect()
    };
    lists::list_response(app, call, "files", files)
}

pub(super) fn get(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let file = app.workspace().file(call.template_id(), call.dossier_id(), call.file_id())?.to_json(app.now());
    json(StatusCode::OK, &file)
}

pub(super) fn delete(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let now = app.now();
    let permanently = call.flag("deletePermanently", false)?;
    let mut workspace = app.workspace();
    workspace.file(call.template_id(), call.dossier_id(), call.file_id())?;
    workspace.open_dossier(call.template_id(), call.dossier_id())?;
    if permanently {
        let removed = workspace.remove_file(call.file_id(), now);
        app.blobs.remove(removed);
    } else if let Some(file) = workspace.files.get_mut(call.file_id()) {
        file.deleted.get_or_insert(now);
    }
    Ok(no_content())
}
