//! What a program may watch: calls as they end, and retries as they are decided. Enough to draw calls, errors, retries and latency per operation.

use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;

use crate::auth::LoginEvent;
use crate::error::Error;

/// Is told of every call of a client and its clones.
///
/// The methods are called on the task of the call and hold it up: count and return. Each does nothing unless written.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use documine::{CallEnded, Observer, Retrying};
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
    /// An attempt failed, and another one follows.
    fn retrying(&self, event: &Retrying<'_>) {
        let _ = event;
    }

    /// A call ended: with an answer, or with an error after all attempts. A package that streams has only begun to come.
    fn ended(&self, event: &CallEnded<'_>) {
        let _ = event;
    }

    /// Something happened to the client's login: new tokens, or trouble with them. It comes from the task that refreshes, not from a call.
    fn login(&self, event: &LoginEvent<'_>) {
        let _ = event;
    }
}

/// A shared one: a program keeps a clone and reads what was noted.
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

/// An attempt that is followed by another one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Retrying<'a> {
    /// The operation's id in the document, for example `getFiles`.
    pub operation: &'static str,
    /// Which attempt failed, counted from 1.
    pub attempt: u32,
    /// Why.
    pub error: &'a Error,
    /// The pause before the next one.
    pub delay: Duration,
}

/// A call that is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallEnded<'a> {
    /// The operation's id in the document, for example `getFiles`.
    pub operation: &'static str,
    /// The status of the answer, or why there is none.
    pub outcome: Result<StatusCode, &'a Error>,
    /// How many attempts were made.
    pub attempts: u32,
    /// How long it took, with all attempts and pauses.
    pub elapsed: Duration,
}
