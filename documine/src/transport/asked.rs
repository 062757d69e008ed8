//! How long the service wants to be left alone, as its good answers say it (`Retry-After`, RFC 9110 section 10.2.3): for whoever will ask again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest pause that the answers to some calls asked for, shared with those calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<Option<Duration>>>);

impl Asked {
    pub(crate) fn note(&self, pause: Option<Duration>) {
        let mut longest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *longest = (*longest).max(pause);
    }

    /// What was asked for since this was called last.
    pub(crate) fn take(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
