//! Tag 3: files, but for the upload.

use axum::response::Response;
use http::StatusCode;

use super::call::{Call, json, no_content};
use super::lists;
use crate::server::{App, Refusal};

pub(super) fn list(app: &App, call: &Call) -> Result<Response, Refusal> {
    let now = app.now();
    let files = {
        let world = app.world();
        let dossier = world.dossier(call.template_id(), call.dossier_id())?;
        world.files_of(dossier).map(|file| file.to_json(now)).collect()
    };
    lists::answer(app, call, "files", files)
}

pub(super) fn get(app: &App, call: &Call) -> Result<Response, Refusal> {
    let file = app.world().file(call.template_id(), call.dossier_id(), call.file_id())?.to_json(app.now());
    json(StatusCode::OK, &file)
}

pub(super) fn delete(app: &App, call: &Call) -> Result<Response, Refusal> {
    let now = app.now();
    let permanently = call.flag("deletePermanently", false)?;
    let mut world = app.world();
    world.file(call.template_id(), call.dossier_id(), call.file_id())?;
    world.open_dossier(call.template_id(), call.dossier_id())?;
    if permanently {
        let gone = world.remove_file(call.file_id(), now);
        app.blobs.remove(gone);
    } else if let Some(file) = world.files.get_mut(call.file_id()) {
        file.deleted.get_or_insert(now);
    }
    Ok(no_content())
}
