//! Fetching a package: as a stream, into anything that takes bytes, or into a file that appears under its name only when it is whole.

pub(crate) mod claim;
mod disposition;
mod fetch;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub(crate) mod kept;
pub(crate) mod name;
pub(crate) mod offer;
mod own_file;
pub(crate) mod sidecar;
mod stream;
mod sum;
mod validator;
pub(crate) mod zip_end;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;

use super::part_file::{IfExists, PartFile, Place, Resumable};
use super::progress::Progress;
use crate::client::Client;
use crate::disk::blocking;
use crate::error::{Error, ErrorKind, Result};
use crate::models::DownloadId;
use crate::transport::CallOptions;
use fetch::{Fetch, Step};

pub use stream::PackageStream;

/// A file that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many of them an earlier call had fetched already.
    pub resumed_at: u64,
}

/// Bytes that were written into something of the caller's.
#[derive(Debug)]
#[non_exhaustive]
pub struct Written<W> {
    /// What they were written into; it is flushed, and not shut down.
    pub writer: W,
    /// How many there were.
    pub bytes: u64,
}

/// A package that is to be fetched, and who is told how far that has come.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) client: Client,
    pub(crate) id: DownloadId,
    pub(crate) options: CallOptions,
    /// The largest package that is taken, in bytes.
    pub(crate) max_bytes: Option<u64>,
    pub(crate) progress: Option<Arc<dyn Progress>>,
}

/// Where a package goes.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    pub(crate) place: Place,
    pub(crate) if_exists: IfExists,
    pub(crate) resumable: bool,
    /// The temporary folder in which that is.
    pub(crate) within: Option<Arc<TempDir>>,
    pub(crate) check: Check,
}

/// Whether everything in a package is read before it gets its name, and how much that may be.
#[cfg(feature = "package")]
pub(crate) type Check = Option<crate::package::PackageLimits>;
/// Nothing here can read what is in a package.
#[cfg(not(feature = "package"))]
pub(crate) type Check = ();

impl Wanted {
    pub(crate) async fn stream(self) -> Result<PackageStream> {
        Ok(PackageStream::new(Fetch::begin(self.client, self.id, self.options, self.max_bytes, None).await?))
    }

    pub(crate) async fn write_into<W: Write + Send + 'static>(self, mut writer: W) -> Result<Written<W>> {
        let progress = self.progress.clone();
        let mut stream = self.stream().await?;
        let mut bytes = 0;
        let told = |error: std::io::Error| {
            Error::file("the package can't be written on", error).with_operation("downloadPackage").repeatable(true)
        };
        while let Some(piece) = futures_util::StreamExt::next(&mut stream).await {
            let piece = piece?;
            bytes += piece.len() as u64;
            // It may hold its thread up.
            let write = move || writer.write_all(&piece).map(|()| writer);
            writer = blocking(write).await.flatten().map_err(told)?;
            if let Some(progress) = &progress {
                progress.moved(bytes, stream.length());
            }
        }
        let flush = move || writer.flush().map(|()| writer);
        let writer = blocking(flush).await.flatten().map_err(told)?;
        Ok(Written { writer, bytes })
    }

    pub(crate) async fn save(mut self, goal: Goal) -> Result<Saved> {
        let begun = Instant::now();
        let resumable = goal.resumable.then(|| Resumable {
            id: self.id.clone(),
            clock: Arc::clone(self.client.clock()),
            deadline: self.options.deadline,
        });
        let mut part = PartFile::open(goal.place, goal.if_exists, resumable, goal.within).await?;
        if let Some(deadline) = &mut self.options.deadline {
            *deadline = deadline.saturating_sub(begun.elapsed());
        }
        match self.fetch_into(&mut part, &goal.check).await {
            Ok((resumed_at, bytes, name)) => Ok(Saved { path: part.finish(&name).await?, bytes, resumed_at }),
            Err(error) => {
                part.give_up(&error).await;
                Err(error)
            }
        }
    }

    /// Fetches everything that is missing: where that began, how many bytes the whole has, and its name.
    async fn fetch_into(self, part: &mut PartFile, check: &Check) -> Result<(u64, u64, String)> {
        let own_name = kept::own_name(&self.id);
        let mut fetch = Fetch::begin(self.client, self.id, self.options, self.max_bytes, part.rest()).await?;
        let progress = self.progress;
        let mut resumed_at = fetch.position();
        begin(part, &mut fetch, progress.as_ref()).await?;
        let mut doubted = false;
        loop {
            match fetch.next().await? {
                Step::Piece(piece) => {
                    part.write(&piece).await?;
                    if let Some(progress) = &progress {
                        progress.moved(fetch.position(), fetch.length());
                    }
                }
                Step::Restart => {
                    resumed_at = 0;
                    begin(part, &mut fetch, progress.as_ref()).await?;
                }
                Step::Resumed => {
                    if let Some(progress) = &progress {
                        progress.resumed_at(fetch.position());
                    }
                }
                Step::End => match flaw(part, check, fetch.position()).await? {
                    None => {
                        let name = fetch.name().or(part.name()).and_then(name::safe);
                        return Ok((resumed_at, fetch.position(), name.unwrap_or(own_name)));
                    }
                    Some(flaw) if doubted => return Err(fetch.told(flaw, 0)),
                    // Once more from the beginning: what was lost on the way once need not be lost twice.
                    Some(_) => {
                        (doubted, resumed_at) = (true, 0);
                        fetch.anew().await?;
                        begin(part, &mut fetch, progress.as_ref()).await?;
                    }
                },
            }
        }
    }
}

/// The part takes what comes from where the service begins.
async fn begin(part: &mut PartFile, fetch: &mut Fetch, progress: Option<&Arc<dyn Progress>>) -> Result<()> {
    let (position, length) = (fetch.position(), fetch.length());
    let (validator, name) = (fetch.validator().cloned(), fetch.name().and_then(name::safe));
    if let Some(progress) = progress.filter(|_| position > 0) {
        progress.resumed_at(position);
    }
    part.begin_at(position, move |sidecar| {
        sidecar.length = length;
        sidecar.validator = validator;
        // The response with the rest need not repeat the name. A whole package may be another version.
        sidecar.name = name.or_else(|| sidecar.name.take().filter(|_| position > 0));
    })
    .await
}

/// What is wrong with what has come, if anything is.
async fn flaw(part: &mut PartFile, check: &Check, bytes: u64) -> Result<Option<Error>> {
    if !part.is_zip().await? {
        return Ok(Some(no_zip(bytes)));
    }
    #[cfg(feature = "package")]
    if let Some(limits) = check {
        return match crate::package::look_over(part.reader().await?, limits.clone()).await {
            Err(error) if error.kind() == ErrorKind::Integrity => Ok(Some(error)),
            looked => looked.map(|()| None),
        };
    }
    #[cfg(not(feature = "package"))]
    let () = check;
    Ok(None)
}

fn no_zip(bytes: u64) -> Error {
    let text = format!("the {bytes} bytes that came are no whole ZIP, and the same again; have the package made anew");
    Error::new(ErrorKind::Integrity, text)
}

fn too_large(limit: u64) -> Error {
    let text = format!("the package is larger than the limit of {limit} bytes; raise the limit with `max_bytes`");
    Error::new(ErrorKind::Integrity, text).with_detail(TooLarge)
}

/// Marks an error about the caller's limit: the bytes that came are good.
#[derive(Debug)]
pub(crate) struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the package is larger than the limit")
    }
}

impl std::error::Error for TooLarge {}

fn wrong_length(got: u64, announced: Option<u64>) -> Error {
    let text = format!("{got} bytes came, {} were announced; fetch the package again", announced.unwrap_or_default());
    Error::new(ErrorKind::Integrity, text).transient()
}
