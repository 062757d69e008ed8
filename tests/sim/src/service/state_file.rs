//! Keeps the state in a folder, so that it survives a restart. Each write replaces the whole file at once.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::state::{DataFolder, FolderInUse, Workspace};

/// The file in the folder.
const FILE_NAME: &str = "state.json";

/// Writes the state whenever something has changed.
pub(crate) struct StateFile {
    folder: Arc<DataFolder>,
    /// Counts changes that were requested to be kept.
    requested: AtomicU64,
    /// The last change that is on the disk; held while writing, so that waiting callers share the next write.
    written: Mutex<u64>,
}

/// What is read back.
#[derive(Deserialize)]
pub(crate) struct LoadedState {
    pub(crate) workspace: Workspace,
    pub(crate) provider: Value,
}

impl StateFile {
    /// Locks the folder and reads what an earlier run left there.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Option<LoadedState>)> {
        let opened = DataFolder::open(folder)?;
        let saved = match std::fs::read(folder.join(FILE_NAME)) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::other(format!("{FILE_NAME} is not a state file of this simulator: {error}"))
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // Reported after a state that is no state: that folder helps nobody, whoever holds it.
        let folder = opened.map_err(FolderInUse::into_error)?;
        Ok((Self { folder, requested: AtomicU64::new(0), written: Mutex::new(0) }, saved))
    }

    /// The folder, which the blobs share.
    pub(crate) fn folder(&self) -> &Arc<DataFolder> {
        &self.folder
    }

    /// Releases the folder for another simulator; later writes fail.
    pub(crate) fn close(&self) {
        self.folder.close();
    }

    /// Returns when the present state, or a later one, is on the disk.
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
