//! Tag 5: asking for a package, for a dossier, one file or several files.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::call::{self, Call};
use super::shown::{self, fields};
use crate::server::{App, Refusal};
use crate::state::{Content, Download, World};

pub(super) async fn of_dossier(app: &Arc<App>, call: &mut Call) -> Result<Response, Refusal> {
    let request = call.object().await?;
    let mut world = app.world();
    let dossier = world.dossier(call.template_id(), call.dossier_id())?;
    let files: Vec<String> = world.files_of(dossier).map(|file| file.id.clone()).collect();
    let name = dossier.name.clone();
    prepare(app, &mut world, call, &request, files, &name)
}

pub(super) async fn of_file(app: &Arc<App>, call: &mut Call) -> Result<Response, Refusal> {
    let request = call.object().await?;
    let mut world = app.world();
    let file = world.file(call.template_id(), call.dossier_id(), call.file_id())?;
    let (id, name) = (file.id.clone(), file.name.clone());
    prepare(app, &mut world, call, &request, vec![id], &name)
}

pub(super) async fn of_files(app: &Arc<App>, call: &mut Call) -> Result<Response, Refusal> {
    let request = call.object().await?;
    let mut ids: Vec<String> = Vec::new();
    for id in
        fields::texts(&request, "fileIds")?.ok_or_else(|| Refusal::bad_request("The field fileIds is missing."))?
    {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.is_empty() {
        return Err(Refusal::bad_request("The field fileIds must name at least one file."));
    }
    let mut world = app.world();
    let name = world.dossier(call.template_id(), call.dossier_id())?.name.clone();
    for id in &ids {
        world.file(call.template_id(), call.dossier_id(), id)?;
    }
    prepare(app, &mut world, call, &request, ids, &name)
}

fn prepare(
    app: &App,
    world: &mut World,
    call: &Call,
    request: &Map<String, Value>,
    files: Vec<String>,
    name: &str,
) -> Result<Response, Refusal> {
    let content = content(world, call, request)?;
    let (now, timing) = (app.now(), &app.settings.timing);
    let (id, number) = world.next_id("download");
    let begins = now.plus(timing.work(timing.package_queue, 1));
    let ends = begins.plus(timing.work(timing.package, 1)).plus(timing.work(timing.package_per_file, files.len()));
    let download = Download {
        id: id.clone(),
        number,
        template_id: call.template_id().to_owned(),
        dossier_id: call.dossier_id().to_owned(),
        file_ids: files,
        file_name: format!("{}.zip", crate::package::safe_name(name)),
        content,
        created: now,
        begins,
        ends,
        expires: now.plus(timing.package_life),
        fetched: None,
        failure: world.fail_next_package.take(),
        blob: None,
        size: 0,
        etag: String::new(),
    };
    world.downloads.insert(id.clone(), download);
    call::json(StatusCode::OK, &json!({"downloadId": id}))
}

/// What is asked for; what is not named follows the dossier.
fn content(world: &World, call: &Call, request: &Map<String, Value>) -> Result<Content, Refusal> {
    let dossier = world.dossier(call.template_id(), call.dossier_id())?;
    let template = world.template(call.template_id())?;
    let report_template_ids =
        fields::texts(request, "reportTemplateIds")?.unwrap_or_else(|| dossier.report_template_ids.clone());
    for id in &report_template_ids {
        shown::report_template(template, id)?;
    }
    let download_file_types = fields::file_types(request)?.unwrap_or_else(|| dossier.download_file_types.clone());
    let preview_color = fields::text(request, "previewColor")?;
    if let Some(color) = &preview_color {
        let hex =
            color.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.chars().all(|digit| digit.is_ascii_hexdigit()));
        if hex.is_none() {
            return Err(Refusal::bad_request(
                "The field previewColor must be a hash sign and six hexadecimal digits, like #9398a0.",
            ));
        }
    }
    Ok(Content { report_template_ids, download_file_types, preview_color })
}
