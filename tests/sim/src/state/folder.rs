//! The data folder. One simulator at a time writes to it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The lock file. It stays in the folder, because removing it would let two processes lock two files of the same name.
const LOCK_FILE: &str = "lock";

/// A locked data folder. [`DataFolder::close`], dropping the last reference, or the end of the process releases the lock.
pub(crate) struct DataFolder {
    path: PathBuf,
    /// `None` after `close`. Writers hold a read guard, so `close` waits for them.
    lock: RwLock<Option<File>>,
}

/// A data folder that another simulator holds.
#[derive(Debug)]
pub(crate) struct FolderInUse {
    process: Option<u32>,
}

impl FolderInUse {
    pub(crate) fn into_error(self) -> io::Error {
        let holder = self.process.map_or_else(String::new, |process| format!(" (process {process})"));
        io::Error::other(format!(
            "in use by another simulator{holder}; stop the other simulator or choose another folder"
        ))
    }
}

impl DataFolder {
    /// Creates the folder if needed and locks it.
    pub(crate) fn open(path: &Path) -> io::Result<Result<Arc<Self>, FolderInUse>> {
        std::fs::create_dir_all(path)?;
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(path.join(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Err(FolderInUse { process: process_in(&mut file) })),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(Ok(Arc::new(Self { path: path.to_owned(), lock: RwLock::new(Some(file)) })))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work`, which writes to the folder. Fails after `close`, because another simulator may hold the folder by then.
    pub(crate) fn write<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let lock = self.lock.read().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            return Err(io::Error::other("the simulator has stopped"));
        }
        work()
    }

    /// Waits for writes in progress and releases the lock.
    pub(crate) fn close(&self) {
        if let Some(file) = self.lock.write().unwrap_or_else(PoisonError::into_inner).take() {
            // Unlocked explicitly: a child process that is being started holds a copy of the handle for a moment, and closing the handle would leave
            // the lock to it.
            let _ = file.unlock();
        }
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        self.close();
    }
}

/// Reads the process id in the lock file. `None` where the system does not let others read a locked file.
fn process_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::DataFolder;

    /// A copy of the lock's handle, as a child process holds it between `fork` and `exec`.
    fn copy_of_the_handle(folder: &DataFolder) -> std::fs::File {
        folder.lock.read().unwrap().as_ref().unwrap().try_clone().unwrap()
    }

    #[test]
    fn releases_the_lock_despite_a_handle_in_a_child_process() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(place.path()).unwrap().unwrap();
        let closed = copy_of_the_handle(&folder);
        folder.close();
        let folder = DataFolder::open(place.path()).unwrap().unwrap();
        let dropped = copy_of_the_handle(&folder);
        drop(folder);
        DataFolder::open(place.path()).unwrap().unwrap();
        drop((closed, dropped));
    }
}
