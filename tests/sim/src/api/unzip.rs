//! Upload of a ZIP archive: every PDF in the archive becomes a file. Either all documents are accepted or none.
//!
//! Files that operating systems and programs create beside the files of their users are ignored. Any other entry that is not a PDF rejects the
//! archive by name, because the response cannot report a skipped document.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use super::upload_part::{MAX_UPLOAD_BYTES, UploadPart, file_name};
use crate::api_error::ApiError;
use crate::api_error::excerpt;
use crate::service::App;

/// Maximum number of entries.
const MAX_ENTRIES: usize = 2000;
/// Folders of operating systems and file servers, which contain no documents.
const SYSTEM_FOLDERS: [&str; 4] = ["__macosx", "$recycle.bin", "system volume information", "@eadir"];
/// Files that operating systems create in the folders of their users.
const SYSTEM_FILES: [&str; 4] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"];

/// Returns the documents in the archive.
pub(super) async fn parts(app: &Arc<App>, archive: UploadPart) -> Result<Vec<UploadPart>, ApiError> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || unpack(&app, &archive))
        .await
        .map_err(|error| ApiError::internal("The archive could not be unpacked", &error))?
}

fn unpack(app: &App, archive: &UploadPart) -> Result<Vec<UploadPart>, ApiError> {
    let name = &archive.name;
    let broken = |error: &dyn std::fmt::Display| {
        ApiError::bad_request(format!("The archive {name} is damaged and cannot be unpacked: {error}."))
    };
    let file = archive.bytes.reopen().map_err(|error| broken(&error))?;
    let mut zip = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| broken(&error))?;
    let office = ["[Content_Types].xml", "mimetype"].iter().any(|entry| zip.index_for_name(entry).is_some());
    if office {
        return Err(ApiError::bad_request(format!(
            "The file {name} is an Office document; the licence of this workspace covers PDF documents only."
        )));
    }
    if zip.len() > MAX_ENTRIES {
        return Err(ApiError::bad_request(format!("The archive {name} holds more than {MAX_ENTRIES} entries.")));
    }
    let mut parts = Vec::new();
    let mut names = HashSet::new();
    let mut total = 0_u64;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(|error| {
            if error.to_string().to_lowercase().contains("password") { encrypted(name) } else { broken(&error) }
        })?;
        let path = entry.name().unwrap_or_else(|_| String::from_utf8_lossy(entry.name_raw())).into_owned();
        let kind = EntryKind::from_path(&path);
        if entry.is_dir() || kind == EntryKind::Ignored {
            continue;
        }
        let mut own = file_name(&path)?;
        if !names.insert(own.clone()) {
            own = file_name(&path.replace(['/', '\\'], "_"))?;
            if !names.insert(own.clone()) {
                return Err(ApiError::bad_request(format!("The archive {name} holds {} twice.", excerpt(&own))));
            }
        }
        let mut bytes = app
            .blobs
            .create_temporary()
            .map_err(|error| ApiError::internal("The archive could not be unpacked", &error))?;
        // One byte above the limit reveals a bomb, independent of the size that the entry declares.
        let left = MAX_UPLOAD_BYTES - total;
        let size = std::io::copy(&mut (&mut entry).take(left + 1), &mut bytes).map_err(|error| broken(&error))?;
        if size > left {
            return Err(ApiError::bad_request(format!(
                "The archive {name} holds more than {} MiB.",
                MAX_UPLOAD_BYTES / 1024 / 1024
            )));
        }
        total += size;
        let part = UploadPart { name: own, bytes, size };
        if kind == EntryKind::Hidden && !is_pdf(&part)? {
            names.remove(&part.name);
            continue;
        }
        parts.push(part);
    }
    if parts.is_empty() {
        return Err(ApiError::bad_request(format!("The archive {name} holds no documents.")));
    }
    Ok(parts)
}

/// The kind of an archive entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntryKind {
    Document,
    /// A hidden file or a lock file of an Office program (`._a.pdf`, `.DS_Store`, `~$a.docx`). A document only if it is a PDF.
    Hidden,
    /// A folder, or a file of the operating system.
    Ignored,
}

impl EntryKind {
    fn from_path(path: &str) -> Self {
        let lower = path.to_lowercase();
        let (folders, name) = lower.rsplit_once(['/', '\\']).unwrap_or(("", &lower));
        let mut folders = folders.split(['/', '\\']);
        if name.is_empty() || SYSTEM_FILES.contains(&name) || folders.clone().any(|part| SYSTEM_FOLDERS.contains(&part))
        {
            return Self::Ignored;
        }
        let hidden = |part: &str| part.starts_with('.') && !matches!(part, "." | "..");
        if hidden(name) || name.starts_with("~$") || folders.any(hidden) { Self::Hidden } else { Self::Document }
    }
}

fn is_pdf(part: &UploadPart) -> Result<bool, ApiError> {
    Ok(part.first_bytes(1024)?.windows(5).any(|window| window == b"%PDF-"))
}

fn encrypted(name: &str) -> ApiError {
    ApiError::bad_request(format!("The archive {name} is encrypted. Please upload it without password protection."))
}

#[cfg(test)]
mod tests {
    use super::EntryKind;

    #[test]
    fn distinguishes_documents_from_system_files() {
        for path in [
            "a.pdf",
            "a/b.pdf",
            "a\\b.pdf",
            "./a.pdf",
            "../a.pdf",
            "x.DS_Store.pdf",
            "a/__macosx.pdf",
            "notes.txt",
            "Icon",
        ] {
            assert_eq!(EntryKind::from_path(path), EntryKind::Document, "{path}");
        }
        for path in [
            "._a.pdf",
            "a/._b.pdf",
            "a\\._b.pdf",
            ".DS_Store",
            "a/.ds_store",
            ".git/config",
            "~$a.docx",
            ".~lock.a.odt#",
            ".gitkeep",
        ] {
            assert_eq!(EntryKind::from_path(path), EntryKind::Hidden, "{path}");
        }
        for path in [
            "",
            "a/",
            "a\\",
            "__MACOSX/._a.pdf",
            "a/__MACOSX/b.pdf",
            "__macosx\\x",
            "a/Thumbs.db",
            "THUMBS.DB",
            "Desktop.ini",
            "Icon\r",
            "@eaDir/a.pdf/x",
            "$RECYCLE.BIN/a.pdf",
        ] {
            assert_eq!(EntryKind::from_path(path), EntryKind::Ignored, "{path}");
        }
    }
}
