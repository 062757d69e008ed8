//! Retries of a transfer after its call has ended: a response body that failed while it was streamed, or a lost upload.

use std::time::Duration;

use documine_api::operations::Operation;

use super::call_state::CallExecutor;
use super::observer::Retrying;
use super::options::CallOptions;
use super::pipeline::Pipeline;
use super::retry::{RetryContext, RetryDecision};
use super::telemetry;
use crate::clock::unit_interval;
use crate::error::{Error, Result};

/// The failure of a transfer that can be repeated.
pub(crate) struct TransferFailure {
    pub(crate) operation: &'static Operation,
    pub(crate) error: Error,
    /// The consecutive failures before this one without progress in between.
    pub(crate) failures: u32,
    /// The requests sent so far.
    pub(crate) attempts: u32,
    /// The time since the last progress.
    pub(crate) elapsed: Duration,
    /// The time left until the deadline.
    pub(crate) remaining: Duration,
}

impl Pipeline {
    /// Waits for the backoff before the next request.
    ///
    /// # Errors
    /// The given error, where the retry policy gives up.
    pub(crate) async fn wait_to_resume(&self, options: &CallOptions, failed: TransferFailure) -> Result<()> {
        let TransferFailure { operation, error, failures, attempts, elapsed, remaining } = failed;
        let decision = {
            let call = CallExecutor::new(self, options);
            let policy = call.retry_policy();
            let mut retry = RetryContext::after_failures(failures, &policy, &self.retry_budget, true);
            retry.on_error(&error, elapsed, remaining, unit_interval(self.clock.random()))
        };
        let delay = match decision {
            RetryDecision::GiveUp(None) => return Err(error),
            RetryDecision::GiveUp(Some(reason)) => return Err(error.with_note(reason)),
            RetryDecision::RetryAfter(delay) => delay,
        };
        telemetry::log_retry(operation, attempts, delay, &error);
        if let Some(observer) = &self.observer {
            observer.retrying(&Retrying { operation: operation.id, attempt: attempts, error: &error, delay });
        }
        self.clock.sleep(delay).await;
        Ok(())
    }
}
