//! The licence guard: no upload starts unless its estimated pages fit into the budget.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of a page, before pages of this run are observed.
const BYTES_PER_PAGE: u64 = 50_000;

/// The pages that a run may use.
#[derive(Debug)]
pub(crate) struct PageBudget {
    limit: Option<u64>,
    state: Mutex<Pages>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pages {
    used: u64,
    reserved: u64,
    /// Pages and bytes of analysed documents.
    sample: u64,
    sample_bytes: u64,
}

/// The result of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reservation {
    /// The document may be uploaded. The number is the reserved pages.
    Granted(u64),
    /// The pages of documents in progress leave no room. When they are counted exactly, there may be room.
    Wait,
    /// The budget is used up.
    Exhausted,
}

impl PageBudget {
    /// Creates a budget; `None` is unlimited.
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// Adds observed documents of earlier runs, for the estimates.
    pub(crate) fn observe(&self, pages: u64, bytes: u64) {
        let mut state = self.lock();
        state.sample += pages;
        state.sample_bytes += bytes;
    }

    /// Estimates the pages of a document from its size and the pages per byte of other documents.
    pub(crate) fn estimate(&self, bytes: u64, known: Option<u32>) -> u64 {
        estimate(*self.lock(), bytes, known)
    }

    /// Reserves the estimated pages of a document.
    pub(crate) fn reserve(&self, bytes: u64, known: Option<u32>) -> Reservation {
        let mut state = self.lock();
        let pages = estimate(*state, bytes, known);
        match self.limit {
            Some(limit) if state.used.saturating_add(pages) > limit && state.reserved == 0 => Reservation::Exhausted,
            Some(limit) if state.used.saturating_add(state.reserved).saturating_add(pages) > limit => {
                if state.used >= limit { Reservation::Exhausted } else { Reservation::Wait }
            }
            _ => {
                state.reserved += pages;
                Reservation::Granted(pages)
            }
        }
    }

    /// Reserves the estimated pages of a document that is at the service already.
    pub(crate) fn reserve_beyond(&self, bytes: u64, known: Option<u32>) -> u64 {
        let mut state = self.lock();
        let pages = estimate(*state, bytes, known);
        state.reserved += pages;
        pages
    }

    /// Replaces a reservation by the pages of the analysis; `None` if the document was not analysed.
    pub(crate) fn settle(&self, reserved: u64, pages: Option<u32>, bytes: u64) {
        let mut state = self.lock();
        state.reserved = state.reserved.saturating_sub(reserved);
        if let Some(pages) = pages.map(u64::from) {
            state.used += pages;
            state.sample += pages;
            state.sample_bytes += bytes;
        }
    }

    /// Returns the pages used in this run.
    pub(crate) fn used(&self) -> u64 {
        self.lock().used
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn estimate(state: Pages, bytes: u64, known: Option<u32>) -> u64 {
    let by_size = if state.sample > 0 && state.sample_bytes > 0 {
        let pages = u128::from(bytes) * u128::from(state.sample) / u128::from(state.sample_bytes);
        u64::try_from(pages).unwrap_or(u64::MAX)
    } else {
        bytes / BYTES_PER_PAGE
    };
    known.map_or(by_size, u64::from).max(1)
}

#[cfg(test)]
mod tests {
    use super::{PageBudget, Reservation};

    #[test]
    fn stops_before_the_budget_is_passed() {
        let budget = PageBudget::new(Some(10));
        assert_eq!(budget.reserve(1, Some(6)), Reservation::Granted(6));
        assert_eq!(budget.reserve(1, Some(5)), Reservation::Wait);
        budget.settle(6, Some(5), 1);
        assert_eq!(budget.reserve(1, Some(5)), Reservation::Granted(5));
        budget.settle(5, Some(5), 1);
        assert_eq!(budget.reserve(1, Some(1)), Reservation::Exhausted);
        assert_eq!(budget.used(), 10);
    }

    #[test]
    fn estimates_pages_from_the_observed_pages_per_byte() {
        let budget = PageBudget::new(None);
        assert_eq!(budget.estimate(500_000, None), 10);
        budget.observe(100, 1_000_000);
        assert_eq!(budget.estimate(500_000, None), 50);
        assert_eq!(budget.estimate(500_000, Some(3)), 3);
        assert_eq!(budget.estimate(0, None), 1);
    }

    #[test]
    fn releases_the_pages_of_failed_documents() {
        let budget = PageBudget::new(Some(4));
        assert_eq!(budget.reserve(1, Some(4)), Reservation::Granted(4));
        budget.settle(4, None, 1);
        assert_eq!(budget.reserve(1, Some(4)), Reservation::Granted(4));
    }
}
