//! Sending a file: from a path or from memory, piece by piece, with its exact length.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::progress::Progress;
use crate::clock::BoxFuture;
use crate::error::{Error, Result};
use crate::transport;
use crate::transport::timeout::Activity;

/// How much is read and sent at a time.
const PIECE: usize = 64 * 1024;
/// How much of a refused file name an error shows, in characters.
const SHOWN: usize = 100;

/// What is uploaded. It can be opened any number of times, so that an upload can be repeated.
///
/// ```
/// use documine::Source;
/// let on_disk = Source::path("report.pdf");
/// let in_memory = Source::bytes("report.pdf", &b"%PDF-1.7 ..."[..]);
/// ```
#[derive(Debug, Clone)]
pub struct Source {
    content: Content,
    file_name: String,
    content_type: Option<String>,
}

#[derive(Debug, Clone)]
enum Content {
    Path(PathBuf),
    Bytes(Bytes),
}

impl Source {
    /// A file on disk, read while it is sent. It must not change meanwhile: the upload fails then.
    pub fn path(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { content: Content::Path(path.to_owned()), file_name, content_type: None }
    }

    /// Bytes in memory, under a file name.
    pub fn bytes(file_name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { content: Content::Bytes(bytes.into()), file_name: file_name.into(), content_type: None }
    }

    /// The name the file gets in the dossier. Default for a path: its last part. One with control characters is refused.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = name.into();
        self
    }

    /// The media type that is sent. Default: by the file name's ending, else `application/octet-stream`.
    #[must_use]
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.content_type = Some(media_type.into());
        self
    }

    /// Opens it, with its length. Says in one line what is wrong with a path.
    async fn open(&self) -> Result<Opened> {
        let path = match &self.content {
            Content::Bytes(bytes) => {
                return Ok(Opened { file: None, bytes: bytes.clone(), length: bytes.len() as u64 });
            }
            Content::Path(path) => path,
        };
        let shown = path.display();
        let trouble = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::input(format!("{shown}: there is no such file; check the path")),
            _ => Error::file(format!("{shown} can't be read"), error),
        };
        // Looked at before it is opened: opening a pipe would wait for its other end.
        let kind = tokio::fs::metadata(path).await.map_err(trouble)?;
        if kind.is_dir() {
            return Err(Error::input(format!("{shown} is a folder; name the files in it")));
        }
        if !kind.is_file() {
            return Err(Error::input(format!(
                "{shown} is no regular file; its length can't be known before it is sent"
            )));
        }
        let file = File::open(path).await.map_err(trouble)?;
        let metadata = file.metadata().await.map_err(trouble)?;
        let stamp = Stamp { length: metadata.len(), modified: metadata.modified().ok() };
        let length = stamp.length;
        Ok(Opened { file: Some((file, stamp, path.clone())), bytes: Bytes::new(), length })
    }
}

/// How a file looked when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

struct Opened {
    file: Option<(File, Stamp, PathBuf)>,
    bytes: Bytes,
    length: u64,
}

/// An upload's body, made anew for each attempt.
pub(crate) struct UploadBody {
    pub(crate) source: Source,
    pub(crate) progress: Option<Arc<dyn Progress>>,
}

impl UploadBody {
    /// Finds out what is wrong with the source before anything is sent.
    pub(crate) async fn check(&self) -> Result<()> {
        if self.source.file_name.is_empty() {
            return Err(Error::input("the upload has no file name; give one with `file_name(…)`"));
        }
        // A line break would end the header that holds the name (RFC 7578 section 4.2).
        if self.source.file_name.contains(char::is_control) {
            let shown: String = self.source.file_name.chars().take(SHOWN).collect();
            return Err(Error::input(format!(
                "the file name {shown:?} holds control characters; give another one with `file_name(…)`"
            )));
        }
        self.source.open().await.map(drop)
    }
}

impl transport::Body for UploadBody {
    fn open(&self) -> BoxFuture<'_, Result<(reqwest::multipart::Form, Activity)>> {
        Box::pin(async move {
            let opened = self.source.open().await?;
            let (length, activity) = (opened.length, Activity::new());
            let moving = activity.clone();
            let progress = self.progress.clone();
            let mut moved = 0;
            let pieces = pieces(opened).inspect(move |piece| {
                moving.touch();
                if let (Ok(piece), Some(progress)) = (piece, &progress) {
                    moved += piece.len() as u64;
                    progress.moved(moved, Some(length));
                }
            });
            let media_type = match &self.source.content_type {
                Some(text) => text.clone(),
                None => mime_guess::from_path(&self.source.file_name).first_or_octet_stream().to_string(),
            };
            let part = reqwest::multipart::Part::stream_with_length(reqwest::Body::wrap_stream(pieces), length)
                .file_name(self.source.file_name.clone())
                .mime_str(&media_type)
                .map_err(|_| {
                    Error::input(format!("{media_type:?} is no media type; it should look like application/pdf"))
                })?;
            Ok((reqwest::multipart::Form::new().part(part_name(), part), activity))
        })
    }
}

/// What the document calls the part that holds the file.
fn part_name() -> &'static str {
    documine_api::operations::operation("uploadFile").and_then(|upload| upload.part).unwrap_or("file")
}

/// The content piece by piece: exactly as many bytes as were there when it was opened, or an error.
fn pieces(opened: Opened) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let Some((file, stamp, path)) = opened.file else {
        let whole = opened.bytes;
        let starts = (0..whole.len()).step_by(PIECE);
        return stream::iter(starts)
            .map(move |start| Ok(whole.slice(start..whole.len().min(start + PIECE))))
            .left_stream();
    };
    let reader = ReaderStream::with_capacity(file, PIECE);
    stream::try_unfold((reader, 0, path), move |(mut reader, sent, path)| async move {
        let left = stamp.length - sent;
        if left == 0 {
            return Ok(None);
        }
        let piece = match reader.next().await {
            Some(piece) => piece
                .map_err(|error| io::Error::other(Error::file(format!("{} can't be read", path.display()), error)))?,
            None => return Err(changed(&path)),
        };
        let sent = sent + piece.len() as u64;
        // The last piece goes out only when the file still is what it was: the service must not take a mixture for the file.
        if sent > stamp.length || (sent == stamp.length && look(&path).await? != stamp) {
            return Err(changed(&path));
        }
        Ok(Some((piece, (reader, sent, path))))
    })
    .right_stream()
}

async fn look(path: &Path) -> io::Result<Stamp> {
    let metadata = tokio::fs::metadata(path).await.map_err(|_| changed(path))?;
    Ok(Stamp { length: metadata.len(), modified: metadata.modified().ok() })
}

fn changed(path: &Path) -> io::Error {
    io::Error::other(Error::input(format!(
        "{} changed while it was uploaded; upload it again when nobody writes to it",
        path.display()
    )))
}

#[cfg(test)]
mod properties;
