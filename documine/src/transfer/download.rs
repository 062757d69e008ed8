//! Downloads of packages: as a stream, into a writer, or into a file that appears under its name only when it is complete.

mod atomic_file;
mod checksum;
mod chunk_timer;
mod content_disposition;
mod delivered;
mod error;
mod fetch;
mod file_name;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod owned_file;
mod package_meta;
mod part_claim;
mod partial_file;
mod range;
mod resume_record;
mod stream;
mod validator;
mod verifier;
mod write_batch;
pub(crate) mod zip_end;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;

use super::destination::{Destination, IfExists};
use super::progress::Progress;
use crate::disk::blocking;
use crate::error::{Error, ErrorKind, Result};
use atomic_file::{AtomicFile, ResumeOptions};
use fetch::{Fetch, FetchEvent};
use package_meta::PackageMeta;
use stream::Deduplicated;

pub(crate) use fetch::DownloadRequest;
pub use stream::PackageStream;
pub(crate) use verifier::Verifier;

/// A saved file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// Path of the file.
    pub path: PathBuf,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Bytes that an earlier call had already downloaded.
    pub resume_offset: u64,
}

/// The result of a download into a writer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Written<W> {
    /// The writer, which was flushed and not shut down.
    pub writer: W,
    /// Number of bytes written.
    pub bytes: u64,
}

/// Options of a download into a file.
#[derive(Debug, Clone)]
pub(crate) struct SaveOptions {
    pub(crate) destination: Destination,
    pub(crate) if_exists: IfExists,
    pub(crate) resumable: bool,
    /// Temporary folder that contains the destination and must outlive all writes.
    pub(crate) temp_dir: Option<Arc<TempDir>>,
    pub(crate) verifier: Verifier,
}

impl DownloadRequest {
    pub(crate) async fn stream(self) -> Result<PackageStream> {
        Ok(PackageStream::new(Fetch::start(self, None).await?))
    }

    pub(crate) async fn write_into<W: Write + Send + 'static>(
        self,
        mut writer: W,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<Written<W>> {
        let mut stream = Deduplicated::new(Fetch::start(self, None).await?);
        let mut bytes = 0;
        let write_error = |error| Error::file("cannot write the package", error);
        while let Some(chunk) = stream.next().await.map_err(|error| stream.with_missing_context(error))? {
            bytes += chunk.len() as u64;
            let write = move || writer.write_all(&chunk).map(|()| writer);
            let written = blocking(write).await.flatten().map_err(write_error);
            writer = written.map_err(|error| stream.with_missing_context(error))?;
            if let Some(progress) = &progress {
                progress.moved(bytes, stream.length());
            }
        }
        let flush = move || writer.flush().map(|()| writer);
        let flushed = blocking(flush).await.flatten().map_err(write_error);
        let writer = flushed.map_err(|error| stream.with_missing_context(error))?;
        Ok(Written { writer, bytes })
    }

    pub(crate) async fn save(mut self, options: SaveOptions, progress: Option<Arc<dyn Progress>>) -> Result<Saved> {
        let started = Instant::now();
        let resume = options.resumable.then(|| ResumeOptions {
            id: self.id.clone(),
            clock: Arc::clone(self.client.clock()),
            deadline: self.options.deadline,
        });
        let mut file = AtomicFile::open(options.destination, options.if_exists, resume, options.temp_dir).await?;
        if let Some(deadline) = &mut self.options.deadline {
            *deadline = deadline.saturating_sub(started.elapsed());
        }
        match self.download_to(&mut file, &options.verifier, progress.as_deref()).await {
            Ok((fetch, resume_offset, name)) => {
                let path = file.finish(&name).await.map_err(|error| fetch.with_missing_context(error))?;
                Ok(Saved { path, bytes: fetch.position(), resume_offset })
            }
            Err(error) => {
                file.abort(&error).await;
                Err(error)
            }
        }
    }

    /// Downloads the missing bytes. Returns the finished download, the position at which it started, and the file name.
    async fn download_to(
        self,
        file: &mut AtomicFile,
        verifier: &Verifier,
        progress: Option<&dyn Progress>,
    ) -> Result<(Fetch, u64, String)> {
        let default_name = file_name::default_name(&self.id);
        let mut fetch = Fetch::start(self, file.resume_point()).await?;
        match fetch.save_to(file, verifier, progress).await {
            Ok(resume_offset) => {
                let name = fetch.meta().name.as_deref().and_then(file_name::sanitize);
                Ok((fetch, resume_offset, name.unwrap_or(default_name)))
            }
            Err(error) => Err(fetch.with_missing_context(error)),
        }
    }
}

impl Fetch {
    /// Saves the missing bytes and returns the position at which the download started. An error of the file lacks the attempts and the duration of
    /// the download.
    async fn save_to(
        &mut self,
        file: &mut AtomicFile,
        verifier: &Verifier,
        progress: Option<&dyn Progress>,
    ) -> Result<u64> {
        let fetch = self;
        let mut resume_offset = fetch.position();
        start_file(file, fetch.position(), recorded_meta(fetch), progress).await?;
        let mut is_second_download = false;
        loop {
            match fetch.next().await? {
                FetchEvent::Chunk(chunk) => {
                    file.write(chunk).await?;
                    if let Some(progress) = progress {
                        progress.moved(fetch.position(), fetch.meta().length);
                    }
                }
                FetchEvent::Restarted => {
                    resume_offset = 0;
                    start_file(file, fetch.position(), recorded_meta(fetch), progress).await?;
                }
                FetchEvent::Resumed => {
                    if let Some(progress) = progress {
                        progress.resume_offset(fetch.position());
                    }
                }
                FetchEvent::End => match verifier.verify(file.reader().await?, fetch.position()).await {
                    Ok(()) => return Ok(resume_offset),
                    // Downloads once more from the start: damage in transit need not happen again.
                    Err(error) if error.kind() == ErrorKind::Integrity && !is_second_download => {
                        (is_second_download, resume_offset) = (true, 0);
                        fetch.restart().await?;
                        start_file(file, fetch.position(), recorded_meta(fetch), progress).await?;
                    }
                    Err(error) => return Err(error),
                },
            }
        }
    }
}

/// Prepares the file for bytes from a position on.
async fn start_file(
    file: &mut AtomicFile,
    position: u64,
    meta: PackageMeta,
    progress: Option<&dyn Progress>,
) -> Result<()> {
    if let Some(progress) = progress.filter(|_| position > 0) {
        progress.resume_offset(position);
    }
    file.start_at(position, meta).await
}

/// Returns the metadata for the resume record: with a safe name, and with a validator only if ranges may be requested.
fn recorded_meta(fetch: &Fetch) -> PackageMeta {
    let PackageMeta { length, validator, name } = fetch.meta().clone();
    PackageMeta {
        length,
        validator: validator.filter(|_| fetch.allows_ranges()),
        name: name.as_deref().and_then(file_name::sanitize),
    }
}
