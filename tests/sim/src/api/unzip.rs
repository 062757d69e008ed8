//! A ZIP that is uploaded: every PDF in it becomes a file of its own. All of it is taken, or nothing.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use super::shown::short;
use super::upload::{BIGGEST_UPLOAD, Part, file_name};
use crate::server::{App, Refusal};

/// More entries are refused.
const MOST_ENTRIES: usize = 2000;

/// The documents in the archive.
pub(super) async fn parts(app: &Arc<App>, archive: Part) -> Result<Vec<Part>, Refusal> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || unpack(&app, &archive))
        .await
        .map_err(|error| Refusal::internal("The archive could not be unpacked", &error))?
}

fn unpack(app: &App, archive: &Part) -> Result<Vec<Part>, Refusal> {
    let name = &archive.name;
    let broken = |error: &dyn std::fmt::Display| {
        Refusal::bad_request(format!("The archive {name} is damaged and can't be unpacked: {error}."))
    };
    let file = archive.bytes.reopen().map_err(|error| broken(&error))?;
    let mut zip = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| broken(&error))?;
    let office = ["[Content_Types].xml", "mimetype"].iter().any(|entry| zip.index_for_name(entry).is_some());
    if office {
        return Err(Refusal::bad_request(format!(
            "The file {name} is an Office document; the licence of this workspace covers PDF documents only."
        )));
    }
    if zip.len() > MOST_ENTRIES {
        return Err(Refusal::bad_request(format!("The archive {name} holds more than {MOST_ENTRIES} entries.")));
    }
    let mut parts = Vec::new();
    let mut names = HashSet::new();
    let mut total = 0_u64;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(|error| {
            if error.to_string().to_lowercase().contains("password") { encrypted(name) } else { broken(&error) }
        })?;
        let path = entry.name().map_err(|error| broken(&error))?.into_owned();
        // What operating systems put beside the files of their users.
        if entry.is_dir() || path.starts_with("__MACOSX/") || path.ends_with(".DS_Store") || path.ends_with("Thumbs.db")
        {
            continue;
        }
        let mut own = file_name(&path)?;
        if !names.insert(own.clone()) {
            own = file_name(&path.replace(['/', '\\'], "_"))?;
            if !names.insert(own.clone()) {
                return Err(Refusal::bad_request(format!("The archive {name} holds {} twice.", short(&own))));
            }
        }
        let mut bytes =
            app.blobs.begin().map_err(|error| Refusal::internal("The archive could not be unpacked", &error))?;
        // One byte more than allowed shows a bomb, whatever the entry says about its size.
        let left = BIGGEST_UPLOAD - total;
        let size = std::io::copy(&mut (&mut entry).take(left + 1), &mut bytes).map_err(|error| broken(&error))?;
        if size > left {
            return Err(Refusal::bad_request(format!(
                "The archive {name} holds more than {} MiB.",
                BIGGEST_UPLOAD / 1024 / 1024
            )));
        }
        total += size;
        parts.push(Part { name: own, bytes, size });
    }
    if parts.is_empty() {
        return Err(Refusal::bad_request(format!("The archive {name} holds no documents.")));
    }
    Ok(parts)
}

fn encrypted(name: &str) -> Refusal {
    Refusal::bad_request(format!("The archive {name} is encrypted. Please upload it without password protection."))
}
