//! Memory limit for the reports of one call.

use crate::package::error::PackageError;
use crate::package::limits::PackageLimits;

/// The memory that one call may use for reports.
#[derive(Debug)]
pub(in crate::package) struct MemoryBudget {
    left: u64,
    limit: u64,
}

impl MemoryBudget {
    pub(in crate::package) fn new(limits: &PackageLimits) -> Self {
        Self { left: limits.memory_bytes, limit: limits.memory_bytes }
    }

    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), PackageError> {
        let left = self.left.checked_sub(bytes as u64).ok_or_else(|| {
            PackageError::invalid(format!(
                "reports exceed {} bytes of memory; raise `PackageLimits::memory_bytes`, or open the report in a spreadsheet",
                self.limit
            ))
        })?;
        self.left = left;
        Ok(())
    }

    /// Runs work and releases all memory charged by it if it fails.
    pub(in crate::package) fn rollback_on_error<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, PackageError>,
    ) -> Result<T, PackageError> {
        let left = self.left;
        let result = work(self);
        if result.is_err() {
            self.left = left;
        }
        result
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.left += bytes as u64;
    }
}
