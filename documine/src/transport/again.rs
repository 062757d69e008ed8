//! A body that broke off on its way to the caller: by the rules for attempts it may be asked for again, and after this pause.

use std::time::Duration;

use documine_api::operations::Operation;

use super::retry::{Retries, Verdict};
use super::{Call, CallOptions, Pipeline, Retrying, telemetry};
use crate::clock::unit;
use crate::error::{Error, Result};

/// What is known of a body that broke off. It is that of a request that only reads.
pub(crate) struct Broken {
    pub(crate) operation: &'static Operation,
    pub(crate) error: Error,
    /// How many times in a row it had broken off before, without progress in between.
    pub(crate) tried: u32,
    /// The requests that were made so far.
    pub(crate) attempts: u32,
    /// The time since there was progress.
    pub(crate) elapsed: Duration,
    /// What the deadline leaves.
    pub(crate) left: Duration,
}

impl Pipeline {
    /// Makes the pause before the next request, or gives the error back that is final.
    pub(crate) async fn pause(&self, options: &CallOptions, broken: Broken) -> Result<()> {
        let Broken { operation, error, tried, attempts, elapsed, left } = broken;
        let verdict = {
            let call = Call::new(self, options);
            let policy = call.policy();
            let mut retries = Retries::after(tried, &policy, &self.retry_budget, true);
            retries.judge(&error, elapsed, left, unit(self.clock.random()))
        };
        let delay = match verdict {
            Verdict::Final(None) => return Err(error),
            Verdict::Final(Some(why)) => return Err(error.with_note(why)),
            Verdict::Again(delay) => delay,
        };
        telemetry::retrying(operation, attempts, delay, &error);
        if let Some(observer) = &self.observer {
            observer.retrying(&Retrying { operation: operation.id, attempt: attempts, error: &error, delay });
        }
        self.clock.sleep(delay).await;
        Ok(())
    }
}
