//! A lock shared by processes: the operating system's lock on a file, which ends with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::StoreLock;
use crate::backoff::Backoff;
use crate::disk;
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};

/// The largest delay after the first attempt: most holders need one round trip to the provider.
const FIRST_DELAY: Duration = Duration::from_millis(5);
/// The largest delay after any attempt.
const MAX_DELAY: Duration = Duration::from_millis(150);

/// Acquires the lock of a file. The file is created if missing and never removed, because a new file of the same name would be another lock.
///
/// Waiting blocks no thread. The time limit is real time, as for the other processes.
pub(super) async fn acquire(path: PathBuf, limit: Duration) -> Result<StoreLock> {
    let lock_path = path.clone();
    let mut file = disk::run_blocking(move || open(&lock_path)).await?;
    let started = Instant::now();
    let mut backoff = Backoff::new(FIRST_DELAY, MAX_DELAY);
    loop {
        // An attempt may block on a network drive.
        let attempt = move || {
            let locked = file.try_lock();
            Ok((file, locked))
        };
        let locked;
        (file, locked) = disk::run_blocking(attempt).await?;
        match locked {
            Ok(()) => return Ok(StoreLock::new(file)),
            Err(TryLockError::Error(error)) => return Err(lock_error(&path, error)),
            Err(TryLockError::WouldBlock) if started.elapsed() >= limit => {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!(
                        "timed out after {limit:?} waiting for the lock {} of another process; check whether that process hangs",
                        path.display()
                    ),
                )
                .with_phase(TimeoutPhase::Login));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        tokio::time::sleep(backoff.next_equal_jitter(fastrand::f64())).await;
    }
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    disk::set_owner_only(&mut options);
    options.open(path).map_err(|error| lock_error(path, error))
}

fn lock_error(path: &Path, error: std::io::Error) -> Error {
    Error::file(format!("the lock {} can't be acquired", path.display()), error)
}
