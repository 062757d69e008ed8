//! Result packages: real ZIP files with originals, an Excel report, and the components as JSON and XML.
//!
//! The bytes follow from what is packed and from the simulated moment, so that the same run gives the same package.

mod archive;
mod report;

use std::fmt::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::analysis::Component;
use crate::api::{components_files, components_xml};
use crate::server::App;
use crate::state::{Download, World};
use crate::time::Stamp;

/// Everything that goes into one package, taken while the world stood still.
struct Spec {
    download: Download,
    dossier: String,
    template: String,
    reports: Vec<String>,
    files: Vec<Packed>,
}

/// One file of a package.
struct Packed {
    name: String,
    pages: usize,
    state: String,
    /// Where its bytes lie.
    path: std::path::PathBuf,
    components: Vec<Component>,
    /// Its components as the API writes them; nothing if it has not been analysed.
    json: Option<String>,
    xml: Option<String>,
}

/// What came of packing: the name of the blob, its size and its tag; or why it failed.
type Made = Result<(String, u64, String), String>;

/// Packs what is due. Whoever asks for the state of packages does it, so that a jump of the clock needs no waiting.
pub(crate) async fn pack_due(app: &Arc<App>) {
    let now = app.now();
    if !app.world().downloads.values().any(|download| download.is_due(now)) {
        return;
    }
    // One at a time; who comes second finds the work done.
    let _turn = app.packing.lock().await;
    loop {
        let next = {
            let world = app.world();
            let due =
                world.downloads.values().filter(|download| download.is_due(now)).min_by_key(|download| download.number);
            due.map(|download| (download.id.clone(), spec(app, &world, download)))
        };
        let Some((id, spec)) = next else { return };
        let made: Made = match spec {
            Ok(spec) => {
                let worker = Arc::clone(app);
                let made = tokio::task::spawn_blocking(move || make(&worker, &spec)).await;
                made.unwrap_or_else(|_| Err("The package could not be made.".to_owned()))
            }
            Err(why) => Err(why),
        };
        let mut world = app.world();
        match (world.downloads.get_mut(&id), made) {
            (Some(download), Ok((blob, size, etag))) => {
                download.blob = Some(blob);
                download.size = size;
                download.etag = etag;
            }
            (Some(download), Err(why)) => download.failure = Some(why),
            // It was deleted in the meantime.
            (None, Ok((blob, ..))) => app.blobs.remove([blob]),
            (None, Err(_)) => {}
        }
    }
}

fn spec(app: &App, world: &World, download: &Download) -> Result<Spec, String> {
    let gone = "The dossier was deleted before the package was made.";
    let dossier = world.dossiers.get(&download.dossier_id).ok_or(gone)?;
    let template = world.templates.iter().find(|template| template.id == download.template_id).ok_or(gone)?;
    let reports =
        download.content.report_template_ids.iter().filter_map(|id| template.reports.get(id).cloned()).collect();
    let files = download.file_ids.iter().filter_map(|id| world.files.get(id)).filter(|file| file.deleted.is_none());
    let files: Vec<Packed> = files
        .map(|file| {
            // What was found before still counts while a file is analysed again.
            let ready = file.last_processed(download.ends).is_some();
            let shown = ready.then(|| components_files(file, true, |kind, number| world.derived_id(kind, number)));
            Packed {
                name: file.name.clone(),
                pages: file.pages,
                state: file.state(download.ends).to_owned(),
                path: app.blobs.path(&file.blob),
                components: if ready { file.shown_components() } else { Vec::new() },
                json: shown.as_ref().and_then(|shown| serde_json::to_string_pretty(shown).ok()),
                xml: shown.as_ref().map(components_xml),
            }
        })
        .collect();
    if files.is_empty() && !download.file_ids.is_empty() {
        return Err("The files were deleted before the package was made.".to_owned());
    }
    Ok(Spec {
        download: download.clone(),
        dossier: dossier.name.clone(),
        template: template.name.clone(),
        reports,
        files,
    })
}

fn make(app: &App, spec: &Spec) -> Made {
    let failed = |error: &dyn std::fmt::Display| format!("The package could not be made: {error}.");
    let mut part = app.blobs.begin().map_err(|error| failed(&error))?;
    archive::write(part.as_file_mut(), spec).map_err(|error| failed(&error))?;
    let size = part.as_file().metadata().map_err(|error| failed(&error))?.len();
    let mut digest = Sha256::new();
    let mut reader = part.reopen().map_err(|error| failed(&error))?;
    std::io::copy(&mut reader, &mut digest).map_err(|error| failed(&error))?;
    let mut etag = String::from("\"");
    for byte in digest.finalize().iter().take(12) {
        // Writing to a String can't fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    let blob = format!("package-{}", spec.download.id);
    app.blobs.keep(part, &blob).map_err(|error| failed(&error))?;
    Ok((blob, size, etag))
}

/// A text as a file name that every system takes.
pub(crate) fn safe_name(text: &str) -> String {
    let text = text.trim_start();
    let mut safe = String::from(if is_device(text) { "_" } else { "" });
    for letter in text.chars().take(100) {
        let letter = if letter.is_control() || r#"/\:*?"<>|"#.contains(letter) { '_' } else { letter };
        // Systems count bytes, and an ending follows.
        if safe.len() + letter.len_utf8() > 200 {
            break;
        }
        safe.push(letter);
    }
    let safe = safe.trim_end_matches(|letter: char| letter == '.' || letter.is_whitespace());
    if safe.is_empty() { "package".to_owned() } else { safe.to_owned() }
}

/// Whether Windows takes the name for a device, whatever its ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    match stem.as_bytes() {
        b"CON" | b"PRN" | b"AUX" | b"NUL" => true,
        [b'C', b'O', b'M', number] | [b'L', b'P', b'T', number] => matches!(number, b'1'..=b'9'),
        _ => false,
    }
}

/// Year to second of a moment, for formats that take it in parts.
fn calendar(moment: Stamp) -> (i32, [u8; 5]) {
    use chrono::{Datelike, Timelike};

    let time = moment.utc();
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    (
        time.year(),
        [small(time.month()), small(time.day()), small(time.hour()), small(time.minute()), small(time.second())],
    )
}
