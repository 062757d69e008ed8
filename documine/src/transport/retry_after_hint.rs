//! The `Retry-After` of successful responses (RFC 9110 section 10.2.3), for callers that poll again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::http_util::MAX_PAUSE;

/// The longest pause that the responses to some calls requested, shared with those calls: at most [`MAX_PAUSE`].
#[derive(Debug, Clone, Default)]
pub(crate) struct RetryAfterHint(Arc<Mutex<Option<Duration>>>);

impl RetryAfterHint {
    pub(crate) fn record(&self, pause: Option<Duration>) {
        let mut longest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *longest = (*longest).max(pause.map(|pause| pause.min(MAX_PAUSE)));
    }

    /// Returns the longest pause requested since the last call.
    pub(crate) fn take(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_longest_capped_pause_once() {
        let hint = RetryAfterHint::default();
        for pause in [None, Some(Duration::from_secs(7)), Some(Duration::from_secs(3))] {
            hint.record(pause);
        }
        assert_eq!((hint.take(), hint.take()), (Some(Duration::from_secs(7)), None));
        hint.record(Some(Duration::MAX));
        assert_eq!(hint.take(), Some(MAX_PAUSE));
    }
}
