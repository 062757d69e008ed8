//! The timeout of each chunk of a body, with one timer for the whole body.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::{Result, TimeoutPhase};
use crate::timeout::timeout_error;

/// A timer that is moved only when it fires too early or is set too late. A new timer for every chunk would wake the runtime's timer driver
/// for every chunk.
#[derive(Default)]
pub(super) struct ChunkTimer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl ChunkTimer {
    /// Runs `work` for at most `limit`.
    pub(super) async fn within<F: Future + Unpin>(
        &mut self,
        mut work: F,
        limit: Duration,
        phase: TimeoutPhase,
    ) -> Result<F::Output> {
        let mut end = None;
        poll_fn(|context| {
            if let Poll::Ready(output) = Pin::new(&mut work).poll(context) {
                return Poll::Ready(Ok(output));
            }
            let end = *end.get_or_insert_with(|| Instant::now().checked_add(limit));
            // A limit beyond the range of `Instant` is no limit.
            let Some(end) = end else { return Poll::Pending };
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(end)));
            if sleep.deadline() > end {
                sleep.as_mut().reset(end);
            }
            loop {
                ready!(sleep.as_mut().poll(context));
                if sleep.deadline() >= end {
                    return Poll::Ready(Err(timeout_error(limit, phase)));
                }
                sleep.as_mut().reset(end);
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn each_chunk_has_the_whole_limit() {
        let mut timer = ChunkTimer::default();
        let started = Instant::now();
        for seconds in [59, 1, 59] {
            let chunk = pin!(tokio::time::sleep(Duration::from_secs(seconds)));
            assert!(timer.within(chunk, LIMIT, TimeoutPhase::Idle).await.is_ok(), "{seconds} s");
        }
        assert!(timer.within(ready(()), Duration::ZERO, TimeoutPhase::Idle).await.is_ok(), "a chunk that is ready");
        assert_eq!(started.elapsed(), Duration::from_secs(119));
        let error = timer.within(pending::<()>(), LIMIT, TimeoutPhase::Idle).await.err();
        assert_eq!(started.elapsed(), Duration::from_secs(119) + LIMIT);
        assert_eq!(error.and_then(|error| error.timeout_phase()), Some(TimeoutPhase::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn shorter_limit_ends_before_an_earlier_timer() {
        let mut timer = ChunkTimer::default();
        let started = Instant::now();
        assert!(timer.within(pin!(tokio::task::yield_now()), LIMIT, TimeoutPhase::Idle).await.is_ok());
        let short = Duration::from_secs(1);
        assert!(timer.within(pending::<()>(), short, TimeoutPhase::Operation).await.is_err());
        assert_eq!(started.elapsed(), short);
        // The timer of the last chunk has elapsed.
        assert!(timer.within(pending::<()>(), LIMIT, TimeoutPhase::Idle).await.is_err());
        assert_eq!(started.elapsed(), short + LIMIT);
    }
}
