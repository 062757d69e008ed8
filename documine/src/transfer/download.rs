//! Fetching a package: as a stream, or into a file that appears under its name only when it is whole.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderMap, header};
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::progress::Progress;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::transport::{classify, timeout};

/// A file that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A package's bytes as they arrive. It ends with an error where fewer or more bytes came than were announced.
pub struct PackageStream {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    length: Option<u64>,
}

impl PackageStream {
    pub(crate) fn new(
        body: impl Stream<Item = Result<Bytes, reqwest::Error>> + Send + 'static,
        headers: &HeaderMap,
        idle: Duration,
    ) -> Self {
        let length = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok());
        let state = Some((Box::pin(body), 0));
        let pieces = stream::unfold(state, move |state| async move {
            let (mut body, got) = state?;
            match tokio::time::timeout(idle, body.next()).await {
                Err(_) => Some((Err(timeout::expired(idle).with_operation("downloadPackage")), None)),
                Ok(Some(Ok(piece))) => {
                    let got = got + piece.len() as u64;
                    if length.is_some_and(|length| got > length) {
                        return Some((Err(wrong_length(got, length)), None));
                    }
                    Some((Ok(piece), Some((body, got))))
                }
                Ok(Some(Err(error))) => {
                    Some((Err(classify::no_answer(&error).with_operation("downloadPackage")), None))
                }
                Ok(None) if length.is_some_and(|length| got != length) => Some((Err(wrong_length(got, length)), None)),
                Ok(None) => None,
            }
        });
        Self { pieces: Box::pin(pieces), length }
    }

    /// How many bytes the service announced, where it did.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Writes everything to a temporary file beside `target`, and gives it its name when it is whole and safe on disk.
    pub(crate) async fn save_to(mut self, target: &Path, progress: Option<Arc<dyn Progress>>) -> Result<Saved> {
        let shown = target.display().to_string();
        let trouble = |error: io::Error| Error::file(format!("{shown} can't be written"), error);
        let (file, temporary) = create_beside(target).await.map_err(trouble)?;
        let mut file = File::from_std(file);
        let mut bytes = 0;
        while let Some(piece) = self.next().await {
            let piece = piece?;
            file.write_all(&piece).await.map_err(trouble)?;
            bytes += piece.len() as u64;
            if let Some(progress) = &progress {
                progress.moved(bytes, self.length);
            }
        }
        file.flush().await.map_err(trouble)?;
        file.sync_all().await.map_err(trouble)?;
        drop(file);
        put_in_place(temporary, target).await.map_err(trouble)?;
        Ok(Saved { path: target.to_owned(), bytes })
    }
}

impl Stream for PackageStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for PackageStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackageStream").field("length", &self.length).finish_non_exhaustive()
    }
}

fn wrong_length(got: u64, announced: Option<u64>) -> Error {
    Error::new(
        ErrorKind::Integrity,
        format!("{got} bytes came, {} were announced; fetch the package again", announced.unwrap_or_default()),
    )
    .with_operation("downloadPackage")
    .with_sent(Sent::Maybe)
}

/// A temporary file in the target's folder: renaming within a folder can't leave half a file. Dropping its path removes it.
async fn create_beside(target: &Path) -> io::Result<(std::fs::File, TempPath)> {
    let target = target.to_owned();
    blocking(move || {
        let name = target.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
        if target.is_dir() {
            return Err(io::Error::other("it is a folder; name a file in it"));
        }
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            // As any other new file: what the user's umask leaves.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        Ok(builder.tempfile_in(folder_of(&target))?.into_parts())
    })
    .await
}

async fn put_in_place(temporary: TempPath, target: &Path) -> io::Result<()> {
    let target = target.to_owned();
    blocking(move || {
        temporary.persist(&target).map_err(|error| error.error)?;
        // The new name is safe only when the folder is on disk too; not every file system can do that.
        #[cfg(unix)]
        if let Ok(folder) = std::fs::File::open(folder_of(&target)) {
            let _ = folder.sync_all();
        }
        Ok(())
    })
    .await
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
