//! Where bytes lie: uploads, the text read from them, packages. A folder of the caller, or one that goes away with the simulator.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::DataFolder;

/// A folder of blobs, each under a name that the state keeps.
pub(crate) struct Blobs {
    folder: PathBuf,
    /// The data folder around it.
    data: Option<Arc<DataFolder>>,
    /// Removed when the simulator ends.
    _temporary: Option<TempDir>,
}

impl Blobs {
    /// Below `data`, or in a temporary place.
    pub(crate) fn open(data: Option<&Arc<DataFolder>>) -> io::Result<Self> {
        if let Some(data) = data {
            let folder = data.path().join("blobs");
            std::fs::create_dir_all(&folder)?;
            // What a run that was killed had only begun to write.
            for entry in std::fs::read_dir(&folder)?.flatten() {
                if entry.file_name().to_string_lossy().starts_with("part-") {
                    std::fs::remove_file(entry.path())?;
                }
            }
            return Ok(Self { folder, data: Some(Arc::clone(data)), _temporary: None });
        }
        let temporary = tempfile::Builder::new().prefix("documine-sim-").tempdir()?;
        Ok(Self { folder: temporary.path().to_owned(), data: None, _temporary: Some(temporary) })
    }

    /// The path of a blob, for reading.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A file to write into; it disappears unless it is kept under a name.
    pub(crate) fn begin(&self) -> io::Result<tempfile::NamedTempFile> {
        self.changing(|| tempfile::Builder::new().prefix("part-").tempfile_in(&self.folder))
    }

    pub(crate) fn keep(&self, part: tempfile::NamedTempFile, name: &str) -> io::Result<()> {
        self.changing(|| part.persist(self.path(name)).map(drop).map_err(|error| error.error))
    }

    /// Writes a blob that is in memory.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.changing(|| std::fs::write(self.path(name), bytes))
    }

    pub(crate) fn remove(&self, names: impl IntoIterator<Item = String>) {
        for name in names {
            // A blob that is not there needs no removing.
            let _ = self.changing(|| std::fs::remove_file(self.path(&name)));
        }
    }

    fn changing<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.data {
            Some(data) => data.write(work),
            None => work(),
        }
    }
}
