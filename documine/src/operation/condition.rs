//! Conditions: predicates that end a wait.

use std::fmt;
use std::sync::Arc;

use crate::models::{DownloadState, DownloadStatus, FileStatus, ProcessingStatus};

/// A predicate that ends a wait on a file, on the files of a dossier, or on a package.
///
/// Conditions compose with [`or`](Self::or) and [`and`](Self::and). Every closure is a condition.
///
/// ```
/// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
/// use documine::{wait::Condition, models::FileStatus};
///
/// let status = file.wait_until(Condition::processed().or(Condition::failed())).await?;
/// let named = file.wait_until(|file: &FileStatus| file.file_name.is_some()).await?;
/// # Ok(()) }
/// ```
pub struct Condition<S> {
    predicate: Arc<dyn Fn(&S) -> bool + Send + Sync>,
    /// Set if failed work can no longer meet the condition.
    requires_success: bool,
}

impl<S> Clone for Condition<S> {
    fn clone(&self) -> Self {
        Self { predicate: Arc::clone(&self.predicate), requires_success: self.requires_success }
    }
}

impl<S: 'static> Condition<S> {
    /// Creates a condition from a closure. If the closure never returns `true`, the wait ends at its deadline.
    pub fn new(predicate: impl Fn(&S) -> bool + Send + Sync + 'static) -> Self {
        Self { predicate: Arc::new(predicate), requires_success: false }
    }

    /// Creates a condition that failed work can no longer meet.
    pub(crate) fn success(predicate: impl Fn(&S) -> bool + Send + Sync + 'static) -> Self {
        Self { predicate: Arc::new(predicate), requires_success: true }
    }

    /// Returns whether the condition holds for a status.
    pub fn holds(&self, status: &S) -> bool {
        (self.predicate)(status)
    }

    /// Combines two conditions; the result holds if at least one of them holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let requires_success = self.requires_success && other.requires_success;
        Self { predicate: Arc::new(move |status| self.holds(status) || other.holds(status)), requires_success }
    }

    /// Combines two conditions; the result holds if both of them hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let requires_success = self.requires_success || other.requires_success;
        Self { predicate: Arc::new(move |status| self.holds(status) && other.holds(status)), requires_success }
    }

    /// Returns whether failed work ends a wait on this condition.
    pub(crate) fn requires_success(&self) -> bool {
        self.requires_success
    }
}

impl Condition<FileStatus> {
    /// Holds for a processed file. A file that ends as `ERROR` ends the wait with [`WaitErrorKind::Failed`](crate::wait::WaitErrorKind::Failed).
    pub fn processed() -> Self {
        Self::success(|file: &FileStatus| file.processing_status == Some(ProcessingStatus::Processed))
    }

    /// Holds for a file that ended as `ERROR`.
    pub fn failed() -> Self {
        Self::new(|file: &FileStatus| file.processing_status == Some(ProcessingStatus::Error))
    }
}

impl Condition<DownloadStatus> {
    /// Holds for a package that can be downloaded. A failed package ends the wait with [`WaitErrorKind::Failed`](crate::wait::WaitErrorKind::Failed).
    pub fn ready() -> Self {
        Self::success(|package: &DownloadStatus| package.status == Some(DownloadState::Ready))
    }
}

impl<S: 'static, F: Fn(&S) -> bool + Send + Sync + 'static> From<F> for Condition<S> {
    fn from(predicate: F) -> Self {
        Self::new(predicate)
    }
}

impl<S> fmt::Debug for Condition<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condition")
    }
}
