//! Looks inside a package.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::failure::{Code, Failure};

/// What a package holds.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// Opens the package and reads every file in it once, so that a damaged one is noticed by its checksum.
pub(crate) async fn list(path: PathBuf) -> Result<Vec<Entry>, Failure> {
    // Archives are read by plain, blocking code, which has no place on the threads that serve connections.
    let work = tokio::task::spawn_blocking(move || read(&path));
    work.await.unwrap_or_else(|_| Err(Failure::new(Code::Other, "looking into a package was cut off")))
}

fn read(path: &Path) -> Result<Vec<Entry>, Failure> {
    let look = || -> zip::result::ZipResult<Vec<Entry>> {
        let mut archive = ZipArchive::new(File::open(path)?)?;
        let mut entries = Vec::with_capacity(archive.len());
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            if entry.is_file() {
                let bytes = io::copy(&mut entry, &mut io::sink())?;
                entries.push(Entry { name: entry.name()?.into_owned(), bytes });
            }
        }
        Ok(entries)
    };
    look().map_err(|error| Failure::new(Code::Other, format!("{}: is no sound ZIP archive: {error}", path.display())))
}
