//! Storage of bytes: uploads, the text read from them, packages. In the data folder, or in a temporary folder.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::DataFolder;

/// A folder of blobs, each named by the state.
pub(crate) struct BlobStore {
    folder: PathBuf,
    /// The data folder that contains the blobs.
    data: Option<Arc<DataFolder>>,
    /// Deletes the temporary folder when the simulator ends.
    _temporary: Option<TempDir>,
}

impl BlobStore {
    /// Opens the folder below `data`, or a temporary folder.
    pub(crate) fn open(data: Option<&Arc<DataFolder>>) -> io::Result<Self> {
        if let Some(data) = data {
            let folder = data.path().join("blobs");
            std::fs::create_dir_all(&folder)?;
            // Partial files of a killed process.
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

    /// Returns the path of a blob, for reading.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Creates a file to write into. The file is deleted unless it is persisted under a name.
    pub(crate) fn create_temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        self.write_locked(|| tempfile::Builder::new().prefix("part-").tempfile_in(&self.folder))
    }

    pub(crate) fn persist(&self, part: tempfile::NamedTempFile, name: &str) -> io::Result<()> {
        self.write_locked(|| part.persist(self.path(name)).map(drop).map_err(|error| error.error))
    }

    /// Writes a blob from memory.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write_locked(|| std::fs::write(self.path(name), bytes))
    }

    pub(crate) fn remove(&self, names: impl IntoIterator<Item = String>) {
        for name in names {
            // A missing blob needs no removal.
            let _ = self.write_locked(|| std::fs::remove_file(self.path(&name)));
        }
    }

    fn write_locked<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.data {
            Some(data) => data.write(work),
            None => work(),
        }
    }
}
