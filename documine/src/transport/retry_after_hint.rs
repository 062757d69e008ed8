//! How long the service wants to be left alone, as its good answers say it (`Retry-After`, RFC 9110 section 10.2.3): for whoever will ask again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::net::LONGEST_PAUSE;

/// The longest pause that the answers to some calls asked for, shared with those calls: at most [`LONGEST_PAUSE`].
#[derive(Debug, Clone, Default)]
pub(crate) struct RetryAfterHint(Arc<Mutex<Option<Duration>>>);

impl RetryAfterHint {
    pub(crate) fn note(&self, pause: Option<Duration>) {
        let mut longest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *longest = (*longest).max(pause.map(|pause| pause.min(LONGEST_PAUSE)));
    }

    /// What was asked for since this was called last.
    pub(crate) fn take(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pause_counts_up_to_a_limit_and_once() {
        let asked = RetryAfterHint::default();
        for pause in [None, Some(Duration::from_secs(7)), Some(Duration::from_secs(3))] {
            asked.note(pause);
        }
        assert_eq!((asked.take(), asked.take()), (Some(Duration::from_secs(7)), None));
        asked.note(Some(Duration::MAX));
        assert_eq!(asked.take(), Some(LONGEST_PAUSE));
    }
}
