//! The retry budget that all calls of a client share, so that retries do not multiply the load on a failing service.

use std::sync::{Mutex, PoisonError};

/// The cost of one retry; a successful call deposits 1.
const RETRY_COST: u32 = 10;

/// A token bucket of retries, shared by all clones of a client. A retry withdraws one, ten successful calls deposit one.
#[derive(Debug)]
pub(crate) struct RetryBudget(Option<Bucket>);

#[derive(Debug)]
struct Bucket {
    capacity: u32,
    balance: Mutex<u32>,
}

impl RetryBudget {
    /// Creates a budget of this many retries; `None`: unlimited.
    pub(crate) fn new(retries: Option<u32>) -> Self {
        Self(retries.map(|retries| {
            let capacity = retries.saturating_mul(RETRY_COST);
            Bucket { capacity, balance: Mutex::new(capacity) }
        }))
    }

    /// Withdraws one retry. Returns `false` when the budget is exhausted.
    pub(super) fn withdraw(&self) -> bool {
        let Some(bucket) = &self.0 else { return true };
        let mut balance = bucket.balance.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = balance.checked_sub(RETRY_COST);
        *balance = rest.unwrap_or(*balance);
        rest.is_some()
    }

    /// Records a successful call.
    pub(crate) fn deposit(&self) {
        self.add(1);
    }

    /// Returns retries to the budget, after they let a transfer make progress.
    pub(crate) fn refund(&self, retries: u32) {
        self.add(retries.saturating_mul(RETRY_COST));
    }

    fn add(&self, amount: u32) {
        if let Some(bucket) = &self.0 {
            let mut balance = bucket.balance.lock().unwrap_or_else(PoisonError::into_inner);
            *balance = balance.saturating_add(amount).min(bucket.capacity);
        }
    }
}
