//! What all requests share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{Gate, OwnHosts, Routes, Store};
use crate::SimClock;
use crate::analysis::{Readers, Rules};
use crate::faults::Faults;
use crate::idp::{AuthMode, Provider};
use crate::journal::Journal;
use crate::paging::Paging;
use crate::state::{Blobs, Timing, World};
use crate::time::Stamp;

/// The running service.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) clock: SimClock,
    pub(crate) provider: Provider,
    pub(crate) routes: Routes,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    /// Where connections come in.
    pub(crate) gate: Gate,
    /// Turns true when the simulator stops.
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) blobs: Blobs,
    pub(crate) readers: Readers,
    pub(crate) store: Option<Store>,
    /// One package is made at a time.
    pub(crate) packing: tokio::sync::Mutex<()>,
    pub(crate) world: Mutex<World>,
    pub(crate) rules: Mutex<Arc<Rules>>,
    #[cfg(feature = "check")]
    pub(crate) violations: Mutex<Vec<crate::check::Violation>>,
}

/// What does not change while the service runs.
pub(crate) struct Settings {
    pub(crate) workspace: String,
    /// The hosts under which `/__sim/` answers.
    pub(crate) own_hosts: OwnHosts,
    pub(crate) auth: AuthMode,
    pub(crate) paging: Paging,
    pub(crate) ranges: bool,
    pub(crate) timing: Timing,
}

impl App {
    /// The simulated moment.
    pub(crate) fn now(&self) -> Stamp {
        Stamp::from(self.clock.now())
    }

    /// The world as it is now: what has expired is gone.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A handler that panicked left nothing half done that would matter here.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = world.tidy(self.now());
        self.blobs.remove(gone);
        world
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
