//! The running service.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tokio::sync::watch;

use super::{OwnHosts, Routes, StateFile};
use crate::analysis::{PdfReaders, Rules};
use crate::clock::SimClock;
use crate::faults::Faults;
use crate::idp::{AuthMode, Provider};
use crate::journal::Journal;
use crate::net::ListenerSwitch;
use crate::paging::Paging;
use crate::patches::Patches;
use crate::state::{BlobStore, Timing, Workspace};
use crate::timestamp::Timestamp;

/// The running service, shared by all requests.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) clock: SimClock,
    pub(crate) provider: Provider,
    pub(crate) routes: Routes,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) listener: ListenerSwitch,
    /// True once the simulator stops.
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) blobs: BlobStore,
    pub(crate) readers: PdfReaders,
    /// `None` without a data folder.
    pub(crate) state_file: Option<StateFile>,
    /// Held while a package is built, so that only one is built at a time.
    pub(crate) packing: tokio::sync::Mutex<()>,
    pub(crate) workspace: Mutex<Workspace>,
    pub(crate) rules: Mutex<Arc<Rules>>,
    pub(crate) timing: Mutex<Timing>,
    pub(crate) patches: Patches,
    #[cfg(feature = "check")]
    pub(crate) violations: Mutex<Vec<crate::check::Violation>>,
}

/// Settings that stay fixed while the service runs.
pub(crate) struct Settings {
    pub(crate) workspace: String,
    /// The hosts under which `/__sim/` answers.
    pub(crate) own_hosts: OwnHosts,
    pub(crate) auth: AuthMode,
    pub(crate) paging: Paging,
    pub(crate) ranges: bool,
}

impl App {
    /// Returns the simulated time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from(self.clock.now())
    }

    /// Locks the workspace and removes what has expired.
    pub(crate) fn workspace(&self) -> MutexGuard<'_, Workspace> {
        // A panic in a handler leaves no inconsistency that matters here.
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        let expired = workspace.purge_expired(self.now());
        self.blobs.remove(expired);
        workspace
    }

    /// Writes the state to the data folder, if there is one.
    pub(crate) async fn save(&self) -> io::Result<()> {
        let Some(file) = &self.state_file else { return Ok(()) };
        file.save(|| {
            let provider = self.provider.to_json();
            serde_json::to_vec(&json!({ "provider": provider, "workspace": &*self.workspace() }))
                .map_err(io::Error::from)
        })
        .await
    }

    /// Returns the durations of work that starts now.
    pub(crate) fn timing(&self) -> Timing {
        self.timing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
