//! Time limits on a connection. They are real time, whatever the client's [`Clock`](crate::Clock) says.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Sent, TimeoutPhase};

/// The limits of a client or of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// To a standing connection. 10 s: a service that does not even shake hands by then is not there.
    pub(crate) connect: Duration,
    /// From the request to the answer's headers. 60 s: exports of a large dossier take their time.
    pub(crate) attempt: Duration,
    /// Between two pieces of a body, in either direction. 60 s: a slow line moves at least something; there is no limit on the whole.
    pub(crate) idle: Duration,
    /// The whole of a call that transfers no file, with all attempts and the pauses between them. 5 min: four attempts that each run into
    /// their own limit, and a little more.
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

/// When something last moved on a body that is being sent.
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

/// Lets `work` go on until `limit` has passed, counted anew whenever something moves.
///
/// The limits take futures that are pinned already: passing one on by value would copy all of it.
pub(crate) async fn while_active<F: Future + Unpin>(
    mut work: F,
    activity: Option<&Activity>,
    limit: Duration,
) -> Result<F::Output, Error> {
    let begun = Instant::now();
    loop {
        let last = activity.map_or(begun, Activity::last);
        let Some(end) = last.checked_add(limit) else {
            // Further off than time can be told: no limit.
            return Ok(work.await);
        };
        match tokio::time::timeout_at(end, &mut work).await {
            Ok(output) => return Ok(output),
            Err(_) if activity.is_some_and(|activity| activity.last() > last) => {}
            Err(_) => return Err(expired(limit, TimeoutPhase::Attempt)),
        }
    }
}

/// `work`, unless it takes longer than `limit`. What is there at once costs no timer.
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
        if over { Poll::Ready(Err(expired(limit, phase))) } else { Poll::Pending }
    })
    .await
}

pub(crate) fn expired(limit: Duration, phase: TimeoutPhase) -> Error {
    let text = match phase {
        TimeoutPhase::Operation => format!("the call did not end within its limit of {limit:?}"),
        _ => format!("nothing came from the service for {limit:?}"),
    };
    Error::new(ErrorKind::Timeout, text).with_sent(Sent::Maybe).with_phase(phase)
}
