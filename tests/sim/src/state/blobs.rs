//! Where bytes lie: uploads, the text read from them, packages. A folder of the caller, or one that goes away with the simulator.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of blobs, each under a name that the state keeps.
pub(crate) struct Blobs {
    folder: PathBuf,
    /// Removed when the simulator ends.
    _temporary: Option<TempDir>,
}

impl Blobs {
    /// Below `folder`, or in a temporary place.
    pub(crate) fn open(folder: Option<&Path>) -> io::Result<Self> {
        if let Some(folder) = folder {
            let folder = folder.join("blobs");
            std::fs::create_dir_all(&folder)?;
            // What a run that was killed had only begun to write.
            for entry in std::fs::read_dir(&folder)?.flatten() {
                if entry.file_name().to_string_lossy().starts_with("part-") {
                    std::fs::remove_file(entry.path())?;
                }
            }
            return Ok(Self { folder, _temporary: None });
        }
        let temporary = tempfile::Builder::new().prefix("documine-sim-").tempdir()?;
        Ok(Self { folder: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A file to write into; it disappears unless it is kept under a name.
    pub(crate) fn begin(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().prefix("part-").tempfile_in(&self.folder)
    }

    pub(crate) fn keep(&self, part: tempfile::NamedTempFile, name: &str) -> io::Result<()> {
        part.persist(self.path(name)).map(drop).map_err(|error| error.error)
    }

    pub(crate) fn remove(&self, names: impl IntoIterator<Item = String>) {
        for name in names {
            // A blob that is not there needs no removing.
            let _ = std::fs::remove_file(self.path(&name));
        }
    }
}
