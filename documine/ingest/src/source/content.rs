//! The content of a document: its hash, its version, and its upload.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use documine::Source;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use sha2::{Digest, Sha256};

use super::pages::PageCounter;

/// Bytes that are read from a file at a time.
const BUFFER: usize = 1024 * 1024;

/// The content of a document, which can be read repeatedly.
#[derive(Clone)]
#[non_exhaustive]
pub enum Content {
    /// A file of this machine.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Bytes),
    /// A function that opens the content, and the size if it is known.
    Stream(OpenStream, Option<u64>),
}

/// Opens the content of a document as a stream.
pub type OpenStream = Arc<dyn Fn() -> BoxStream<'static, io::Result<Bytes>> + Send + Sync>;

/// The result of [`Content::hash`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hashed {
    /// The SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// The size in bytes.
    pub size: u64,
    /// An estimate of the pages: the number of page objects that are not compressed. `None` if there are none: the content is not a PDF file, or all
    /// its page objects are compressed, as PDF 1.5 and newer allow. Pages that were changed after the file was first saved can count twice.
    pub pages: Option<u32>,
}

impl Content {
    /// Returns the content at an absolute path, and `None` for any other location.
    pub fn local(location: &str) -> Option<Self> {
        let path = Path::new(location);
        path.is_absolute().then(|| Self::File(path.to_owned()))
    }

    /// Reads the content and computes its hash. Files are read on the blocking thread pool, 1 MiB at a time.
    ///
    /// Errors do not name the document, so that equal causes of several documents are equal texts.
    pub async fn hash(&self) -> io::Result<Hashed> {
        let mut hash = Hash::default();
        match self {
            Self::File(path) => {
                let path = path.clone();
                return blocking(move || hash_file(&path)).await;
            }
            Self::Bytes(bytes) => hash.update(bytes),
            Self::Stream(open, size) => {
                let mut chunks = open();
                while let Some(chunk) = chunks.next().await {
                    hash.update(&chunk?);
                }
                check_size(hash.size, *size)?;
            }
        }
        Ok(hash.finish())
    }

    /// Returns the current version of a file, in the notation of [`ListedDocument::version`](crate::ListedDocument::version), and an empty text for
    /// other contents. A file whose version before its upload is the one before its hash was computed has not changed in between.
    pub async fn version(&self) -> io::Result<String> {
        match self {
            Self::File(path) => {
                let path = path.clone();
                blocking(move || Ok(file_version(&std::fs::metadata(path)?))).await
            }
            Self::Bytes(_) | Self::Stream(..) => Ok(String::new()),
        }
    }

    /// Creates the source of an upload from the content with this hash and size.
    ///
    /// The upload fails if the content changes while it is sent. A stream is also compared with the hash: if it yields other bytes, the upload fails
    /// before the last of them is sent. Compare the [version](Self::version) of a file before its upload.
    pub fn upload_source(&self, file_name: &str, sha256: &str, size: u64) -> Source {
        match self {
            Self::File(path) => Source::path(path).file_name(file_name),
            Self::Bytes(bytes) => Source::bytes(file_name, bytes.clone()),
            Self::Stream(open, _) => {
                let (open, sha256) = (Arc::clone(open), sha256.to_owned());
                Source::from_stream_fn(file_name, size, move || verified(open(), sha256.clone(), size))
            }
        }
    }
}

#[cfg(not(feature = "object-store"))]
impl Content {
    /// Returns the content at an absolute path or, with the feature `object-store`, at a URL, with the options of the environment. `None` for any other
    /// location. Needs no source: a step that runs on its own reads documents with it.
    pub fn at(location: &str) -> Option<Self> {
        Self::local(location)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::Stream(_, size) => f.debug_tuple("Stream").field(size).finish(),
        }
    }
}

/// Returns the version of a file: the time of the last change in nanoseconds, the size, and the inode if there is one.
pub(super) fn file_version(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = modified.map_or(0, |time| time.as_nanos());
    let size = metadata.len();
    #[cfg(unix)]
    return format!("{nanoseconds}-{size}-{}", std::os::unix::fs::MetadataExt::ino(metadata));
    #[cfg(not(unix))]
    format!("{nanoseconds}-{size}")
}

/// The hash of a content that is being read.
#[derive(Default)]
struct Hash {
    digest: Sha256,
    pages: PageCounter,
    size: u64,
}

impl Hash {
    fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.pages.update(bytes);
        self.size += bytes.len() as u64;
    }

    fn finish(self) -> Hashed {
        Hashed { sha256: hexadecimal(&self.digest.finalize()), size: self.size, pages: self.pages.finish() }
    }
}

fn hash_file(path: &Path) -> io::Result<Hashed> {
    // Checked before opening, because opening a pipe blocks until it has a writer.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder, not a file" } else { "not a regular file" };
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the document is {what}")));
    }
    let mut file = File::open(path)?;
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    let mut buffer = vec![0; BUFFER.min(size.saturating_add(1))];
    let mut hash = Hash::default();
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finish()),
            Ok(read) => hash.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Passes a stream on and fails if its bytes are not those of the hash. Each chunk is held back until the next one arrives, so that the last chunk is
/// not sent if the hash differs.
fn verified(
    chunks: BoxStream<'static, io::Result<Bytes>>,
    sha256: String,
    size: u64,
) -> BoxStream<'static, io::Result<Bytes>> {
    let start = (chunks, Hash::default(), Bytes::new(), sha256, false);
    stream::try_unfold(start, move |(mut chunks, mut hash, mut held, sha256, is_at_end)| async move {
        if is_at_end {
            return Ok(None);
        }
        while let Some(chunk) = chunks.next().await.transpose()? {
            hash.digest.update(&chunk);
            hash.size += chunk.len() as u64;
            let ready = std::mem::replace(&mut held, chunk);
            if !ready.is_empty() {
                return Ok(Some((ready, (chunks, hash, held, sha256, false))));
            }
        }
        check_size(hash.size, Some(size))?;
        if hexadecimal(&std::mem::take(&mut hash.digest).finalize()) != sha256 {
            return Err(changed());
        }
        Ok(Some((held, (chunks, hash, Bytes::new(), sha256, true))))
    })
    .boxed()
}

fn check_size(read: u64, expected: Option<u64>) -> io::Result<()> {
    match expected {
        Some(expected) if expected != read => {
            Err(io::Error::other(format!("the document has {read} bytes instead of {expected}; run again")))
        }
        _ => Ok(()),
    }
}

fn changed() -> io::Error {
    io::Error::other("the document changed between its hash and its upload; run again")
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Runs a function on the blocking thread pool.
pub(super) async fn blocking<T: Send + 'static>(
    function: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(function).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_util::TryStreamExt;

    use super::*;

    /// SHA-256 of "abc" according to FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn content_of(chunks: &'static [&'static str], size: Option<u64>) -> Content {
        let open = move || stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))).boxed();
        Content::Stream(Arc::new(open), size)
    }

    #[tokio::test]
    async fn hashes_files_bytes_and_streams_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc.txt");
        std::fs::write(&path, "abc").unwrap();
        let expected = Hashed { sha256: ABC.to_owned(), size: 3, pages: None };
        assert_eq!(Content::local(path.to_str().unwrap()).unwrap().hash().await.unwrap(), expected);
        assert_eq!(Content::Bytes(Bytes::from_static(b"abc")).hash().await.unwrap(), expected);
        assert_eq!(content_of(&["a", "", "bc"], None).hash().await.unwrap(), expected);
    }

    #[tokio::test]
    async fn counts_pages_of_a_file_that_is_larger_than_the_buffer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.pdf");
        let mut bytes = b"%PDF-1.4 << /Type /Pages >> << /Type /Page >>".to_vec();
        // The second page object stands across the end of the first buffer.
        bytes.resize(BUFFER - 4, b' ');
        bytes.extend_from_slice(b"/Type/Page/Parent 1 0 R");
        std::fs::write(&path, &bytes).unwrap();
        let hashed = Content::File(path).hash().await.unwrap();
        assert_eq!((hashed.size, hashed.pages), (bytes.len() as u64, Some(2)));
    }

    #[tokio::test]
    async fn unreadable_contents_fail_without_their_path() {
        let folder = tempfile::tempdir().unwrap();
        let error = Content::File(folder.path().to_owned()).hash().await.unwrap_err();
        assert_eq!(error.to_string(), "the document is a folder, not a file");
        let error = Content::File(folder.path().join("missing.pdf")).hash().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains("missing.pdf"), "{error}");
        let error = content_of(&["abc"], Some(4)).hash().await.unwrap_err();
        assert_eq!(error.to_string(), "the document has 3 bytes instead of 4; run again");
    }

    #[test]
    fn only_absolute_paths_are_local() {
        assert!(Content::local("inbox/a.pdf").is_none());
        assert!(Content::local("s3://bucket/a.pdf").is_none());
    }

    #[tokio::test]
    async fn version_changes_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pdf");
        std::fs::write(&path, "1").unwrap();
        let content = Content::File(path.clone());
        let first = content.version().await.unwrap();
        assert_eq!(content.version().await.unwrap(), first);
        std::fs::write(&path, "12").unwrap();
        assert_ne!(content.version().await.unwrap(), first);
        assert_eq!(Content::Bytes(Bytes::new()).version().await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_stream_that_changed_after_its_hash_fails_before_its_last_chunk() {
        let open = || stream::iter(["a", "bc"].map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))).boxed();
        let chunks: Vec<_> = verified(open(), ABC.to_owned(), 3).try_collect().await.unwrap();
        assert_eq!(chunks, ["a", "bc"]);
        let mut chunks = verified(open(), ABC.replace('b', "c"), 3);
        assert_eq!(chunks.next().await.unwrap().unwrap(), "a");
        let error = chunks.next().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the document changed between its hash and its upload; run again");
    }

    #[tokio::test]
    async fn an_empty_stream_is_valid() {
        let sha256 = content_of(&[], None).hash().await.unwrap().sha256;
        let chunks: Vec<_> = verified(stream::empty().boxed(), sha256, 0).try_collect().await.unwrap();
        assert_eq!(chunks.concat(), b"");
    }
}
