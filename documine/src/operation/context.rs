//! State that all waits of a client and its clones share.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::duration_stats::DurationStats;
use crate::clock::Clock;
use crate::models::{DossierId, DossierTemplateId};

/// The clock, the durations of earlier waits and the shared polls of a client.
pub(crate) struct WaitContext {
    pub(super) clock: Arc<dyn Clock>,
    /// The deadline of a wait that sets none. `None`: the default of the kind of work.
    pub(super) deadline: Option<Duration>,
    pub(super) stats: DurationStats,
    pub(super) shared_polls: PollRegistry,
}

impl WaitContext {
    pub(crate) fn new(clock: Arc<dyn Clock>, deadline: Option<Duration>) -> Self {
        Self { clock, deadline, stats: DurationStats::default(), shared_polls: PollRegistry::default() }
    }
}

/// Identifies the list request that several waits share. Ids may contain any character, so they are not joined into one string.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum PollKey {
    /// The files of one dossier.
    DossierFiles(DossierTemplateId, DossierId),
    /// All packages of the account.
    Packages,
}

/// The shared polls by list, each kept as long as a wait uses it.
#[derive(Default)]
pub(super) struct PollRegistry(Mutex<HashMap<PollKey, Weak<dyn Any + Send + Sync>>>);

impl PollRegistry {
    /// Returns the shared poll of a list, creating it if no wait uses one.
    pub(super) fn get_or_insert<S: Send + Sync + 'static>(&self, key: PollKey, new: impl FnOnce() -> S) -> Arc<S> {
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let current = polls.get(&key).and_then(Weak::upgrade).and_then(|poll| poll.downcast::<S>().ok());
        current.unwrap_or_else(|| {
            polls.retain(|_, poll| poll.strong_count() > 0);
            let poll = Arc::new(new());
            let weak: Weak<S> = Arc::downgrade(&poll);
            polls.insert(key, weak);
            poll
        })
    }
}
