//! Tag 4: components, as JSON or XML.

use axum::response::Response;
use http::StatusCode;

use super::api_call::{ApiCall, json, text_response};
use super::lists;
use crate::api_error::ApiError;
use crate::service::App;
use crate::state::{File, FileComponents, dossier_xml, file_xml};

pub(super) fn for_file(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let details = call.flag("includeDetails", false)?;
    let components = {
        let workspace = app.workspace();
        let file = workspace.file(call.template_id(), call.dossier_id(), call.file_id())?;
        check_processed(file, app)?;
        FileComponents::new(file, details, &workspace)
    };
    if wants_xml(call) {
        return Ok(text_response(StatusCode::OK, "application/xml", file_xml(&components)));
    }
    json(StatusCode::OK, &components)
}

/// Returns the components of every analysed file of the dossier. Files without a finished analysis are left out.
pub(super) fn for_dossier(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let details = call.flag("includeDetails", false)?;
    let now = app.now();
    let components: Vec<FileComponents> = {
        let workspace = app.workspace();
        let dossier = workspace.dossier(call.template_id(), call.dossier_id())?;
        workspace
            .files_of(dossier)
            .filter(|file| file.is_processed(now))
            .map(|file| FileComponents::new(file, details, &workspace))
            .collect()
    };
    if wants_xml(call) {
        return Ok(text_response(StatusCode::OK, "application/xml", dossier_xml(&components)));
    }
    lists::list_response(app, call, "files", components)
}

fn check_processed(file: &File, app: &App) -> Result<(), ApiError> {
    let now = app.now();
    if file.is_processed(now) {
        return Ok(());
    }
    let name = &file.name;
    Err(ApiError::conflict(match file.state(now) {
        "DELETED" => format!("The file {name} is in the trash."),
        "ERROR" => format!(
            "The analysis of the file {name} has failed: {}",
            file.failure.as_deref().unwrap_or("the reason is not known")
        ),
        _ if file.excluded => format!("The analysis of the file {name} is switched off."),
        state => format!("The file {name} has not been analysed yet; it is {state}."),
    }))
}

/// Returns whether XML is preferred to JSON. With equal quality values the first media type wins.
fn wants_xml(call: &ApiCall) -> bool {
    let mut best: Option<(f64, bool)> = None;
    let accepts = call.headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in accepts.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or("").to_ascii_lowercase();
        let quality =
            parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
        let xml = match kind.as_str() {
            "application/xml" | "text/xml" => true,
            "application/json" | "application/*" | "*/*" => false,
            kind if call.is_xml(kind) => true,
            _ => continue,
        };
        if quality > 0.0 && best.is_none_or(|(before, _)| quality > before) {
            best = Some((quality, xml));
        }
    }
    best.is_some_and(|(_, xml)| xml)
}
