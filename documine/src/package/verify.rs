//! Verification of a downloaded package, and work on the blocking thread pool that ends when its caller is dropped.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::archive::Archive;
use super::error::PackageError;
use super::limits::PackageLimits;
use super::positioned_file::PositionedFile;
use crate::disk::blocking;
use crate::error::Result;

/// Reads every readable entry of a package once and compares its checksum.
pub(super) async fn verify(file: File, limits: PackageLimits) -> Result<()> {
    let check = move |cancelled: &AtomicBool| Archive::open(PositionedFile::new(file), limits)?.check(cancelled);
    run_cancellable(check).await.map_err(|error| error.into_error("the downloaded package"))
}

/// Runs work that reads a package on the blocking thread pool. Dropping the future cancels the work.
pub(super) async fn run_cancellable<T: Send + 'static>(
    work: impl FnOnce(&AtomicBool) -> Result<T, PackageError> + Send + 'static,
) -> Result<T, PackageError> {
    let guard = CancelOnDrop(Arc::new(AtomicBool::new(false)));
    let cancelled = Arc::clone(&guard.0);
    blocking_read(move || work(&cancelled)).await
}

/// Runs work that reads a package on the blocking thread pool. A panic of a library becomes an error.
pub(super) async fn blocking_read<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PackageError> + Send + 'static,
) -> Result<T, PackageError> {
    let result = blocking(work).await;
    result.unwrap_or_else(|_| Err(PackageError::invalid("the archive reader was aborted; open the package again")))
}

/// Sets the flag when it is dropped.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
