//! Connection timeouts, in real time, independent of the client's [`Clock`](crate::Clock).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Sent, TimeoutPhase};

/// The timeouts of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// Up to the established connection. 10 s.
    pub(crate) connect: Duration,
    /// From the request to the response headers. 60 s: exports of a large dossier may take long.
    pub(crate) attempt: Duration,
    /// Between two chunks of a body, in either direction. 60 s. The total time of a transfer has no limit.
    pub(crate) idle: Duration,
    /// A whole call that transfers no file, with all attempts and delays. 5 min: enough for four attempts that each time out.
    pub(crate) operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            attempt: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            operation: Duration::from_secs(300),
        }
    }
}

impl Timeouts {
    pub(crate) fn named(&self) -> [(&'static str, Duration); 4] {
        [("connect", self.connect), ("attempt", self.attempt), ("idle", self.idle), ("operation", self.operation)]
    }
}

/// The time of the last activity on a request body that is being sent.
#[derive(Debug, Clone)]
pub(crate) struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub(crate) fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The deadline of an operation that consists of several calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    started: Instant,
    limit: Option<Duration>,
}

impl Deadline {
    /// Starts now. `None`: no deadline.
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self { started: Instant::now(), limit }
    }

    /// Returns the whole time.
    pub(crate) fn limit(&self) -> Duration {
        self.limit.unwrap_or(Duration::MAX)
    }

    /// Returns the time left; `None` without a deadline.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(self.started.elapsed()))
    }
}

/// Runs `work` until `limit` has passed without activity.
///
/// The functions here take pinned futures, because moving a future by value would copy it.
pub(crate) async fn while_active<F: Future + Unpin>(
    mut work: F,
    activity: Option<&Activity>,
    limit: Duration,
) -> Result<F::Output, Error> {
    let started = Instant::now();
    loop {
        let last = activity.map_or(started, Activity::last);
        let Some(end) = last.checked_add(limit) else {
            // The deadline exceeds the range of `Instant`: no limit.
            return Ok(work.await);
        };
        match tokio::time::timeout_at(end, &mut work).await {
            Ok(output) => return Ok(output),
            Err(_) if activity.is_some_and(|activity| activity.last() > last) => {}
            Err(_) => return Err(timeout_error(limit, TimeoutPhase::Attempt)),
        }
    }
}

/// Runs `work` for at most `limit`. Creates no timer if `work` is ready at once.
pub(crate) async fn within<F: Future + Unpin>(
    mut work: F,
    limit: Duration,
    phase: TimeoutPhase,
) -> Result<F::Output, Error> {
    let mut timer = pin!(None);
    poll_fn(|context| {
        if let Poll::Ready(output) = Pin::new(&mut work).poll(context) {
            return Poll::Ready(Ok(output));
        }
        if timer.is_none() {
            timer.set(Some(tokio::time::sleep(limit)));
        }
        let over = timer.as_mut().as_pin_mut().is_some_and(|timer| timer.poll(context).is_ready());
        if over { Poll::Ready(Err(timeout_error(limit, phase))) } else { Poll::Pending }
    })
    .await
}

pub(crate) fn timeout_error(limit: Duration, phase: TimeoutPhase) -> Error {
    let text = match phase {
        TimeoutPhase::Operation => format!("call timed out after {limit:?}"),
        _ => format!("no data received from the service for {limit:?}"),
    };
    Error::new(ErrorKind::Timeout, text).with_sent(Sent::Maybe).with_phase(phase)
}
