//! Result packages: real ZIP files with originals, an Excel report, and the components as JSON and XML.
//!
//! The bytes depend only on the contents and the simulated time, so identical runs produce identical packages.

mod archive;
mod contents;
mod file_name;
mod report;

use std::fmt::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::service::App;

use contents::PackageContents;

pub(crate) use file_name::safe_name;

/// The blob, its size and its ETag; or the reason of a failure.
type BuildResult = Result<(String, u64, String), String>;

/// Builds the packages that are due. Every request for the state of packages calls this, so advancing the clock takes effect at once.
pub(crate) async fn build_due_packages(app: &Arc<App>) {
    let now = app.now();
    if !app.workspace().downloads.values().any(|download| download.is_due(now)) {
        return;
    }
    // One task builds at a time; a second one finds the packages built.
    let _turn = app.packing.lock().await;
    loop {
        let next = {
            let workspace = app.workspace();
            let due = workspace
                .downloads
                .values()
                .filter(|download| download.is_due(now))
                .min_by_key(|download| download.number);
            due.map(|download| (download.id.clone(), PackageContents::new(app, &workspace, download)))
        };
        let Some((id, contents)) = next else { return };
        let built: BuildResult = match contents {
            Ok(contents) => {
                let worker = Arc::clone(app);
                let built = tokio::task::spawn_blocking(move || build(&worker, &contents)).await;
                built.unwrap_or_else(|_| Err("The package could not be made.".to_owned()))
            }
            Err(failure) => Err(failure),
        };
        let mut workspace = app.workspace();
        match (workspace.downloads.get_mut(&id), built) {
            (Some(download), Ok((blob, size, etag))) => {
                download.blob = Some(blob);
                download.size = size;
                download.etag = etag;
            }
            (Some(download), Err(failure)) => download.failure = Some(failure),
            // The package was deleted in the meantime.
            (None, Ok((blob, ..))) => app.blobs.remove([blob]),
            (None, Err(_)) => {}
        }
    }
}

fn build(app: &App, contents: &PackageContents) -> BuildResult {
    let failed = |error: &dyn std::fmt::Display| format!("The package could not be made: {error}.");
    let mut part = app.blobs.create_temporary().map_err(|error| failed(&error))?;
    archive::write(part.as_file_mut(), contents).map_err(|error| failed(&error))?;
    let size = part.as_file().metadata().map_err(|error| failed(&error))?.len();
    let mut digest = Sha256::new();
    let mut reader = part.reopen().map_err(|error| failed(&error))?;
    std::io::copy(&mut reader, &mut digest).map_err(|error| failed(&error))?;
    let mut etag = String::from("\"");
    for byte in digest.finalize().iter().take(12) {
        // Writing to a String cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    let blob = format!("package-{}", contents.download.id);
    app.blobs.persist(part, &blob).map_err(|error| failed(&error))?;
    Ok((blob, size, etag))
}
