//! The state file in the data folder, which survives a restart. Each write replaces the whole file atomically.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::state::{DataFolder, FolderInUse, Workspace};

/// The name of the state file.
const FILE_NAME: &str = "state.json";

/// Writes the state after every change.
pub(crate) struct StateFile {
    folder: Arc<DataFolder>,
    /// Counts the requested writes.
    requested: AtomicU64,
    /// The last change on disk. Held while writing, so that waiting callers share the next write.
    written: Mutex<u64>,
}

/// The state that an earlier run saved.
#[derive(Deserialize)]
pub(crate) struct LoadedState {
    pub(crate) workspace: Workspace,
    pub(crate) provider: Value,
}

impl StateFile {
    /// Locks the folder and loads the state of an earlier run.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Option<LoadedState>)> {
        let opened = DataFolder::open(folder)?;
        let saved = match std::fs::read(folder.join(FILE_NAME)) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::other(format!("{FILE_NAME} is not a state file of this simulator: {error}"))
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // An invalid state file is reported before a held lock, because waiting for the lock would not help.
        let folder = opened.map_err(FolderInUse::into_error)?;
        Ok((Self { folder, requested: AtomicU64::new(0), written: Mutex::new(0) }, saved))
    }

    /// Returns the data folder, which the blobs share.
    pub(crate) fn folder(&self) -> &Arc<DataFolder> {
        &self.folder
    }

    /// Releases the folder for another simulator. Later writes fail.
    pub(crate) fn close(&self) {
        self.folder.close();
    }

    /// Returns when the present state, or a later one, is on disk.
    pub(crate) async fn save(&self, serialize: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<()> {
        let change = self.requested.fetch_add(1, Ordering::SeqCst) + 1;
        let mut written = self.written.lock().await;
        if *written >= change {
            return Ok(());
        }
        let upto = self.requested.load(Ordering::SeqCst);
        let bytes = serialize()?;
        let folder = Arc::clone(&self.folder);
        tokio::task::spawn_blocking(move || folder.write(|| replace(folder.path(), &bytes)))
            .await
            .map_err(io::Error::other)??;
        *written = upto;
        Ok(())
    }
}

fn replace(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix("state-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_data()?;
    file.persist(folder.join(FILE_NAME)).map(drop).map_err(|error| error.error)
}
