//! Call events for programs: ended calls and retries, enough to chart calls, errors, retries and latency per operation.

use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;

use crate::auth::LoginEvent;
use crate::error::Error;

/// Receives the call events of a client and its clones.
///
/// The methods run inline on the task of the call and must not block. All have empty default implementations.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use documine::observe::{CallEnded, Observer, Retrying};
///
/// #[derive(Default)]
/// struct Counts { calls: AtomicU64, errors: AtomicU64, retries: AtomicU64 }
///
/// impl Observer for Counts {
///     fn ended(&self, call: &CallEnded<'_>) {
///         self.calls.fetch_add(1, Ordering::Relaxed);
///         self.errors.fetch_add(u64::from(call.outcome.is_err()), Ordering::Relaxed);
///     }
///     fn retrying(&self, _: &Retrying<'_>) {
///         self.retries.fetch_add(1, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Called when a failed attempt is about to be retried.
    fn retrying(&self, event: &Retrying<'_>) {
        let _ = event;
    }

    /// Called when a call ends, with a response or with an error after the last attempt.
    ///
    /// For a package the call ends with the response headers; the body is still to be read.
    fn ended(&self, event: &CallEnded<'_>) {
        let _ = event;
    }

    /// Called when the login changes: new tokens, or a failed refresh. Runs on the refresh task, not on a call.
    fn login(&self, event: &LoginEvent<'_>) {
        let _ = event;
    }
}

/// Forwards to the shared observer, so that a program can keep a clone.
impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn retrying(&self, event: &Retrying<'_>) {
        (**self).retrying(event);
    }

    fn ended(&self, event: &CallEnded<'_>) {
        (**self).ended(event);
    }

    fn login(&self, event: &LoginEvent<'_>) {
        (**self).login(event);
    }
}

/// A failed attempt that is retried.
#[derive(Debug)]
#[non_exhaustive]
pub struct Retrying<'a> {
    /// The operation's id in the document, for example `getFiles`.
    pub operation: &'static str,
    /// The number of the failed attempt, counted from 1.
    pub attempt: u32,
    /// The error of the attempt.
    pub error: &'a Error,
    /// The delay before the next attempt.
    pub delay: Duration,
}

/// An ended call.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallEnded<'a> {
    /// The operation's id in the document, for example `getFiles`.
    pub operation: &'static str,
    /// The status of the response, or the error.
    pub outcome: Result<StatusCode, &'a Error>,
    /// The number of attempts.
    pub attempts: u32,
    /// The duration of the call, with all attempts and delays.
    pub elapsed: Duration,
}
