//! The interface between a handle and the poller.

use std::collections::HashMap;
use std::time::Duration;

use super::condition::Condition;
use super::context::{PollKey, WaitContext};
use super::duration_stats::WorkKind;
use super::error::WorkFailure;
use super::open_files::OpenFiles;
use crate::clock::BoxFuture;
use crate::error::Result;
use crate::transport::{RequestOptions, RetryAfterHint};

/// A handle whose status can be polled: of a file, of a dossier's files, or of a package.
pub(crate) trait Pollable: Clone + Send + Sync + 'static {
    /// The response to one poll.
    type Status: Clone + Send + Sync + 'static;

    const KIND: WorkKind;
    /// The deadline of a wait that sets none.
    const DEADLINE: Duration;
    /// The number of concurrent waits from which one list request costs less than a request for each.
    const MIN_SHARED_WAITS: usize = 2;

    fn id(&self) -> String;

    /// Returns the name of the work in errors, for example `package 1b2c…`.
    fn description(&self) -> String;

    fn waits(&self) -> &WaitContext;

    /// Fetches the status. A pause that the service requests goes to `retry_after`.
    fn fetch(&self, options: RequestOptions, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<Self::Status>>;

    /// Decides the meaning of a status for a wait on `condition`.
    fn decide(&self, status: Self::Status, condition: &Condition<Self::Status>) -> PollOutcome<Self::Status>;

    /// Returns whether the service is still working on the item. Default: `false`, for a handle without a list.
    fn is_unfinished(_: &Self::Status) -> bool {
        false
    }

    /// Returns the key of the list that shows this handle's status among others. Default: `None`, polls are not shared.
    fn list_key(&self) -> Option<PollKey> {
        None
    }

    /// Fetches the list of [`list_key`](Self::list_key) as statuses by id.
    fn fetch_list(&self, _retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<HashMap<String, Self::Status>>> {
        Box::pin(std::future::ready(Ok(HashMap::new())))
    }
}

/// The meaning of one status for a wait.
#[derive(Debug)]
pub(crate) enum PollOutcome<S> {
    /// The condition does not hold yet; the service's name of the state, and the files that are not processed.
    Pending(String, OpenFiles),
    /// The condition holds.
    Done(S),
    /// The condition can no longer hold.
    Failed(WorkFailure),
}
