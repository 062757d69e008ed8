//! Tag 3: upload. The body is streamed to disk, parsed as a PDF (or unpacked from a ZIP), and only then becomes a file.

use std::io::Write;
use std::sync::Arc;

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;

use super::api_call::{self, ApiCall};
use super::unzip;
use super::upload_part::{MAX_FILE_NAME_BYTES, MAX_UPLOAD_BYTES, UploadPart, file_name};
use crate::analysis::{Component, DocumentText, ReadError, RuleInput, apply_rules};
use crate::api_error::ApiError;
use crate::service::App;
use crate::state::{File, UsageEvent, Workspace};
use crate::timestamp::Timestamp;
use crate::wire;

/// The field that keeps manual changes of a replaced file.
const KEEP: &str = "keepManualChanges";

/// A parsed document that may become a file.
struct UploadedDocument {
    part: UploadPart,
    text: Arc<DocumentText>,
    components: Vec<Component>,
}

pub(super) async fn upload(app: &Arc<App>, call: &mut ApiCall) -> Result<Response, ApiError> {
    let keep = call.flag(KEEP, false)?;
    {
        let workspace = app.workspace();
        workspace.open_dossier(call.template_id(), call.dossier_id())?;
        if workspace.license_exhausted {
            return Err(ApiError::new(StatusCode::FORBIDDEN, "The licensed number of pages is used up."));
        }
    }
    let (part, keep_part) = read_form(app, call).await?;
    let keep = keep_part.unwrap_or(keep);
    let parts = match part.first_bytes(4)?.as_slice() {
        [b'P', b'K', 3 | 5, 4 | 6] => unzip::parts(app, part).await?,
        _ => vec![part],
    };
    let mut documents = Vec::with_capacity(parts.len());
    for part in parts {
        documents.push(parse(app, part).await?);
    }
    let (mut file_ids, mut started) = (Vec::new(), Vec::new());
    let now = app.now();
    let mut workspace = app.workspace();
    // The dossier may have been archived or deleted during the upload.
    workspace.open_dossier(call.template_id(), call.dossier_id())?;
    for document in documents {
        let file = store(app, &mut workspace, call, document, keep, now)?;
        if !file.excluded {
            started.push(file.id.clone());
        }
        file_ids.push(file.id.clone());
    }
    api_call::json(StatusCode::CREATED, &json!({"fileIds": file_ids, "processedFileIds": started}))
}

/// Reads the file part of the form, and `keepManualChanges` where the document declares it as a part.
async fn read_form(app: &App, call: &mut ApiCall) -> Result<(UploadPart, Option<bool>), ApiError> {
    let kind = call.header("content-type").unwrap_or("").to_owned();
    if !kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(ApiError::bad_request(format!(
            "The content type must be multipart/form-data with a part named {}.",
            wire::part()
        )));
    }
    let mut request = Request::new(call.take_body());
    if let Ok(kind) = kind.parse() {
        request.headers_mut().insert(CONTENT_TYPE, kind);
    }
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| ApiError::bad_request(format!("The form cannot be read: {}.", error.body_text())))?;
    let bad =
        |error: &MultipartError| ApiError::bad_request(format!("The form cannot be read: {}.", error.body_text()));
    let keep_part = wire::form_part("uploadFile", KEEP);
    let (mut taken, mut keep) = (None, None);
    let mut refused = None;
    // The form is read to its end, so that a client that is still sending receives the response.
    while let Some(mut field) = form.next_field().await.map_err(|error| bad(&error))? {
        if field.name() == Some(wire::part()) && taken.is_none() && refused.is_none() {
            match read_file_part(app, &mut field).await {
                Ok(part) => taken = Some(part),
                Err(error) => refused = Some(error),
            }
        }
        if field.name().is_some_and(|name| Some(name) == keep_part) && refused.is_none() {
            match field_text(&mut field).await.and_then(|text| api_call::flag(KEEP, Some(text.trim()))) {
                Ok(given) => keep = given,
                Err(error) => refused = Some(error),
            }
        }
        while field.chunk().await.map_err(|error| bad(&error))?.is_some() {}
    }
    match (taken, refused) {
        (_, Some(error)) => Err(error),
        (Some(part), None) => Ok((part, keep)),
        (None, None) => Err(ApiError::bad_request(format!("The part named {} is missing in the form.", wire::part()))),
    }
}

/// Reads the text of a small part.
async fn field_text(field: &mut Field<'_>) -> Result<String, ApiError> {
    let mut text = Vec::new();
    while let Some(chunk) = field
        .chunk()
        .await
        .map_err(|error| ApiError::bad_request(format!("The upload was interrupted: {}.", error.body_text())))?
    {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_FILE_NAME_BYTES {
            return Err(ApiError::bad_request("A part of the form that holds a parameter is too long."));
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

async fn read_file_part(app: &App, field: &mut Field<'_>) -> Result<UploadPart, ApiError> {
    let name = field
        .file_name()
        .ok_or_else(|| ApiError::bad_request(format!("The part named {} has no file name.", wire::part())))?;
    let name = file_name(name)?;
    let broken = |error: &std::io::Error| ApiError::internal("The upload could not be stored", error);
    let mut bytes = app.blobs.create_temporary().map_err(|error| broken(&error))?;
    let mut size = 0_u64;
    while let Some(chunk) = field
        .chunk()
        .await
        .map_err(|error| ApiError::bad_request(format!("The upload was interrupted: {}.", error.body_text())))?
    {
        size += chunk.len() as u64;
        if size > MAX_UPLOAD_BYTES {
            return Err(ApiError::bad_request(format!(
                "The file {name} is bigger than {} MiB.",
                MAX_UPLOAD_BYTES / 1024 / 1024
            )));
        }
        bytes.write_all(&chunk).map_err(|error| broken(&error))?;
    }
    bytes.flush().map_err(|error| broken(&error))?;
    Ok(UploadPart { name, bytes, size })
}

async fn parse(app: &App, part: UploadPart) -> Result<UploadedDocument, ApiError> {
    let text = app
        .readers
        .read(part.bytes.path().to_owned())
        .await
        .map_err(|unreadable| rejection(&unreadable, &part.name))?;
    let rules = app.rules();
    let (name, subject) = (part.name.clone(), Arc::clone(&text));
    // Many patterns over long texts take time.
    let components =
        tokio::task::spawn_blocking(move || apply_rules(&rules, &RuleInput { file_name: &name, text: &subject })).await;
    let components = components.map_err(|error| ApiError::internal("The rules could not be applied", &error))?;
    Ok(UploadedDocument { part, text, components })
}

fn rejection(unreadable: &ReadError, name: &str) -> ApiError {
    let message = unreadable.message(name);
    match unreadable {
        // The document was not stored, so the same upload may succeed later.
        ReadError::Busy => ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).with_header(RETRY_AFTER, "60"),
        _ => ApiError::bad_request(message),
    }
}

/// Stores a document as a new file, or as a new version of the file of the same name.
fn store<'w>(
    app: &App,
    workspace: &'w mut Workspace,
    call: &ApiCall,
    document: UploadedDocument,
    keep: bool,
    now: Timestamp,
) -> Result<&'w File, ApiError> {
    let failed = |error: &dyn std::fmt::Display| ApiError::internal("The upload could not be stored", error);
    let UploadedDocument { part, text, components } = document;
    let dossier = workspace.dossier(call.template_id(), call.dossier_id())?.clone();
    let before = workspace.files_of(&dossier).find(|file| file.name == part.name).cloned();
    let (blob, _) = workspace.next_id("blob");
    app.blobs.persist(part.bytes, &blob).map_err(|error| failed(&error))?;
    let saved = serde_json::to_vec(&*text).map_err(|error| failed(&error))?;
    app.blobs.write(&crate::state::text_blob(&blob), &saved).map_err(|error| failed(&error))?;
    let id = before.as_ref().map_or_else(|| workspace.next_id("file").0, |file| file.id.clone());
    let mut file = File {
        id: id.clone(),
        name: part.name,
        dossier_id: dossier.id.clone(),
        template_id: dossier.template_id.clone(),
        size: part.size,
        pages: text.pages.len(),
        ocr_pages: text.image_pages(),
        excluded: before.as_ref().is_some_and(|file| file.excluded),
        owner_id: dossier.owner_id,
        attributes: before.as_ref().map(|file| file.attributes.clone()).unwrap_or_default(),
        added: before.as_ref().map_or(now, |file| file.added),
        updated: now,
        deleted: None,
        failure: workspace.fail_next_analysis.take(),
        timeline: Vec::new(),
        components,
        manual: before.as_ref().filter(|_| keep).map(|file| file.manual.clone()).unwrap_or_default(),
        blob,
    };
    file.plan_analysis(now, &app.timing());
    workspace.apply_planned_analyses(&mut file, now);
    let end = file.timeline.last().map_or(now, |last| last.at);
    if file.excluded {
        file.halt(now);
    }
    match before {
        Some(before) => {
            workspace.usage.retain(|event| event.file_id != before.id || event.at <= now);
            app.blobs.remove([before.text_blob(), before.blob]);
        }
        None => {
            if let Some(dossier) = workspace.dossiers.get_mut(&dossier.id) {
                dossier.files.push(id.clone());
            }
        }
    }
    if !file.excluded && file.failure.is_none() {
        workspace.usage.push(UsageEvent {
            at: end,
            file_id: id.clone(),
            pages: file.pages as u64,
            ocr_pages: file.ocr_pages as u64,
        });
    }
    workspace.files.insert(id.clone(), file);
    workspace.files.get(&id).ok_or_else(|| ApiError::not_found("The file no longer exists."))
}
