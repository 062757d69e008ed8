//! Tag 3: the upload. The body goes to the disk as it comes, is read as a PDF (or unpacked, if it is a ZIP), and only then becomes a file.

use std::io::Write;
use std::sync::Arc;

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;
use tempfile::NamedTempFile;

use super::call::{self, Call};
use super::unzip;
use crate::analysis::{Component, DocumentText, Subject, Unreadable, apply};
use crate::server::{App, Refusal};
use crate::state::{File, UsageEvent, World};
use crate::time::Stamp;
use crate::wire;

/// Bigger uploads are refused.
pub(super) const BIGGEST_UPLOAD: u64 = 1024 * 1024 * 1024;
/// The field that says whether changes by hand in a replaced file are kept.
const KEEP: &str = "keepManualChanges";
/// Longer file names are refused.
const LONGEST_NAME: usize = 255;

/// Bytes under a name.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) bytes: NamedTempFile,
    pub(super) size: u64,
}

/// A document that was read and may become a file.
struct Document {
    part: Part,
    text: Arc<DocumentText>,
    components: Vec<Component>,
}

pub(super) async fn upload(app: &Arc<App>, call: &mut Call) -> Result<Response, Refusal> {
    let keep = call.flag(KEEP, false)?;
    app.world().open_dossier(call.template_id(), call.dossier_id())?;
    let (part, kept) = receive(app, call).await?;
    let keep = kept.unwrap_or(keep);
    let parts = match first_bytes(&part, 4)?.as_slice() {
        [b'P', b'K', 3 | 5, 4 | 6] => unzip::parts(app, part).await?,
        _ => vec![part],
    };
    let mut documents = Vec::with_capacity(parts.len());
    for part in parts {
        documents.push(read(app, part).await?);
    }
    let (mut file_ids, mut started) = (Vec::new(), Vec::new());
    let now = app.now();
    let mut world = app.world();
    // Somebody may have archived or deleted the dossier in the meantime.
    world.open_dossier(call.template_id(), call.dossier_id())?;
    for document in documents {
        let file = store(app, &mut world, call, document, keep, now)?;
        if !file.excluded {
            started.push(file.id.clone());
        }
        file_ids.push(file.id.clone());
    }
    call::json(StatusCode::CREATED, &json!({"fileIds": file_ids, "processedFileIds": started}))
}

/// Takes the part of the form that holds the file, and what the form says of `keepManualChanges` where the document has that as a part.
async fn receive(app: &App, call: &mut Call) -> Result<(Part, Option<bool>), Refusal> {
    let kind = call.header("content-type").unwrap_or("").to_owned();
    if !kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(Refusal::bad_request(format!(
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
        .map_err(|error| Refusal::bad_request(format!("The form can't be read: {}.", error.body_text())))?;
    let bad = |error: &MultipartError| Refusal::bad_request(format!("The form can't be read: {}.", error.body_text()));
    let keep_part = wire::form_part("uploadFile", KEEP);
    let (mut taken, mut keep) = (None, None);
    let mut refused = None;
    // The form is read to its end, so that a client that is still sending gets the answer.
    while let Some(mut field) = form.next_field().await.map_err(|error| bad(&error))? {
        if field.name() == Some(wire::part()) && taken.is_none() && refused.is_none() {
            match take(app, &mut field).await {
                Ok(part) => taken = Some(part),
                Err(refusal) => refused = Some(refusal),
            }
        }
        if field.name().is_some_and(|name| Some(name) == keep_part) && refused.is_none() {
            match field_text(&mut field).await.and_then(|text| call::flag(KEEP, Some(text.trim()))) {
                Ok(given) => keep = given,
                Err(refusal) => refused = Some(refusal),
            }
        }
        while field.chunk().await.map_err(|error| bad(&error))?.is_some() {}
    }
    match (taken, refused) {
        (_, Some(refusal)) => Err(refusal),
        (Some(part), None) => Ok((part, keep)),
        (None, None) => Err(Refusal::bad_request(format!("The part named {} is missing in the form.", wire::part()))),
    }
}

/// The text of a small part.
async fn field_text(field: &mut Field<'_>) -> Result<String, Refusal> {
    let mut text = Vec::new();
    while let Some(chunk) = field
        .chunk()
        .await
        .map_err(|error| Refusal::bad_request(format!("The upload broke off: {}.", error.body_text())))?
    {
        text.extend_from_slice(&chunk);
        if text.len() > LONGEST_NAME {
            return Err(Refusal::bad_request("A part of the form that holds a parameter is too long."));
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

async fn take(app: &App, field: &mut Field<'_>) -> Result<Part, Refusal> {
    let name = field
        .file_name()
        .ok_or_else(|| Refusal::bad_request(format!("The part named {} has no file name.", wire::part())))?;
    let name = file_name(name)?;
    let broken = |error: &std::io::Error| Refusal::internal("The upload could not be stored", error);
    let mut bytes = app.blobs.begin().map_err(|error| broken(&error))?;
    let mut size = 0_u64;
    while let Some(chunk) = field
        .chunk()
        .await
        .map_err(|error| Refusal::bad_request(format!("The upload broke off: {}.", error.body_text())))?
    {
        size += chunk.len() as u64;
        if size > BIGGEST_UPLOAD {
            return Err(Refusal::bad_request(format!(
                "The file {name} is bigger than {} MiB.",
                BIGGEST_UPLOAD / 1024 / 1024
            )));
        }
        bytes.write_all(&chunk).map_err(|error| broken(&error))?;
    }
    bytes.flush().map_err(|error| broken(&error))?;
    Ok(Part { name, bytes, size })
}

/// The name without folders, if it can be one.
pub(super) fn file_name(name: &str) -> Result<String, Refusal> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
    let name = name.trim();
    if matches!(name, "" | "." | "..") {
        return Err(Refusal::bad_request(format!("The part named {} has no usable file name.", wire::part())));
    }
    if name.len() > LONGEST_NAME {
        return Err(Refusal::bad_request(format!("The file name is longer than {LONGEST_NAME} bytes.")));
    }
    Ok(name.to_owned())
}

/// The first `count` bytes, or all of them.
pub(super) fn first_bytes(part: &Part, count: u16) -> Result<Vec<u8>, Refusal> {
    use std::io::Read;

    let mut first = Vec::with_capacity(usize::from(count));
    let file = part.bytes.reopen().map_err(|error| Refusal::internal("The upload could not be read", &error))?;
    file.take(u64::from(count))
        .read_to_end(&mut first)
        .map_err(|error| Refusal::internal("The upload could not be read", &error))?;
    Ok(first)
}

async fn read(app: &App, part: Part) -> Result<Document, Refusal> {
    let text =
        app.readers.read(part.bytes.path().to_owned()).await.map_err(|unreadable| unread(&unreadable, &part.name))?;
    let rules = app.rules();
    let (name, subject) = (part.name.clone(), Arc::clone(&text));
    // Many patterns over much text take their time.
    let components =
        tokio::task::spawn_blocking(move || apply(&rules, &Subject { file_name: &name, text: &subject })).await;
    let components = components.map_err(|error| Refusal::internal("The rules could not be applied", &error))?;
    Ok(Document { part, text, components })
}

fn unread(unreadable: &Unreadable, name: &str) -> Refusal {
    let message = unreadable.message(name);
    match unreadable {
        // Nothing was kept: the same upload may succeed later.
        Unreadable::Busy => Refusal::new(StatusCode::TOO_MANY_REQUESTS, message).with_header(RETRY_AFTER, "60"),
        _ => Refusal::bad_request(message),
    }
}

/// Makes a file of a document, or a new version of the file of the same name.
fn store<'w>(
    app: &App,
    world: &'w mut World,
    call: &Call,
    document: Document,
    keep: bool,
    now: Stamp,
) -> Result<&'w File, Refusal> {
    let failed = |error: &dyn std::fmt::Display| Refusal::internal("The upload could not be stored", error);
    let Document { part, text, components } = document;
    let dossier = world.dossier(call.template_id(), call.dossier_id())?.clone();
    let before = world.files_of(&dossier).find(|file| file.name == part.name).cloned();
    let (blob, _) = world.next_id("blob");
    app.blobs.keep(part.bytes, &blob).map_err(|error| failed(&error))?;
    let saved = serde_json::to_vec(&*text).map_err(|error| failed(&error))?;
    app.blobs.write(&crate::state::text_blob(&blob), &saved).map_err(|error| failed(&error))?;
    let id = before.as_ref().map_or_else(|| world.next_id("file").0, |file| file.id.clone());
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
        failure: world.fail_next_analysis.take(),
        timeline: Vec::new(),
        components,
        manual: before.as_ref().filter(|_| keep).map(|file| file.manual.clone()).unwrap_or_default(),
        blob,
    };
    let end = file.plan_analysis(now, &app.settings.timing);
    if file.excluded {
        file.halt(now);
    }
    match before {
        Some(before) => {
            world.usage.retain(|event| event.file_id != before.id || event.at <= now);
            app.blobs.remove([before.text_blob(), before.blob]);
        }
        None => {
            if let Some(dossier) = world.dossiers.get_mut(&dossier.id) {
                dossier.files.push(id.clone());
            }
        }
    }
    if !file.excluded && file.failure.is_none() {
        world.usage.push(UsageEvent {
            at: end,
            file_id: id.clone(),
            pages: file.pages as u64,
            ocr_pages: file.ocr_pages as u64,
        });
    }
    world.files.insert(id.clone(), file);
    world.files.get(&id).ok_or_else(|| Refusal::not_found("The file is gone already."))
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_lose_folders_and_control_characters() {
        let name = |text: &str| file_name(text).ok();
        assert_eq!(name("a/b\\c.pdf").as_deref(), Some("c.pdf"));
        assert_eq!(name("\u{1}ü\u{7} x.pdf ").as_deref(), Some("ü x.pdf"));
        for bad in ["", "a/", "..", ".", "\u{0}", &"x".repeat(300)] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }
}
