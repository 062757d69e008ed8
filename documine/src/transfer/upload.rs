//! Upload sources and upload bodies: a file, bytes or a stream, sent in chunks with their exact length where it is known.

mod read_ahead;

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};

use super::progress::Progress;
use crate::clock::BoxFuture;
use crate::disk::run_blocking;
use crate::error::{Error, Result};
use crate::timeout::Activity;
use crate::transport;
use read_ahead::ReadAhead;

/// Bytes that are sent at a time.
const CHUNK_SIZE: usize = 64 * 1024;
/// Bytes at the start of a file from which the media type is inferred.
const SNIFFED_BYTES: usize = 8 * 1024;
/// Longest part of a rejected file name in an error text, in characters.
const MAX_SHOWN_CHARS: usize = 100;

/// The content of an upload. Every source except a [stream](Source::from_stream) can be opened repeatedly, so that an upload can be retried.
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
    Streams(StreamFactory),
}

type ChunkStream = BoxStream<'static, io::Result<Bytes>>;

/// A factory of streams.
#[derive(Clone)]
struct StreamFactory {
    open: Arc<dyn Fn() -> Option<ChunkStream> + Send + Sync>,
    length: Option<u64>,
    is_repeatable: bool,
}

impl fmt::Debug for StreamFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamFactory")
            .field("length", &self.length)
            .field("is_repeatable", &self.is_repeatable)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Creates a source from a file on disk. If the file changes during the upload, the upload fails.
    pub fn path(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { content: Content::Path(path.to_owned()), file_name, content_type: None }
    }

    /// Creates a source from bytes in memory.
    pub fn bytes(file_name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { content: Content::Bytes(bytes.into()), file_name: file_name.into(), content_type: None }
    }

    /// Creates a source from a closure that opens a stream for each attempt, for example from an object store or a database.
    ///
    /// `length` is the length in bytes: a number, or `None` if it is unknown. Without a length, the request is sent in chunks
    /// (`Transfer-Encoding: chunked`), which some services reject with 411. A stream that differs from its length fails the upload.
    ///
    /// ```
    /// use std::io;
    /// use documine::Source;
    /// use futures_util::stream;
    /// let source = Source::from_stream_fn("note.txt", 10, || stream::iter(["hello", "world"].map(Ok::<_, io::Error>)));
    /// ```
    pub fn from_stream_fn<S, B, E>(
        file_name: impl Into<String>,
        length: impl Into<Option<u64>>,
        open: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes> + 'static,
        E: Into<Box<dyn StdError + Send + Sync>> + 'static,
    {
        let open = Arc::new(move || Some(chunk_stream(open())));
        let content = Content::Streams(StreamFactory { open, length: length.into(), is_repeatable: true });
        Self { content, file_name: file_name.into(), content_type: None }
    }

    /// Creates a source from a stream that can be read only once, for example a part of a form. The upload is never repeated, not even after a
    /// 401. `length` is the length in bytes, or `None`: see [`from_stream_fn`](Self::from_stream_fn).
    ///
    /// ```
    /// use std::io;
    /// use documine::Source;
    /// use futures_util::stream;
    /// let source = Source::from_stream("note.txt", None, stream::iter(["hello", "world"].map(Ok::<_, io::Error>)));
    /// ```
    pub fn from_stream<B, E>(
        file_name: impl Into<String>,
        length: impl Into<Option<u64>>,
        stream: impl Stream<Item = Result<B, E>> + Send + 'static,
    ) -> Self
    where
        B: Into<Bytes> + 'static,
        E: Into<Box<dyn StdError + Send + Sync>> + 'static,
    {
        let once = Mutex::new(Some(chunk_stream(stream)));
        let open = Arc::new(move || once.lock().unwrap_or_else(PoisonError::into_inner).take());
        let content = Content::Streams(StreamFactory { open, length: length.into(), is_repeatable: false });
        Self { content, file_name: file_name.into(), content_type: None }
    }

    /// Returns whether the source can be opened more than once.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(&self.content, Content::Streams(streams) if !streams.is_repeatable)
    }

    /// Returns the file name.
    pub(crate) fn name(&self) -> &str {
        &self.file_name
    }

    /// Returns whether the source is a stream of unknown length.
    pub(crate) fn has_unknown_length(&self) -> bool {
        matches!(&self.content, Content::Streams(streams) if streams.length.is_none())
    }

    /// Returns the length in bytes, if it is known and the file can be found. The source is not opened.
    pub(crate) async fn length(&self) -> Option<u64> {
        match &self.content {
            Content::Path(path) => tokio::fs::metadata(path).await.ok().map(|metadata| metadata.len()),
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::Streams(streams) => streams.length,
        }
    }

    /// Sets the name of the file in the dossier. Default for a path: its last component. A name with control characters is rejected.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = name.into();
        self
    }

    /// Sets the media type. Default: inferred from the extension of the file name, else from the first bytes, else `application/octet-stream`.
    #[must_use]
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.content_type = Some(media_type.into());
        self
    }

    /// Opens the source and determines its length.
    async fn open(&self) -> Result<OpenSource> {
        let path = match &self.content {
            Content::Bytes(bytes) => return Ok(OpenSource::Bytes(bytes.clone())),
            Content::Streams(streams) => {
                let chunks = (streams.open)().ok_or_else(|| {
                    Error::input(
                        "the stream was already read; use `Source::from_stream_fn` for an upload that can be repeated",
                    )
                })?;
                return Ok(OpenSource::Stream(chunks, streams.length));
            }
            Content::Path(path) => path,
        };
        #[cfg(test)]
        OPENED.set(OPENED.get() + 1);
        let path = path.clone();
        run_blocking(move || open_file(path)).await
    }

    /// Returns the media type, inferred from the file name or the first bytes unless it is set.
    async fn media_type(&self, opened: &mut OpenSource) -> Result<String> {
        if let Some(media_type) = &self.content_type {
            return Ok(media_type.clone());
        }
        if let Some(media_type) = mime_guess::from_path(&self.file_name).first() {
            return Ok(media_type.to_string());
        }
        let inferred = infer::get(&opened.first_bytes().await?);
        Ok(inferred.map_or("application/octet-stream", |kind| kind.mime_type()).to_owned())
    }
}

fn open_file(path: PathBuf) -> Result<OpenSource> {
    let shown = path.display();
    let open_error = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::input(format!("{shown}: file not found; check the path")),
        _ => Error::file(format!("cannot read {shown}"), error),
    };
    // Checked before opening, because opening a pipe blocks until it has a writer.
    let metadata = std::fs::metadata(&path).map_err(open_error)?;
    if metadata.is_dir() {
        return Err(Error::input(format!("{shown} is a folder; upload the files in it")));
    }
    if !metadata.is_file() {
        return Err(Error::input(format!("{shown} is not a regular file; its length must be known before the upload")));
    }
    let file = File::open(&path).map_err(open_error)?;
    let version = FileVersion::of(&file.metadata().map_err(open_error)?);
    Ok(OpenSource::File(Arc::new(file), version, path))
}

/// Creates a source from the file at this path, like [`Source::path`].
macro_rules! impl_from_path {
    ($($path:ty),+) => {$(
        impl From<$path> for Source {
            fn from(path: $path) -> Self {
                Self::path(path)
            }
        }
    )+};
}

impl_from_path!(&str, String, &String, &Path, PathBuf, &PathBuf);

/// Converts the items of a caller's stream.
fn chunk_stream<B, E>(stream: impl Stream<Item = Result<B, E>> + Send + 'static) -> ChunkStream
where
    B: Into<Bytes> + 'static,
    E: Into<Box<dyn StdError + Send + Sync>> + 'static,
{
    let read_error = |error: E| match error.into().downcast::<io::Error>() {
        Ok(error) => *error,
        Err(error) => io::Error::other(error),
    };
    stream.map(move |chunk| chunk.map(Into::into).map_err(read_error)).boxed()
}

#[cfg(test)]
thread_local! {
    /// Files opened by this thread.
    static OPENED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Length and modification time of a file, which reveal a change during the upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileVersion {
    length: u64,
    modified: Option<SystemTime>,
}

impl FileVersion {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// A source that was opened for one attempt.
enum OpenSource {
    File(Arc<File>, FileVersion, PathBuf),
    Bytes(Bytes),
    Stream(ChunkStream, Option<u64>),
}

impl OpenSource {
    fn length(&self) -> Option<u64> {
        match self {
            Self::File(_, version, _) => Some(version.length),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream(_, length) => *length,
        }
    }

    /// Returns the bytes from which the media type is inferred; none for a stream.
    async fn first_bytes(&mut self) -> Result<Bytes> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.slice(..bytes.len().min(SNIFFED_BYTES))),
            Self::Stream(..) => Ok(Bytes::new()),
            Self::File(file, _, path) => {
                let (file, path) = (Arc::clone(file), path.clone());
                let read = move || {
                    let (mut file, mut bytes) = (file.as_ref(), Vec::new());
                    let read = file.take(SNIFFED_BYTES as u64).read_to_end(&mut bytes).and_then(|_| file.rewind());
                    read.map_err(|error| Error::file(format!("cannot read {}", path.display()), error))?;
                    Ok(bytes.into())
                };
                run_blocking(read).await
            }
        }
    }
}

/// The body of an upload, created for each attempt.
pub(crate) struct UploadBody {
    pub(crate) source: Source,
    pub(crate) progress: Option<Arc<dyn Progress>>,
    /// Names and values of text parts, which precede the file.
    pub(crate) fields: Vec<(&'static str, String)>,
}

impl UploadBody {
    /// Detects an invalid source before anything is sent.
    pub(crate) async fn check(&self) -> Result<()> {
        if self.source.file_name.is_empty() {
            return Err(Error::input("the upload has no file name; set one with `file_name(…)`"));
        }
        // A line break would end the header that holds the name (RFC 7578 section 4.2).
        if self.source.file_name.contains(char::is_control) {
            let shown: String = self.source.file_name.chars().take(MAX_SHOWN_CHARS).collect();
            return Err(Error::input(format!(
                "file name {shown:?} contains control characters; set another name with `file_name(…)`"
            )));
        }
        // Opening a stream may consume it.
        if matches!(self.source.content, Content::Streams(_)) {
            return Ok(());
        }
        self.source.open().await.map(drop)
    }
}

impl transport::RequestBody for UploadBody {
    fn open(&self) -> BoxFuture<'_, Result<(reqwest::multipart::Form, Activity)>> {
        Box::pin(async move {
            let mut opened = self.source.open().await?;
            let media_type = self.source.media_type(&mut opened).await?;
            let (length, activity) = (opened.length(), Activity::new());
            let sender_activity = activity.clone();
            let progress = self.progress.clone();
            let mut sent = 0;
            let chunks = chunks(opened).inspect(move |chunk| {
                sender_activity.touch();
                if let (Ok(chunk), Some(progress)) = (chunk, &progress) {
                    sent += chunk.len() as u64;
                    progress.moved(sent, length);
                }
            });
            let body = reqwest::Body::wrap_stream(chunks);
            let part = match length {
                Some(length) => reqwest::multipart::Part::stream_with_length(body, length),
                None => reqwest::multipart::Part::stream(body),
            };
            let part = part.file_name(self.source.file_name.clone()).mime_str(&media_type).map_err(|_| {
                Error::input(format!("invalid media type {media_type:?}; use a form like application/pdf"))
            })?;
            let form = reqwest::multipart::Form::new();
            let form = self.fields.iter().fold(form, |form, (name, value)| form.text(*name, value.clone()));
            Ok((form.part(part_name(), part), activity))
        })
    }

    fn is_reusable(&self) -> bool {
        self.source.is_repeatable()
    }
}

/// Returns the name of the form part that holds the file, according to the OpenAPI document.
fn part_name() -> &'static str {
    documine_api::operations::operation("uploadFile").and_then(|upload| upload.part).unwrap_or("file")
}

/// Returns the content in chunks: exactly as many bytes as announced, if a length was announced, or an error.
fn chunks(opened: OpenSource) -> ChunkStream {
    match opened {
        OpenSource::Bytes(bytes) => {
            let starts = (0..bytes.len()).step_by(CHUNK_SIZE);
            stream::iter(starts).map(move |start| Ok(bytes.slice(start..bytes.len().min(start + CHUNK_SIZE)))).boxed()
        }
        OpenSource::Stream(chunks, Some(length)) => exact_length(chunks, length).boxed(),
        OpenSource::Stream(chunks, None) => chunks,
        OpenSource::File(file, version, path) => file_chunks(file, version, path).boxed(),
    }
}

/// Fails if a stream yields more or fewer bytes than announced.
fn exact_length(chunks: ChunkStream, length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let wrong_length = move |count: &str| {
        io::Error::other(Error::input(format!("the source yielded {count} bytes instead of {length}")))
    };
    stream::try_unfold((chunks, 0), move |(mut chunks, sent)| async move {
        match chunks.next().await.transpose()? {
            None if sent < length => Err(wrong_length(&sent.to_string())),
            None => Ok(None),
            Some(chunk) => {
                let sent = sent + chunk.len() as u64;
                if sent > length {
                    return Err(wrong_length(&format!("more than {length}")));
                }
                Ok(Some((chunk, (chunks, sent))))
            }
        }
    })
}

/// Reads a file. Fails if the file changes before its last chunk is sent.
fn file_chunks(
    file: Arc<File>,
    version: FileVersion,
    path: PathBuf,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let start = (ReadAhead::new(file), Bytes::new(), 0, path);
    stream::try_unfold(start, move |(mut reader, mut piece, sent, path)| async move {
        if sent == version.length {
            return Ok(None);
        }
        if piece.is_empty() {
            let read_error = |error| io::Error::other(Error::file(format!("cannot read {}", path.display()), error));
            piece = reader.next().await.map_err(read_error)?;
        }
        if piece.is_empty() {
            return Err(changed(&path));
        }
        let chunk = piece.split_to(piece.len().min(CHUNK_SIZE));
        let sent = sent + chunk.len() as u64;
        // Checked before the last chunk, so that the service never receives a mixture of two versions as a complete file.
        if sent > version.length || (sent == version.length && current_version(&path).await? != version) {
            return Err(changed(&path));
        }
        Ok(Some((chunk, (reader, piece, sent, path))))
    })
}

async fn current_version(path: &Path) -> io::Result<FileVersion> {
    Ok(FileVersion::of(&tokio::fs::metadata(path).await.map_err(|_| changed(path))?))
}

fn changed(path: &Path) -> io::Error {
    io::Error::other(Error::input(format!(
        "{} changed during the upload; upload it again when no program writes to it",
        path.display()
    )))
}

#[cfg(test)]
mod properties;
