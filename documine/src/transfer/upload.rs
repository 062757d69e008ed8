//! Sending a file: from a path, from memory or from a stream, piece by piece, with its exact length.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::progress::Progress;
use crate::clock::BoxFuture;
use crate::error::{Error, Result};
use crate::timeout::Activity;
use crate::transport;

/// How much is read and sent at a time.
const PIECE: usize = 64 * 1024;
/// How much of a content tells what it is.
const BEGINNING: usize = 8 * 1024;
/// How much of a refused file name an error shows, in characters.
const SHOWN: usize = 100;

/// What is uploaded. All but a [stream](Source::stream) can be opened any number of times, so that an upload can be repeated.
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
    Streams(Streams),
}

type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// A maker of streams, and the length of each.
#[derive(Clone)]
struct Streams {
    make: Arc<dyn Fn() -> Option<Pieces> + Send + Sync>,
    length: u64,
    again: bool,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("length", &self.length).field("again", &self.again).finish_non_exhaustive()
    }
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

    /// `length` bytes from anywhere, by a closure that makes their stream anew for each attempt: an object store, a database.
    ///
    /// ```
    /// use documine::Source;
    /// use futures_util::stream;
    /// let source = Source::streams("note.txt", 10, || stream::iter([Ok("hello".into()), Ok("world".into())]));
    /// ```
    pub fn streams<S>(file_name: impl Into<String>, length: u64, make: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let make = Arc::new(move || Some(make().boxed()));
        let content = Content::Streams(Streams { make, length, again: true });
        Self { content, file_name: file_name.into(), content_type: None }
    }

    /// `length` bytes that come once: an upload of these is never repeated, not even where it was refused for its token.
    pub fn stream(
        file_name: impl Into<String>,
        length: u64,
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        let once = Mutex::new(Some(stream.boxed()));
        let make = Arc::new(move || once.lock().unwrap_or_else(PoisonError::into_inner).take());
        let content = Content::Streams(Streams { make, length, again: false });
        Self { content, file_name: file_name.into(), content_type: None }
    }

    /// Whether it can be opened more than once.
    pub(crate) fn opens_again(&self) -> bool {
        !matches!(&self.content, Content::Streams(streams) if !streams.again)
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.file_name
    }

    /// How long it is, where that is known without opening it.
    pub(crate) async fn length(&self) -> Option<u64> {
        match &self.content {
            Content::Path(path) => tokio::fs::metadata(path).await.ok().map(|metadata| metadata.len()),
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::Streams(streams) => Some(streams.length),
        }
    }

    /// The name the file gets in the dossier. Default for a path: its last part. One with control characters is refused.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = name.into();
        self
    }

    /// The media type that is sent. Default: by the file name's ending, else by how the content begins, else `application/octet-stream`.
    #[must_use]
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.content_type = Some(media_type.into());
        self
    }

    /// Opens it, with its length. Says in one line what is wrong with a path.
    async fn open(&self) -> Result<Opened> {
        let path = match &self.content {
            Content::Bytes(bytes) => return Ok(Opened::Bytes(bytes.clone())),
            Content::Streams(streams) => {
                let pieces = (streams.make)().ok_or_else(|| {
                    Error::input("the stream has been used; give one that can be made anew (Source::streams)")
                })?;
                return Ok(Opened::Stream(pieces, streams.length));
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
        Ok(Opened::File(file, stamp, path.clone()))
    }

    /// What it is: by its name, else by how it begins.
    async fn media_type(&self) -> String {
        if let Some(given) = &self.content_type {
            return given.clone();
        }
        if let Some(by_name) = mime_guess::from_path(&self.file_name).first() {
            return by_name.to_string();
        }
        let beginning = match &self.content {
            Content::Bytes(bytes) => bytes.slice(..bytes.len().min(BEGINNING)),
            Content::Path(path) => beginning(path).await.unwrap_or_default(),
            Content::Streams(_) => Bytes::new(),
        };
        infer::get(&beginning).map_or("application/octet-stream", |kind| kind.mime_type()).to_owned()
    }
}

/// How a file begins.
async fn beginning(path: &Path) -> io::Result<Bytes> {
    let mut read = Vec::new();
    File::open(path).await?.take(BEGINNING as u64).read_to_end(&mut read).await?;
    Ok(read.into())
}

/// How a file looked when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

enum Opened {
    File(File, Stamp, PathBuf),
    Bytes(Bytes),
    Stream(Pieces, u64),
}

impl Opened {
    fn length(&self) -> u64 {
        match self {
            Self::File(_, stamp, _) => stamp.length,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream(_, length) => *length,
        }
    }
}

/// An upload's body, made anew for each attempt.
pub(crate) struct UploadBody {
    pub(crate) source: Source,
    pub(crate) progress: Option<Arc<dyn Progress>>,
    /// Text parts that come before the file: name and value.
    pub(crate) fields: Vec<(&'static str, String)>,
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
        // A stream that comes once is left alone.
        if matches!(self.source.content, Content::Streams(_)) {
            return Ok(());
        }
        self.source.open().await.map(drop)
    }
}

impl transport::RequestBody for UploadBody {
    fn open(&self) -> BoxFuture<'_, Result<(reqwest::multipart::Form, Activity)>> {
        Box::pin(async move {
            let opened = self.source.open().await?;
            let media_type = self.source.media_type().await;
            let (length, activity) = (opened.length(), Activity::new());
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
            let part = reqwest::multipart::Part::stream_with_length(reqwest::Body::wrap_stream(pieces), length)
                .file_name(self.source.file_name.clone())
                .mime_str(&media_type)
                .map_err(|_| {
                    Error::input(format!("{media_type:?} is no media type; it should look like application/pdf"))
                })?;
            let form = reqwest::multipart::Form::new();
            let form = self.fields.iter().fold(form, |form, (name, value)| form.text(*name, value.clone()));
            Ok((form.part(part_name(), part), activity))
        })
    }

    fn is_reusable(&self) -> bool {
        self.source.opens_again()
    }
}

/// What the document calls the part that holds the file.
fn part_name() -> &'static str {
    documine_api::operations::operation("uploadFile").and_then(|upload| upload.part).unwrap_or("file")
}

/// The content piece by piece: exactly as many bytes as were announced, or an error.
fn pieces(opened: Opened) -> Pieces {
    match opened {
        Opened::Bytes(whole) => {
            let starts = (0..whole.len()).step_by(PIECE);
            stream::iter(starts).map(move |start| Ok(whole.slice(start..whole.len().min(start + PIECE)))).boxed()
        }
        Opened::Stream(pieces, length) => counted(pieces, length).boxed(),
        Opened::File(file, stamp, path) => of_file(file, stamp, path).boxed(),
    }
}

/// A stream of somebody else's, held to its word.
fn counted(pieces: Pieces, length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let wrong = move |came: &str| {
        io::Error::other(Error::input(format!("{came} bytes came from the source, {length} were announced")))
    };
    stream::try_unfold((pieces, 0), move |(mut pieces, sent)| async move {
        match pieces.next().await.transpose()? {
            None if sent < length => Err(wrong(&sent.to_string())),
            None => Ok(None),
            Some(piece) => {
                let sent = sent + piece.len() as u64;
                if sent > length {
                    return Err(wrong(&format!("more than {length}")));
                }
                Ok(Some((piece, (pieces, sent))))
            }
        }
    })
}

/// A file, which must stay what it was.
fn of_file(file: File, stamp: Stamp, path: PathBuf) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
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
