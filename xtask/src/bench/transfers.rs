//! Measures large transfers: uploads from a sparse file, downloads that discard the content, and downloads into a file.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::clients::Task;
use super::figures::NotMeasured;
use super::figures::{Row, Unit};
use super::jobs::{ALL, Bench};
use crate::workspace::print;

const GIBIBYTE: u64 = 1 << 30;
/// Distance of the marks in the source, which lost or duplicated chunks would move.
const MARK_DISTANCE: usize = 64 << 20;

/// Measures transfers of this size.
pub(super) fn run(bench: &Bench<'_>, gibibytes: u32) -> Result<Vec<Row>, NotMeasured> {
    let bytes = u64::from(gibibytes) * GIBIBYTE;
    let (source, target) = (bench.folder.join("source.pdf"), bench.folder.join("package.zip"));
    make_sparse_file(&source, bytes).map_err(|error| format!("{}: {error}", source.display()))?;
    let time = Unit::Nanoseconds;
    let metrics =
        [("wall per GiB", time), ("user CPU per GiB", time), ("CPU per GiB", time), ("peak memory", Unit::Kibibytes)];
    let mut rows = Vec::new();
    for (name, job, file) in [
        ("upload", "upload", &source),
        ("download", "fetch", &target),
        // A stream keeps a checksum, so that an interrupted download can continue.
        ("download without entity tag", "fetch-untagged", &target),
        ("download to a file", "save", &target),
    ] {
        print(&format!("measuring: {name}, {gibibytes} GiB"));
        let count = u64::from(gibibytes);
        let task = Task { job, base_url: bench.base_url, count, concurrency: 1, files: 1, bytes, file };
        rows.extend(bench.timed(name, &ALL, &task, &metrics)?);
    }
    for file in [source, target] {
        // Frees gigabytes.
        let _ = fs::remove_file(file);
    }
    Ok(rows)
}

/// Makes a sparse file.
fn make_sparse_file(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.set_len(bytes)?;
    for offset in (0..bytes).step_by(MARK_DISTANCE) {
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(&offset.to_be_bytes())?;
    }
    Ok(())
}
