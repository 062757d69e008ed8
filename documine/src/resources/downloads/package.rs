//! A package that is ready for download.

use std::path::PathBuf;

use super::DownloadHandle;
use super::builders::{DeleteDownload, SavePackage, StreamPackage, WritePackage};
use crate::models::{DownloadId, DownloadStatus};

/// A package that is ready for download.
#[derive(Debug, Clone)]
pub struct Package {
    pub(crate) handle: DownloadHandle,
    status: DownloadStatus,
}

impl Package {
    pub(super) fn new(handle: DownloadHandle, status: DownloadStatus) -> Self {
        Self { handle, status }
    }

    /// Returns the id of the package.
    pub fn id(&self) -> &DownloadId {
        &self.handle.id
    }

    /// Returns the status of the package at the time when it became ready.
    pub fn status(&self) -> &DownloadStatus {
        &self.status
    }

    /// Downloads the package as a stream of bytes (`downloadPackage`).
    pub fn stream(&self) -> StreamPackage {
        self.handle.stream()
    }

    /// Writes the package to `writer` (`downloadPackage`) on the blocking thread pool and flushes the writer at the end. The ZIP structure is
    /// not verified.
    pub fn save_into<W: std::io::Write + Send + 'static>(&self, writer: W) -> WritePackage<W> {
        self.handle.save_into(writer)
    }

    /// Downloads the package into a file (`downloadPackage`), which appears under its name only when it is complete: see [`SavePackage`].
    pub fn save_to(&self, target: impl Into<PathBuf>) -> SavePackage {
        self.handle.save_to(target)
    }

    /// Downloads the package into a folder, under the service's file name made safe: see [`SavePackage`].
    pub fn save_in(&self, folder: impl Into<PathBuf>) -> SavePackage {
        self.handle.save_in(folder)
    }

    /// Deletes the package (`deleteDownload`).
    pub fn delete(&self) -> DeleteDownload {
        self.handle.delete()
    }
}
