//! What a wait is for, where that is not simply the end of the work.

use std::fmt;
use std::sync::Arc;

use crate::models::{DownloadState, DownloadStatus, FileStatus, ProcessingStatus};

/// What has to be so of a file, of the files of a dossier, or of a package, for a wait to end: `FileHandle::until` and its like. Conditions compose, and any
/// closure is one.
///
/// ```
/// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
/// use documine::{Condition, FileStatus};
///
/// let status = file.until(Condition::processed().or(Condition::failed())).await?;
/// let named = file.until(|file: &FileStatus| file.file_name.is_some()).await?;
/// # Ok(()) }
/// ```
pub struct Condition<S> {
    test: Arc<dyn Fn(&S) -> bool + Send + Sync>,
    /// Work that has failed won't come to this any more.
    success: bool,
}

impl<S> Clone for Condition<S> {
    fn clone(&self) -> Self {
        Self { test: Arc::clone(&self.test), success: self.success }
    }
}

impl<S: 'static> Condition<S> {
    /// Whatever a closure says. Where it never says yes, the wait ends at its deadline.
    pub fn new(test: impl Fn(&S) -> bool + Send + Sync + 'static) -> Self {
        Self { test: Arc::new(test), success: false }
    }

    fn success(test: impl Fn(&S) -> bool + Send + Sync + 'static) -> Self {
        Self { test: Arc::new(test), success: true }
    }

    /// Whether it is so.
    pub fn holds(&self, of: &S) -> bool {
        (self.test)(of)
    }

    /// One of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let success = self.success && other.success;
        Self { test: Arc::new(move |of| self.holds(of) || other.holds(of)), success }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let success = self.success || other.success;
        Self { test: Arc::new(move |of| self.holds(of) && other.holds(of)), success }
    }

    /// Whether work that failed ends the wait for it.
    pub(crate) fn is_over_with_failure(&self) -> bool {
        self.success
    }
}

impl Condition<FileStatus> {
    /// Analysed. A file that ended as `ERROR` ends the wait as [`WaitError::Failed`](crate::WaitError::Failed).
    pub fn processed() -> Self {
        Self::success(|file: &FileStatus| file.processing_status == Some(ProcessingStatus::Processed))
    }

    /// Ended as `ERROR`.
    pub fn failed() -> Self {
        Self::new(|file: &FileStatus| file.processing_status == Some(ProcessingStatus::Error))
    }
}

impl Condition<DownloadStatus> {
    /// Ready to be fetched. A package that failed ends the wait as [`WaitError::Failed`](crate::WaitError::Failed).
    pub fn ready() -> Self {
        Self::success(|package: &DownloadStatus| package.status == Some(DownloadState::Ready))
    }
}

impl<S: 'static, F: Fn(&S) -> bool + Send + Sync + 'static> From<F> for Condition<S> {
    fn from(test: F) -> Self {
        Self::new(test)
    }
}

impl<S> fmt::Debug for Condition<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condition")
    }
}
