//! The parts that calls of this process write. A call that is repeated at once waits until the call before has let go of the part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::disk::blocking;

/// The time that a call waits for one that is still fetching, in steps: an aborted task ends only when the runtime comes to it.
const PATIENCE: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(100);
/// The time that a call waits for a dropped call that brings its bytes to disk. This is real time: disks know no other.
const CLOSING: Duration = Duration::from_secs(60);

/// Each part with a receiver that learns when its call was dropped, and whose sender is gone with the claim.
static CLAIMED: Mutex<BTreeMap<PathBuf, watch::Receiver<bool>>> = Mutex::new(BTreeMap::new());

fn claimed() -> MutexGuard<'static, BTreeMap<PathBuf, watch::Receiver<bool>>> {
    CLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call's claim to a part. Dropped, it tells those who wait that the part will be free soon.
#[derive(Debug)]
pub(crate) struct Claim(Arc<Hold>);

/// Lasts as long as anything may still write to the part.
#[derive(Debug)]
pub(crate) struct Hold {
    part: PathBuf,
    dropped: watch::Sender<bool>,
}

impl Claim {
    /// Claims a part, which waits a little for another call of this process and never longer than `limit`. Returns `None` where that call
    /// stays at it.
    pub(crate) async fn take(part: PathBuf, clock: &dyn Clock, limit: Option<Duration>) -> Option<Self> {
        let limit = limit.unwrap_or(Duration::MAX);
        let mut steps = limit.min(PATIENCE).div_duration_f64(STEP).round();
        loop {
            let mut dropped = match Self::try_take(&part) {
                Ok(claim) => return Some(claim),
                Err(dropped) => dropped,
            };
            if *dropped.borrow_and_update() {
                let released = async { while dropped.changed().await.is_ok() {} };
                tokio::time::timeout(limit.min(CLOSING), released).await.ok()?;
            } else if steps >= 1.0 {
                steps -= 1.0;
                tokio::select! {
                    biased;
                    _ = dropped.changed() => {}
                    // Behind the pause a thread is waited for: in simulated time the pause alone would give the runtime no time to drop a task.
                    () = async { clock.sleep(STEP).await; let _ = blocking(|| ()).await; } => {}
                }
            } else {
                return None;
            }
        }
    }

    fn try_take(part: &Path) -> Result<Self, watch::Receiver<bool>> {
        let mut claimed = claimed();
        if let Some(dropped) = claimed.get(part) {
            return Err(dropped.clone());
        }
        let (sender, receiver) = watch::channel(false);
        claimed.insert(part.to_owned(), receiver);
        Ok(Self(Arc::new(Hold { part: part.to_owned(), dropped: sender })))
    }

    pub(crate) fn hold(&self) -> Arc<Hold> {
        Arc::clone(&self.0)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.dropped.send_replace(true);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        claimed().remove(&self.part);
    }
}
