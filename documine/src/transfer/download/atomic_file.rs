//! A file that appears under its name only when it is complete.
//!
//! Until then its bytes are in a temporary file that is deleted with the call, or in a partial file that a later call can resume.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tempfile::{TempDir, TempPath};
use tokio::task::JoinHandle;

use super::file_name;
use super::package_meta::PackageMeta;
use super::part_claim::{PartClaim, WriteGuard};
use super::partial_file::PartialFile;
use super::resume_record::with_suffix;
use super::write_batch::WriteBatch;
use crate::clock::Clock;
use crate::disk::{blocking, folder_of};
use crate::error::{Error, ErrorKind, Result};
use crate::models::DownloadId;
use crate::transfer::destination::{Destination, IfExists, rename_to, write_error};

/// Bytes that are collected before they are written on the blocking thread pool.
const BATCH_SIZE: usize = 256 * 1024;

/// Parameters of a resumable download.
pub(super) struct ResumeOptions {
    pub(super) id: DownloadId,
    pub(super) clock: Arc<dyn Clock>,
    /// Longest wait for another call that has claimed the partial file.
    pub(super) deadline: Option<Duration>,
}

impl ResumeOptions {
    /// Returns the path of the partial file.
    fn part_path(&self, destination: &Destination) -> PathBuf {
        match destination {
            Destination::File(target) => with_suffix(target, ".part"),
            // The final name is known only after the first response.
            Destination::Folder(folder) => folder.join(file_name::default_name(&self.id) + ".part"),
        }
    }

    /// Claims the partial file, so that no other call of this process writes to it.
    async fn claim(&self, destination: &Destination, if_exists: IfExists) -> Result<PartClaim> {
        let (destination, part) = (destination.clone(), self.part_path(destination));
        let shown_path = part.clone();
        let canonical_path = move || -> Result<PathBuf> {
            destination.check(if_exists).map_err(|error| write_error(destination.path(), error))?;
            let folder = folder_of(&part).canonicalize().map_err(|error| write_error(&part, error))?;
            Ok(folder.join(part.file_name().unwrap_or_default()))
        };
        let key = blocking(canonical_path).await.map_err(|error| write_error(&shown_path, error))??;
        let claim = PartClaim::acquire(key, &*self.clock, self.deadline).await;
        let busy = "another call is downloading it; wait for that call, or choose another path";
        claim.ok_or_else(|| write_error(&shown_path, io::Error::other(busy)))
    }
}

pub(super) struct AtomicFile {
    destination: Destination,
    if_exists: IfExists,
    /// `None` while a blocking task uses the file, and after the end.
    file: Option<OpenFile>,
    /// Bytes that are not written yet.
    batch: WriteBatch,
    /// A write that runs while the next bytes arrive. It owns the file.
    writing: Option<JoinHandle<(OpenFile, io::Result<()>)>>,
    /// Path of the temporary file, which is deleted as soon as the call is dropped, even during a write.
    temporary: Option<TempPath>,
    /// Claim on the partial file, dropped with the call.
    _claim: Option<PartClaim>,
}

/// The open file, which blocking tasks take turns to use. The fields are dropped in this order.
struct OpenFile {
    file: File,
    partial: Option<PartialFile>,
    /// Temporary folder around the file. It must outlive all writes: a folder that is deleted during a write is not removed completely.
    _temp_dir: Option<Arc<TempDir>>,
    /// Releases the claim after everything else.
    _write_guard: Option<Arc<WriteGuard>>,
}

impl AtomicFile {
    /// Creates the temporary file, or opens the partial file if `resume` is given. This happens before the request, so that nothing is
    /// downloaded for a destination that cannot be written.
    pub(super) async fn open(
        destination: Destination,
        if_exists: IfExists,
        resume: Option<ResumeOptions>,
        temp_dir: Option<Arc<TempDir>>,
    ) -> Result<Self> {
        let claim = match &resume {
            Some(resume) => Some(resume.claim(&destination, if_exists).await?),
            None => None,
        };
        let write_guard = claim.as_ref().map(PartClaim::write_guard);
        let target = destination.clone();
        let open = move || -> Result<(OpenFile, Option<TempPath>)> {
            let target_error = |error| write_error(target.path(), error);
            target.check(if_exists).map_err(target_error)?;
            let (file, partial, temporary) = if let Some(resume) = resume {
                let (partial, file) = PartialFile::open(resume.part_path(&target), resume.id)?;
                (file, Some(partial), None)
            } else {
                let (file, temporary) = target.create_temporary().map_err(target_error)?;
                (file, None, Some(temporary))
            };
            Ok((OpenFile { file, partial, _temp_dir: temp_dir, _write_guard: write_guard }, temporary))
        };
        let opened = blocking(open).await.map_err(|error| write_error(destination.path(), error))?;
        let (file, temporary) = opened?;
        let (batch, writing) = (WriteBatch::default(), None);
        Ok(Self { destination, if_exists, file: Some(file), batch, writing, temporary, _claim: claim })
    }

    /// Returns the position and metadata with which an earlier call can be resumed.
    pub(super) fn resume_point(&self) -> Option<(u64, PackageMeta)> {
        self.file.as_ref()?.partial.as_ref()?.resume_point()
    }

    /// Truncates the file to `position`, where the next bytes are written, and records the metadata of the package.
    pub(super) async fn start_at(&mut self, position: u64, meta: PackageMeta) -> Result<()> {
        self.batch = WriteBatch::default();
        self.run(move |open| {
            if let Some(partial) = &mut open.partial {
                // Before truncating, so that the record never describes bytes that no longer exist.
                partial.start_at(position, meta)?;
            }
            open.file.set_len(position)?;
            open.file.seek(SeekFrom::Start(position)).map(drop)
        })
        .await
    }

    /// Takes the next chunk. An error of a write may be returned with a later chunk.
    pub(super) async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.batch.push(chunk);
        if self.batch.bytes() < BATCH_SIZE {
            return Ok(());
        }
        if self.temporary.is_none() {
            // A partial file must hold all bytes up to the last batch when the call is dropped.
            return self.flush().await;
        }
        self.end_write().await?;
        let chunks = std::mem::take(&mut self.batch).into_chunks();
        if let Some(mut open) = self.file.take() {
            self.writing = Some(tokio::task::spawn_blocking(move || {
                let result = open.write(&chunks);
                (open, result)
            }));
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let chunks = std::mem::take(&mut self.batch).into_chunks();
        self.run(move |open| open.write(&chunks)).await
    }

    /// Waits for the end of the current write.
    async fn end_write(&mut self) -> Result<()> {
        let Some(writing) = &mut self.writing else { return Ok(()) };
        let ended = writing.await;
        self.writing = None;
        let result = ended.map_err(io::Error::other).and_then(|(open, result)| {
            self.file = Some(open);
            result
        });
        result.map_err(|error| write_error(self.destination.path(), error))
    }

    /// Returns a handle to read the bytes written so far. The handle shares the file position.
    pub(super) async fn reader(&mut self) -> Result<File> {
        self.flush().await?;
        self.run(|open| open.file.try_clone()).await
    }

    /// Syncs the file and renames it to its target. A destination that is a folder uses `name`.
    pub(super) async fn finish(mut self, name: &str) -> Result<PathBuf> {
        self.flush().await?;
        let target = self.destination.target(name);
        self.run(|open| open.file.sync_all()).await?;
        let (if_exists, temporary) = (self.if_exists, self.temporary.take());
        let renamed = self
            .run(move |open| match (temporary, &mut open.partial) {
                (Some(temporary), _) => rename_to(temporary, target, if_exists),
                (None, Some(partial)) => partial.finish(&open.file, |part| rename_to(part, target, if_exists)),
                (None, None) => Err(io::Error::other("no file is open")),
            })
            .await;
        self.close().await;
        renamed
    }

    /// Ends a failed download. A partial file is kept if a later call can resume it, also on a full disk.
    pub(super) async fn abort(mut self, error: &Error) {
        let is_damaged = error.kind() == ErrorKind::Integrity && !error.exceeds_limit();
        if is_damaged || error.is_not_found() {
            if let Some(partial) = self.file.as_mut().and_then(|open| open.partial.as_mut()) {
                partial.discard();
            }
            self.batch = WriteBatch::default();
        }
        let _ = self.flush().await;
        self.close().await;
    }

    /// Closes the file on the blocking thread pool: releasing the space of a large file takes time.
    async fn close(&mut self) {
        let _ = self.end_write().await;
        let (file, temporary) = (self.file.take(), self.temporary.take());
        let close = move || {
            drop(file);
            drop(temporary);
        };
        let _ = blocking(close).await;
    }

    /// Runs work on the open file on the blocking thread pool.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut OpenFile) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.end_write().await?;
        let result = match self.file.take() {
            None => Err(io::Error::other("the file is closed after an earlier failure")),
            Some(mut open) => {
                let work = move || {
                    let result = work(&mut open);
                    (open, result)
                };
                blocking(work).await.and_then(|(open, result)| {
                    self.file = Some(open);
                    result
                })
            }
        };
        result.map_err(|error| write_error(self.destination.path(), error))
    }
}

impl OpenFile {
    fn write(&mut self, chunks: &[Bytes]) -> io::Result<()> {
        chunks.iter().try_for_each(|chunk| self.file.write_all(chunk))?;
        match &mut self.partial {
            Some(partial) => partial.record_written(&self.file, chunks),
            None => Ok(()),
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(partial) = &mut self.partial {
            partial.close(&self.file);
            // Explicit, because a verifier may still hold a duplicate of the handle, which would keep the lock.
            let _ = self.file.unlock();
        }
    }
}

impl Drop for AtomicFile {
    /// Closes the file on the blocking thread pool, so that dropping a call does not block.
    fn drop(&mut self) {
        let mut temporary = self.temporary.take();
        if cfg!(unix) {
            // Removes the name at once; the space is released when the file is closed.
            drop(temporary.take());
        }
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(writing), Ok(runtime)) = (self.writing.take(), &runtime) {
            runtime.spawn(async move {
                let written = writing.await;
                let _ = blocking(move || drop((written, temporary))).await;
            });
            return;
        }
        let Some(mut open) = self.file.take() else { return };
        let batch = std::mem::take(&mut self.batch);
        let close = move || {
            if open.partial.is_some() {
                let _ = open.write(&batch.into_chunks());
            }
            drop(open);
            drop(temporary);
        };
        match runtime {
            Ok(runtime) => drop(runtime.spawn_blocking(close)),
            Err(_) => close(),
        }
    }
}
