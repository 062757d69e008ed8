//! Keeps the state in a folder, so that it survives a restart. Each write replaces the whole file at once.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use super::App;
use crate::state::{DataFolder, InUse, World};

/// The file in the folder.
const FILE: &str = "state.json";

/// Writes the state whenever something has changed.
pub(crate) struct Store {
    folder: Arc<DataFolder>,
    /// Counts changes that were asked to be kept.
    asked: AtomicU64,
    /// The last change that is on the disk; held while writing, so that waiting callers share the next write.
    written: Mutex<u64>,
}

/// What is read back.
#[derive(Deserialize)]
pub(crate) struct Saved {
    pub(crate) world: World,
    pub(crate) provider: Value,
}

#[derive(Serialize)]
struct Saving<'a> {
    provider: Value,
    world: &'a World,
}

impl Store {
    /// Locks the folder and reads what an earlier run left there.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Option<Saved>)> {
        let opened = DataFolder::open(folder)?;
        let saved = match std::fs::read(folder.join(FILE)) {
            Ok(bytes) => Some(
                serde_json::from_slice(&bytes)
                    .map_err(|error| io::Error::other(format!("{FILE} is not a state of this simulator: {error}")))?,
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // Reported after a state that is no state: that folder helps nobody, whoever holds it.
        let folder = opened.map_err(InUse::into_error)?;
        Ok((Self { folder, asked: AtomicU64::new(0), written: Mutex::new(0) }, saved))
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
    pub(crate) async fn save(&self, app: &App) -> io::Result<()> {
        let change = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut written = self.written.lock().await;
        if *written >= change {
            return Ok(());
        }
        let upto = self.asked.load(Ordering::SeqCst);
        let provider = app.provider.to_json();
        let bytes = serde_json::to_vec(&Saving { provider, world: &app.world() })?;
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
    file.persist(folder.join(FILE)).map(drop).map_err(|error| error.error)
}
