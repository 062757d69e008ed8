//! The lock of a journal: one process writes it at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// A locked file beside the journal. Removed when the journal is closed.
///
/// The journal itself cannot be locked: closing a second handle of an SQLite file ends the locks of SQLite (fcntl).
#[derive(Debug)]
pub(super) struct JournalLock {
    path: PathBuf,
    _file: File,
}

impl JournalLock {
    pub(super) fn acquire(journal: &Path) -> Result<Self> {
        // The same lock for every path of the journal.
        let real = journal.canonicalize().unwrap_or_else(|_| journal.to_owned());
        let mut name = real.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let path = real.with_file_name(name);
        let shown = journal.display();
        loop {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| {
                let message =
                    format!("{}: cannot be created: {error}; make the folder of the journal writable", path.display());
                Error::new(ErrorKind::Journal, message)
            })?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let message = format!(
                        "{shown}: another process uses this journal; wait until it has ended, or choose another journal"
                    );
                    return Err(Error::input(message));
                }
                Err(TryLockError::Error(error)) => {
                    let message =
                        format!("{}: cannot be locked: {error}; put the journal on a local disk", path.display());
                    return Err(Error::new(ErrorKind::Journal, message));
                }
            }
            // The last holder may have removed the file between opening and locking.
            if is_same_file(&file, &path) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for JournalLock {
    fn drop(&mut self) {
        // Removed while it is locked, so that no other process holds this file. A remaining file does no harm.
        drop(std::fs::remove_file(&self.path));
    }
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let on_disk = std::fs::metadata(path);
    matches!((file.metadata(), on_disk), (Ok(a), Ok(b)) if a.dev() == b.dev() && a.ino() == b.ino())
}

/// Other systems do not remove an open file.
#[cfg(not(unix))]
fn is_same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}
