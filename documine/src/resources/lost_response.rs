//! Recovery of lost responses: an operation that is not idempotent is repeated only after a search for its result.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use crate::client::Client;
use crate::error::{Error, Result, TimeoutPhase};
use crate::timeout::{Deadline, timeout_error, within};
use crate::transport::{CallOptions, RetryMode, TransferFailure};

/// Most requests of one operation whose responses are lost, if the retry policy does not set fewer.
const MAX_REQUESTS: u32 = 3;
/// Delays before each search for the result of a lost response, which the service may still be processing.
const SEARCH_DELAYS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// An operation whose result can be found in a list of the service.
pub(super) trait Recoverable: Sync {
    type Output: Send;

    /// The operation id in the document.
    const OPERATION: &'static str;
    /// Added to the error of a lost response if the search has found nothing.
    const NOT_FOUND: &'static str;

    /// Sends the request.
    fn send(&self, client: &Client, options: CallOptions) -> impl Future<Output = Result<Self::Output>> + Send;

    /// Searches for the result of the lost response.
    fn find(&self, options: &CallOptions) -> impl Future<Output = Result<Option<Self::Output>>> + Send;

    /// Returns whether the request can be sent again after a search without result.
    fn is_repeatable(&self) -> bool;
}

/// Sends a request. After a lost response, searches for the result, and repeats the request only if there is none and the retry mode is not
/// [`RetryMode::Never`]. The deadline covers all requests and pauses.
pub(super) async fn send_recoverable<R: Recoverable>(
    operation: &R,
    client: &Client,
    options: CallOptions,
) -> Result<R::Output> {
    let deadline = Deadline::new(options.deadline);
    within_deadline(R::OPERATION, deadline, send_unless_found(operation, client, options, deadline)).await
}

/// Runs an operation of several requests until its deadline.
pub(super) async fn within_deadline<T>(
    operation: &'static str,
    deadline: Deadline,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let finished = within(pin!(work), deadline.limit(), TimeoutPhase::Operation).await;
    // A request of the search that ends at the same deadline does not name another operation than the deadline.
    finished.flatten().map_err(|error| match error.timeout_phase() {
        Some(TimeoutPhase::Operation) => error.for_operation(operation),
        _ => error.with_operation(operation),
    })
}

async fn send_unless_found<R: Recoverable>(
    operation: &R,
    client: &Client,
    mut options: CallOptions,
    deadline: Deadline,
) -> Result<R::Output> {
    // A request that may have been processed is repeated here, after the search, and not by the retry layer.
    let policy = options.retry_policy.as_deref().unwrap_or(&client.pipeline().retry_policy);
    let mode = options.retry.unwrap_or(policy.mode());
    if mode == RetryMode::EvenIfSent {
        options.retry = Some(RetryMode::IfSafe);
    }
    let mut repeated = 0;
    loop {
        options.deadline = deadline.left();
        let error = match operation.send(client, options.clone()).await {
            // Other errors are final: the call has repeated a rejected request as often as its policy allows.
            Err(error) if is_lost(&error) && deadline.left() != Some(Duration::ZERO) => error,
            result => {
                if result.is_ok() {
                    client.pipeline().retry_budget.refund(repeated);
                }
                return result;
            }
        };
        for delay in SEARCH_DELAYS {
            client.clock().sleep(delay).await;
            options.deadline = deadline.left();
            match operation.find(&options).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(search) => return Err(with_failed_search(error, &search, deadline)),
            }
        }
        let not_found = |error: Error| error.with_note(R::NOT_FOUND);
        // A longer pause than the searches took is left to the caller.
        let needs_longer_pause =
            error.retry_after().is_some_and(|delay| delay > SEARCH_DELAYS.iter().sum::<Duration>());
        if needs_longer_pause || mode == RetryMode::Never || !operation.is_repeatable() {
            return Err(not_found(error));
        }
        let left = deadline.left().unwrap_or(Duration::MAX);
        back_off(client, &options, R::OPERATION, error, repeated, left).await.map_err(not_found)?;
        repeated += 1;
    }
}

/// Returns whether the service may have processed the request, although its response is missing.
fn is_lost(error: &Error) -> bool {
    error.was_sent() && !error.was_refused() && error.is_transient()
}

/// Returns the error of a lost response whose result could not be searched. The request may have been processed, so the error remains that of the
/// request; of the search, it adopts the need of a login, without which further calls would fail as well.
fn with_failed_search(error: Error, search: &Error, deadline: Deadline) -> Error {
    if search.timeout_phase() == Some(TimeoutPhase::Operation) && deadline.left() == Some(Duration::ZERO) {
        // The search ended at the deadline of the whole operation.
        return timeout_error(deadline.limit(), TimeoutPhase::Operation);
    }
    let error = error.with_note(format!("the search for the result failed: {search}"));
    if search.needs_login() { error.login_needed() } else { error }
}

/// Waits before a request is repeated, or returns the error if the request is not to be repeated.
///
/// The search has shown that the result is missing, so the request is repeated although it was sent. The time of earlier requests does not count,
/// because an upload may take any time.
async fn back_off(
    client: &Client,
    options: &CallOptions,
    operation: &str,
    error: Error,
    repeated: u32,
    left: Duration,
) -> Result<()> {
    let Some(operation) = documine_api::operations::operation(operation) else { return Err(error) };
    let pipeline = client.pipeline();
    let policy = options.retry_policy.as_deref().unwrap_or(&pipeline.retry_policy).clone();
    let options = CallOptions {
        retry: Some(RetryMode::EvenIfSent),
        retry_policy: Some(Box::new(policy.at_most(MAX_REQUESTS))),
        ..options.clone()
    };
    let (attempts, retry_after) = (error.attempts(), error.retry_after());
    let failed = TransferFailure {
        operation,
        // The searches have already taken longer than the requested pause.
        error: error.with_retry_after(None),
        failures: repeated,
        attempts,
        elapsed: Duration::ZERO,
        remaining: left,
    };
    pipeline.wait_to_resume(&options, failed).await.map_err(|error| error.with_retry_after(retry_after))
}
