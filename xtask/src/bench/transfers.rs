//! Large uploads and downloads: from a sparse file, to nowhere, and into a file.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::clients::Task;
use super::figures::NotMeasured;
use super::figures::{Row, Unit};
use super::jobs::{ALL, Bench};
use crate::workspace::print;

const GIBIBYTE: u64 = 1 << 30;
/// The source is not zeros alone: a mark every so many bytes, which a piece that is lost or doubled would move.
const MARKED: usize = 64 << 20;

/// Transfers so much, each way.
pub(super) fn run(bench: &Bench<'_>, gibibytes: u32) -> Result<Vec<Row>, NotMeasured> {
    let bytes = u64::from(gibibytes) * GIBIBYTE;
    let (source, target) = (bench.folder.join("source.pdf"), bench.folder.join("package.zip"));
    make(&source, bytes).map_err(|error| format!("{}: {error}", source.display()))?;
    let time = Unit::Nanoseconds;
    let metrics =
        [("wall per GiB", time), ("user CPU per GiB", time), ("CPU per GiB", time), ("peak memory", Unit::Kibibytes)];
    let mut rows = Vec::new();
    for (name, job, file) in
        [("upload", "upload", &source), ("download", "fetch", &target), ("download to a file", "save", &target)]
    {
        print(&format!("measuring: {name}, {gibibytes} GiB"));
        let count = u64::from(gibibytes);
        let task = Task { job, base_url: bench.base_url, count, concurrency: 1, files: 1, bytes, file };
        rows.extend(bench.timed(name, &ALL, &task, &metrics)?);
    }
    for file in [source, target] {
        // Gigabytes that nothing needs any more.
        let _ = fs::remove_file(file);
    }
    Ok(rows)
}

/// A file of so many bytes that takes hardly any room.
fn make(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.set_len(bytes)?;
    for at in (0..bytes).step_by(MARKED) {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&at.to_be_bytes())?;
    }
    Ok(())
}
