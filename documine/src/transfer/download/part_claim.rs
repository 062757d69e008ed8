//! Claims on partial files within this process. A repeated call waits until the earlier call has released the partial file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::disk::blocking;

/// Longest wait for a call that is still downloading. An aborted task ends only when the runtime polls it.
const MAX_WAIT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Longest wait for a dropped call that still writes to disk. Real time, because a disk does not follow a simulated clock.
const MAX_CLOSE_TIME: Duration = Duration::from_secs(60);

/// The claimed paths. Each receiver sees when the call is dropped; its channel closes when the claim is released.
static CLAIMED: Mutex<BTreeMap<PathBuf, watch::Receiver<bool>>> = Mutex::new(BTreeMap::new());

fn claimed() -> MutexGuard<'static, BTreeMap<PathBuf, watch::Receiver<bool>>> {
    CLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The claim of one call on a partial file. Dropping the claim notifies waiting calls that the file is about to be released.
#[derive(Debug)]
pub(super) struct PartClaim(Arc<WriteGuard>);

/// Keeps the claim while anything may still write to the partial file.
#[derive(Debug)]
pub(super) struct WriteGuard {
    part: PathBuf,
    dropped: watch::Sender<bool>,
}

impl PartClaim {
    /// Claims a partial file. Waits for another call of this process, at most `limit`. Returns `None` if the other call keeps its claim.
    pub(super) async fn acquire(part: PathBuf, clock: &dyn Clock, limit: Option<Duration>) -> Option<Self> {
        let limit = limit.unwrap_or(Duration::MAX);
        let mut polls_left = limit.min(MAX_WAIT).div_duration_f64(POLL_INTERVAL).round();
        loop {
            let mut dropped = match Self::try_acquire(&part) {
                Ok(claim) => return Some(claim),
                Err(dropped) => dropped,
            };
            if *dropped.borrow_and_update() {
                let released = async { while dropped.changed().await.is_ok() {} };
                tokio::time::timeout(limit.min(MAX_CLOSE_TIME), released).await.ok()?;
            } else if polls_left >= 1.0 {
                polls_left -= 1.0;
                tokio::select! {
                    biased;
                    _ = dropped.changed() => {}
                    // With a simulated clock the sleep takes no time; waiting for a thread lets the runtime drop the other task.
                    () = async { clock.sleep(POLL_INTERVAL).await; let _ = blocking(|| ()).await; } => {}
                }
            } else {
                return None;
            }
        }
    }

    fn try_acquire(part: &Path) -> Result<Self, watch::Receiver<bool>> {
        let mut claimed = claimed();
        if let Some(dropped) = claimed.get(part) {
            return Err(dropped.clone());
        }
        let (sender, receiver) = watch::channel(false);
        claimed.insert(part.to_owned(), receiver);
        Ok(Self(Arc::new(WriteGuard { part: part.to_owned(), dropped: sender })))
    }

    pub(super) fn write_guard(&self) -> Arc<WriteGuard> {
        Arc::clone(&self.0)
    }
}

impl Drop for PartClaim {
    fn drop(&mut self) {
        self.0.dropped.send_replace(true);
    }
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        claimed().remove(&self.part);
    }
}
