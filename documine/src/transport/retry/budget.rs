//! How many retries all calls of a client may make together: a service in trouble is not hit four times as hard as one that works.

use std::sync::{Mutex, PoisonError};

/// What one retry costs, in units of what one success gives back.
const COST: u32 = 10;

/// A bucket of retries, shared by all clones of a client. Each retry takes one out, every ten successes put one back.
#[derive(Debug)]
pub(crate) struct RetryBudget(Option<Bucket>);

#[derive(Debug)]
struct Bucket {
    size: u32,
    left: Mutex<u32>,
}

impl RetryBudget {
    /// `None`: without end.
    pub(crate) fn new(retries: Option<u32>) -> Self {
        Self(retries.map(|retries| {
            let size = retries.saturating_mul(COST);
            Bucket { size, left: Mutex::new(size) }
        }))
    }

    /// Takes a retry out; `false` when there is none.
    pub(super) fn take(&self) -> bool {
        let Some(bucket) = &self.0 else { return true };
        let mut left = bucket.left.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = left.checked_sub(COST);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }

    /// A call succeeded.
    pub(crate) fn succeeded(&self) {
        self.put(1);
    }

    /// So many retries have brought a transfer further: a service that serves is not one in trouble.
    pub(crate) fn made_good(&self, retries: u32) {
        self.put(retries.saturating_mul(COST));
    }

    fn put(&self, more: u32) {
        if let Some(bucket) = &self.0 {
            let mut left = bucket.left.lock().unwrap_or_else(PoisonError::into_inner);
            *left = left.saturating_add(more).min(bucket.size);
        }
    }
}
