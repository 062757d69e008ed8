//! Tag 5: requests for a package of a dossier, of one file, or of several files.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::api_call::{self, ApiCall};
use super::fields;
use crate::api_error::ApiError;
use crate::service::App;
use crate::state::{Download, PackageOptions, Workspace};

pub(super) async fn for_dossier(app: &Arc<App>, call: &mut ApiCall) -> Result<Response, ApiError> {
    let request = call.object().await?;
    let mut workspace = app.workspace();
    let dossier = workspace.dossier(call.template_id(), call.dossier_id())?;
    let files: Vec<String> = workspace.files_of(dossier).map(|file| file.id.clone()).collect();
    let name = dossier.name.clone();
    prepare(app, &mut workspace, call, &request, files, &name)
}

pub(super) async fn for_file(app: &Arc<App>, call: &mut ApiCall) -> Result<Response, ApiError> {
    let request = call.object().await?;
    let mut workspace = app.workspace();
    let file = workspace.file(call.template_id(), call.dossier_id(), call.file_id())?;
    let (id, name) = (file.id.clone(), file.name.clone());
    prepare(app, &mut workspace, call, &request, vec![id], &name)
}

pub(super) async fn for_files(app: &Arc<App>, call: &mut ApiCall) -> Result<Response, ApiError> {
    let request = call.object().await?;
    let mut ids: Vec<String> = Vec::new();
    for id in
        fields::texts(&request, "fileIds")?.ok_or_else(|| ApiError::bad_request("The field fileIds is missing."))?
    {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.is_empty() {
        return Err(ApiError::bad_request("The field fileIds must name at least one file."));
    }
    let mut workspace = app.workspace();
    let name = workspace.dossier(call.template_id(), call.dossier_id())?.name.clone();
    for id in &ids {
        workspace.file(call.template_id(), call.dossier_id(), id)?;
    }
    prepare(app, &mut workspace, call, &request, ids, &name)
}

fn prepare(
    app: &App,
    workspace: &mut Workspace,
    call: &ApiCall,
    request: &Map<String, Value>,
    files: Vec<String>,
    name: &str,
) -> Result<Response, ApiError> {
    let options = package_options(workspace, call, request)?;
    let (now, timing) = (app.now(), app.timing());
    let (id, number) = workspace.next_id("download");
    let begins = now.plus(timing.work(timing.package_queue, 1));
    let ends = begins.plus(timing.work(timing.package, 1)).plus(timing.work(timing.package_per_file, files.len()));
    let download = Download {
        id: id.clone(),
        number,
        template_id: call.template_id().to_owned(),
        dossier_id: call.dossier_id().to_owned(),
        file_ids: files,
        file_name: format!("{}.zip", crate::package::safe_name(name)),
        options,
        created: now,
        begins,
        ends,
        expires: now.plus(timing.package_life),
        fetched: None,
        failure: workspace.fail_next_package.take(),
        blob: None,
        size: 0,
        etag: String::new(),
    };
    workspace.downloads.insert(id.clone(), download);
    api_call::json(StatusCode::OK, &json!({"downloadId": id}))
}

/// Reads the options of the request. Absent options follow the dossier.
fn package_options(
    workspace: &Workspace,
    call: &ApiCall,
    request: &Map<String, Value>,
) -> Result<PackageOptions, ApiError> {
    let dossier = workspace.dossier(call.template_id(), call.dossier_id())?;
    let template = workspace.template(call.template_id())?;
    let report_template_ids =
        fields::texts(request, "reportTemplateIds")?.unwrap_or_else(|| dossier.report_template_ids.clone());
    for id in &report_template_ids {
        fields::report_template(template, id)?;
    }
    let download_file_types = fields::file_types(request)?.unwrap_or_else(|| dossier.download_file_types.clone());
    let preview_color = fields::text(request, "previewColor")?;
    if let Some(color) = &preview_color {
        let hex =
            color.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.chars().all(|digit| digit.is_ascii_hexdigit()));
        if hex.is_none() {
            return Err(ApiError::bad_request(
                "The field previewColor must be a hash sign and six hexadecimal digits, like #9398a0.",
            ));
        }
    }
    Ok(PackageOptions { report_template_ids, download_file_types, preview_color })
}
