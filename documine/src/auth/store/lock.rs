//! A lock that processes share: the system's own lock on a file, which ends with the process that holds it, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::StoreLock;
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};

/// The pauses between two tries grow from the first to the last: most holders are done within a round trip to the provider.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Takes the lock of a file, which is made where it is missing and is never removed: a new one of the same name would be another lock.
///
/// Waits without holding a thread. The time is real time: other processes know no other.
pub(super) async fn take(path: PathBuf, limit: Duration) -> Result<StoreLock> {
    let place = path.clone();
    let mut file = super::file::blocking(move || open(&place)).await?;
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        // Also trying asks a network drive.
        let tried = move || {
            let locked = file.try_lock();
            Ok((file, locked))
        };
        let locked;
        (file, locked) = super::file::blocking(tried).await?;
        match locked {
            Ok(()) => return Ok(StoreLock::new(file)),
            Err(TryLockError::Error(error)) => return Err(trouble(&path, error)),
            Err(TryLockError::WouldBlock) if began.elapsed() >= limit => {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!(
                        "another process has held the lock {} for {limit:?}; is it stopped, or hangs?",
                        path.display()
                    ),
                )
                .with_phase(TimeoutPhase::Login));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        // Spread, so that many who wait do not try in step.
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    super::file::private(&mut options);
    options.open(path).map_err(|error| trouble(path, error))
}

fn trouble(path: &Path, error: std::io::Error) -> Error {
    Error::file(format!("the lock {} can't be taken", path.display()), error)
}
