//! Shared polling: one list request per poll for all waits on items of the same list.
//!
//! No background task is started. A list request in progress is a future that all waits on it share; the request is dropped with the last of them.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::Notify;

use super::completions::CompletionHistory;
use super::pollable::Pollable;
use crate::clock::BoxFuture;
use crate::error::{Error, Result};
use crate::http_util::MAX_PAUSE;
use crate::transport::RetryAfterHint;

/// Duration of a list request above which shared polling costs more than it saves.
const MAX_LIST_DURATION: Duration = Duration::from_secs(10);

/// The statuses of a list by id, shared by the waits on it.
type SharedStatuses<S> = Arc<HashMap<String, S>>;
/// A list request in progress.
type ListFuture<S> = Shared<BoxFuture<'static, Result<SharedStatuses<S>>>>;

/// The state shared by all waits on one list.
pub(crate) struct SharedPoll<P: Pollable> {
    /// The handle whose list is fetched. Every handle of the list fetches the same one.
    handle: P,
    cache: Mutex<PollCache<P::Status>>,
    /// Signalled after each successful list request.
    updated: Notify,
}

struct PollCache<S> {
    subscribers: usize,
    latest: Option<CachedList<S>>,
    completions: CompletionHistory,
    /// The list request in progress and its start.
    in_flight: Option<(Duration, ListFuture<S>)>,
    /// The end of a pause that the service requested, and the error that requested it.
    paused: Option<(Duration, Error)>,
    /// Set if the list is refused or too slow.
    is_disabled: bool,
}

struct CachedList<S> {
    started: Duration,
    /// The end of the pause that the service requested with this response.
    valid_until: Duration,
    statuses: SharedStatuses<S>,
}

/// Requirements of one poll on a shared list.
#[derive(Debug, Clone, Copy)]
pub(super) struct PollContext {
    /// Maximum age of a cached list.
    pub(super) max_age: Duration,
    /// Set for the poll at the deadline, which ignores requested pauses.
    pub(super) is_last: bool,
}

impl<P: Pollable> SharedPoll<P> {
    /// Returns the shared poll for the list of `handle`; `None` if the handle has no list.
    pub(crate) fn of(handle: &P) -> Option<Arc<Self>> {
        let key = handle.list_key()?;
        Some(handle.waits().shared_polls.get_or_insert(key, || {
            let cache = PollCache {
                subscribers: 0,
                latest: None,
                completions: CompletionHistory::default(),
                in_flight: None,
                paused: None,
                is_disabled: false,
            };
            Self { handle: handle.clone(), cache: Mutex::new(cache), updated: Notify::new() }
        }))
    }

    /// Registers a wait until the subscription is dropped.
    pub(super) fn subscribe(self: Arc<Self>) -> Subscription<P> {
        self.cache().subscribers += 1;
        Subscription(self)
    }

    fn cache(&self) -> MutexGuard<'_, PollCache<P::Status>> {
        // No code panics while holding the lock, so a poisoned cache is still consistent.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.handle.waits().clock.monotonic()
    }

    /// Returns a list that is recent enough: cached, in progress or requested now. `None` if few waits share the list or the list is disabled.
    fn list(self: &Arc<Self>, context: PollContext) -> Option<ListFuture<P::Status>> {
        let now = self.now();
        let mut cache = self.cache();
        let is_recent = |started: Duration| now.saturating_sub(started) <= context.max_age;
        let is_valid = |list: &&CachedList<_>| is_recent(list.started) || (now < list.valid_until && !context.is_last);
        if let Some(list) = cache.latest.as_ref().filter(is_valid) {
            return Some(ready(Ok(Arc::clone(&list.statuses))).boxed().shared());
        }
        if cache.is_disabled || cache.subscribers < P::MIN_SHARED_WAITS {
            cache.completions.end_burst();
            return None;
        }
        if let Some((_, list)) = cache.in_flight.as_ref().filter(|(started, _)| is_recent(*started)) {
            return Some(list.clone());
        }
        if let Some((until, error)) = cache.paused.as_ref().filter(|(until, _)| now < *until && !context.is_last) {
            let error = error.clone().with_retry_after(Some(until.saturating_sub(now)));
            return Some(ready(Err(error)).boxed().shared());
        }
        let list = self.request(now).shared();
        cache.in_flight = Some((now, list.clone()));
        Some(list)
    }

    fn request(self: &Arc<Self>, started: Duration) -> BoxFuture<'static, Result<SharedStatuses<P::Status>>> {
        let retry_after = RetryAfterHint::default();
        let (poll, list) = (Arc::downgrade(self), self.handle.fetch_list(&retry_after));
        Box::pin(async move {
            let list = list.await.map(Arc::new);
            if let Some(poll) = poll.upgrade() {
                poll.complete(started, &list, retry_after.take());
            }
            list
        })
    }

    fn complete(&self, started: Duration, list: &Result<SharedStatuses<P::Status>>, retry_after: Option<Duration>) {
        let now = self.now();
        let mut cache = self.cache();
        if cache.in_flight.as_ref().is_some_and(|(other, _)| *other == started) {
            cache.in_flight = None;
        }
        match list {
            Ok(statuses) => {
                let unfinished = statuses.values().filter(|status| P::is_unfinished(status)).count();
                cache.completions.record(now, statuses.len() - unfinished, unfinished);
                let valid_until = now.saturating_add(retry_after.unwrap_or_default());
                cache.latest = Some(CachedList { started, valid_until, statuses: Arc::clone(statuses) });
                cache.is_disabled |= now.saturating_sub(started) > MAX_LIST_DURATION;
                drop(cache);
                self.updated.notify_waiters();
            }
            Err(error) => {
                cache.completions.end_burst();
                cache.is_disabled |= is_permanent(error);
                cache.paused =
                    error.retry_after().map(|pause| (now.saturating_add(pause.min(MAX_PAUSE)), error.clone()));
            }
        }
    }
}

/// Returns whether the same request would fail again.
fn is_permanent(error: &Error) -> bool {
    !error.is_transient() && !error.needs_login()
}

/// The registration of one wait on a shared list.
pub(super) struct Subscription<P: Pollable>(Arc<SharedPoll<P>>);

impl<P: Pollable> Subscription<P> {
    /// Returns the status of `id` from the list; `None` if the status must be fetched by itself.
    pub(super) async fn status(&self, id: &str, context: PollContext) -> Result<Option<P::Status>> {
        let Some(list) = self.0.list(context) else { return Ok(None) };
        match list.await {
            // A missing id is either too new for the list or deleted. Its own request shows which.
            Ok(statuses) => Ok(statuses.get(id).cloned()),
            Err(error) if is_permanent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the interval before the next poll, learned from the items of the list that are finished; `None` before the first completion.
    pub(super) fn interval(&self) -> Option<Duration> {
        let now = self.0.now();
        self.0.cache().completions.interval(now)
    }

    /// Waits for the next list request of another wait and returns the status of `id` from it.
    pub(super) async fn updated(&self, id: &str) -> P::Status {
        loop {
            self.0.updated.notified().await;
            let status = self.0.cache().latest.as_ref().and_then(|list| list.statuses.get(id).cloned());
            if let Some(status) = status {
                return status;
            }
        }
    }
}

impl<P: Pollable> Drop for Subscription<P> {
    fn drop(&mut self) {
        let mut cache = self.0.cache();
        cache.subscribers -= 1;
        if cache.subscribers == 0 {
            // No wait is left to drive the request.
            cache.in_flight = None;
        }
    }
}
