//! Paths in a file or on standard input.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::BoxStream;
use serde::Deserialize;

use super::DocumentSource;
use super::content::Content;
use super::folder::document;
use super::names::TextSet;
use super::walk::{FoundFile, blocking_list};
use crate::document::ListedDocument;
use crate::error::{Error, Result};

/// Longest line in bytes. A longer one is a sign of a file that is not a list.
const MAX_LINE: u64 = 1024 * 1024;
/// Longest part of a line in an error text, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// The paths in a file or on standard input.
///
/// Each line is a path, relative to the current folder, or a URL of an [object store](Self#urls), or a JSON object with one of them as `source`, so that the `failed.jsonl` of an earlier run can be
/// used. Empty lines are skipped. There are no comments, because names of files can begin with any character; a name that begins with `{` is written
/// as `./{…`. A file that is listed several times is read once.
///
/// A path that does not exist is an error that names the line, before the first upload. A missing file of a JSON object is a document that fails,
/// because a later run shall not end where an earlier one did not.
///
/// # URLs
/// The features of `Objects` decide which URLs can be used. Options come from the environment. Listing sends no request, so a document has no version
/// and is read again in each run.
///
/// ```
/// use documine_ingest::source::ListFile;
/// let documents = ListFile::new("documents.txt");
/// let documents = ListFile::stdin().nul_separated(true); // find inbox -name '*.pdf' -print0 | …
/// ```
#[derive(Clone)]
pub struct ListFile {
    input: Input,
    nul_separated: bool,
    /// The locations that were listed.
    locations: Arc<TextSet>,
}

#[derive(Clone)]
enum Input {
    Path(PathBuf),
    /// Standard input or a reader, until it is read.
    Once(Arc<Mutex<Option<Box<dyn Read + Send>>>>, &'static str),
}

impl fmt::Debug for ListFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListFile").field("input", &self.name()).finish_non_exhaustive()
    }
}

/// A line of JSON Lines.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
}

impl ListFile {
    /// Creates a source from a file with one path per line.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(Input::Path(path.into()))
    }

    /// Creates a source from standard input, which is read to its end before the first upload.
    pub fn stdin() -> Self {
        Self::once(io::stdin(), "standard input")
    }

    /// Creates a source from a reader, which is read on the blocking thread pool.
    pub fn from_reader(reader: impl Read + Send + 'static) -> Self {
        Self::once(reader, "list")
    }

    fn once(reader: impl Read + Send + 'static, name: &'static str) -> Self {
        Self::of(Input::Once(Arc::new(Mutex::new(Some(Box::new(reader)))), name))
    }

    fn of(input: Input) -> Self {
        Self { input, nul_separated: false, locations: Arc::default() }
    }

    /// Sets whether paths end with a NUL byte instead of a line feed, as with `find -print0`. JSON is not recognised then. Default: `false`.
    #[must_use]
    pub fn nul_separated(mut self, yes: bool) -> Self {
        self.nul_separated = yes;
        self
    }

    fn name(&self) -> String {
        match &self.input {
            Input::Path(path) => path.display().to_string(),
            Input::Once(_, name) => (*name).to_owned(),
        }
    }

    fn open(&self) -> Result<Box<dyn Read + Send>> {
        let name = self.name();
        match &self.input {
            Input::Once(reader, _) => {
                let reader = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                reader.ok_or_else(|| Error::input(format!("{name}: the list was already read; use a file")))
            }
            Input::Path(path) if path.is_dir() => {
                Err(Error::input(format!("{name} is a folder, not a list of paths; use it as a folder")))
            }
            Input::Path(path) => match File::open(path) {
                Ok(file) => Ok(Box::new(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(Error::input(format!("{name}: list file not found; check the path")))
                }
                Err(error) => Err(Error::input(format!("{name}: the list cannot be read: {error}")).with_source(error)),
            },
        }
    }

    fn documents(&self, emit: &mut dyn FnMut(ListedDocument) -> bool) -> Result<()> {
        let (end, unit) = if self.nul_separated { (0, "path") } else { (b'\n', "line") };
        let mut reader = BufReader::with_capacity(64 * 1024, self.open()?);
        let mut line = Vec::new();
        let mut has_documents = false;
        for number in 1_u64.. {
            let at = |message: String| Error::input(format!("{}: {unit} {number}: {message}", self.name()));
            line.clear();
            let read = (&mut reader).take(MAX_LINE).read_until(end, &mut line);
            let read = read.map_err(|error| at(format!("cannot be read: {error}")).with_source(error))?;
            if read == 0 {
                break;
            }
            if read as u64 == MAX_LINE && line.last() != Some(&end) {
                return Err(at(format!("longer than {MAX_LINE} bytes; use a file with one path per line")));
            }
            let Some(document) = self.document(self.trim(&line, number)).map_err(at)? else { continue };
            has_documents = true;
            if self.locations.insert(document.location.as_bytes()) && !emit(document) {
                return Ok(());
            }
        }
        if has_documents {
            return Ok(());
        }
        Err(Error::input(format!("{}: the list is empty; write one path per line", self.name())))
    }

    /// Removes the end of a line, and the byte order mark that some editors write.
    fn trim<'a>(&self, line: &'a [u8], number: u64) -> &'a [u8] {
        if self.nul_separated {
            return line.strip_suffix(b"\0").unwrap_or(line);
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
    }

    /// Returns the document of a line, or an error text.
    fn document(&self, line: &[u8]) -> Result<Option<ListedDocument>, String> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let text = std::str::from_utf8(line).map_err(|_| {
            format!("{}: the name is not valid UTF-8; rename the file", shorten(&String::from_utf8_lossy(line)))
        })?;
        let is_json = !self.nul_separated && text.starts_with('{');
        let path = if is_json {
            let record: Record<'_> = serde_json::from_str(text)
                .map_err(|error| format!("invalid JSON: {error}; use an object with the path as `source`"))?;
            record.source
        } else {
            Cow::Borrowed(text)
        };
        if path.contains("://") {
            return document_at(&path).map(Some);
        }
        let path = Path::new(path.as_ref());
        let shown = || shorten(&path.display().to_string());
        let metadata = match path.metadata() {
            Ok(metadata) if metadata.is_dir() => return Err(format!("{} is a folder; list its files", shown())),
            Ok(metadata) => Some(metadata),
            Err(_) if is_json => None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(format!("{}: file not found; relative paths start in the current folder", shown()));
            }
            Err(error) => return Err(format!("{}: cannot be read: {error}; make it readable", shown())),
        };
        let file = FoundFile { path: path.to_owned(), relative: PathBuf::new(), metadata };
        document(&file).map(Some).map_err(|error| error.to_string())
    }
}

/// Returns the document of a URL.
#[cfg(feature = "object-store")]
fn document_at(url: &str) -> Result<ListedDocument, String> {
    super::objects::document_at(url).map_err(|error| error.to_string())
}

#[cfg(not(feature = "object-store"))]
fn document_at(url: &str) -> Result<ListedDocument, String> {
    Err(format!("{}: URLs need a feature of documine-ingest, for example `aws` or `http`", shorten(url)))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl DocumentSource for ListFile {
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>> {
        // A later list of the same source, if its file can be read again, lists everything again.
        let list = Self { locations: Arc::default(), ..self.clone() };
        let locations = Arc::clone(&self.locations);
        blocking_list(move |emit| {
            list.documents(&mut |document| {
                locations.insert(document.location.as_bytes());
                emit(document)
            })
        })
    }

    fn content(&self, location: &str) -> Option<Content> {
        if self.locations.contains(location.as_bytes()) { Content::at(location) } else { None }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::folder::{list_error, listed};
    use super::*;

    fn list(text: &'static str) -> ListFile {
        ListFile::from_reader(text.as_bytes())
    }

    async fn sources(list: &ListFile) -> Vec<String> {
        listed(list).await.into_iter().map(|document| document.source).collect()
    }

    // Tests run in the folder of this package.

    #[tokio::test]
    async fn reads_one_path_per_line() {
        let list = list("\u{feff}src/lib.rs\r\n\nCargo.toml\n./src/error.rs\nsrc/lib.rs");
        let documents = listed(&list).await;
        let rows: Vec<_> = documents.iter().map(|row| (row.source.as_str(), row.file_name.as_str())).collect();
        assert_eq!(rows, [("./src/error.rs", "error.rs"), ("Cargo.toml", "Cargo.toml"), ("src/lib.rs", "lib.rs")]);
        let document = documents.last().unwrap();
        assert_eq!(Path::new(&document.location), std::path::absolute("src/lib.rs").unwrap());
        assert!(document.size.is_some() && !document.version.is_empty());
        assert!(list.content(&document.location).is_some());
        assert!(list.content("/elsewhere/a.pdf").is_none());
    }

    #[tokio::test]
    async fn reads_json_lines_of_an_earlier_run() {
        let list = list(
            "{\"source\": \"src/lib.rs\", \"step\": \"wait\"}\n{\"cause\": \"\\\"x\\\"\", \"source\": \"gone/\\u00e4.pdf\"}\n",
        );
        let documents = listed(&list).await;
        assert_eq!(documents.iter().map(|row| row.source.as_str()).collect::<Vec<_>>(), ["gone/ä.pdf", "src/lib.rs"]);
        assert_eq!(documents[0].version, "", "a missing file is a document that fails");
    }

    #[tokio::test]
    async fn reads_nul_separated_paths() {
        assert_eq!(sources(&list("src/lib.rs\0Cargo.toml\0").nul_separated(true)).await, ["Cargo.toml", "src/lib.rs"]);
        let error = list_error(&list("src/lib.rs\0a\nb.pdf\0").nul_separated(true)).await;
        assert_eq!(error, "list: path 2: a\nb.pdf: file not found; relative paths start in the current folder");
    }

    #[tokio::test]
    async fn errors_name_the_line() {
        for (text, expected) in [
            (
                "src/lib.rs\nmissing.pdf",
                "line 2: missing.pdf: file not found; relative paths start in the current folder",
            ),
            ("\n# a comment", "line 2: # a comment: file not found; relative paths start in the current folder"),
            ("src", "line 1: src is a folder; list its files"),
            (
                "{\"path\": 1}",
                "line 1: invalid JSON: missing field `source` at line 1 column 11; use an object with the path as `source`",
            ),
        ] {
            assert_eq!(list_error(&list(text)).await, format!("list: {expected}"));
        }
        let error = list_error(&ListFile::from_reader(&b"src/lib.rs\ncaf\xe9.pdf\n"[..])).await;
        assert_eq!(error, "list: line 2: caf\u{fffd}.pdf: the name is not valid UTF-8; rename the file");
        let error = list_error(&ListFile::from_reader(io::repeat(b'x'))).await;
        assert_eq!(error, "list: line 1: longer than 1048576 bytes; use a file with one path per line");
        assert_eq!(list_error(&list(" \n\n")).await, "list: the list is empty; write one path per line");
    }

    #[tokio::test]
    async fn a_file_can_be_listed_again_and_a_reader_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, "src/lib.rs\n").unwrap();
        let file = ListFile::new(&path);
        assert_eq!(sources(&file).await, ["src/lib.rs"]);
        assert_eq!(sources(&file).await, ["src/lib.rs"]);
        let reader = list("src/lib.rs\n");
        assert_eq!(sources(&reader).await, ["src/lib.rs"]);
        assert_eq!(list_error(&reader).await, "list: the list was already read; use a file");
    }

    #[tokio::test]
    async fn wrong_list_files_are_one_clear_line() {
        assert_eq!(list_error(&ListFile::new("missing.txt")).await, "missing.txt: list file not found; check the path");
        assert_eq!(list_error(&ListFile::new("src")).await, "src is a folder, not a list of paths; use it as a folder");
    }
}
