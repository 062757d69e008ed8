//! Documents that the program supplies.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};

use super::DocumentSource;
use super::content::{Content, blocking, file_version};
use super::names;
use crate::document::ListedDocument;
use crate::error::{Error, Result};

/// Begins the location of a document that is not a file.
const SCHEME: &str = "item:";

/// A document that the program supplies. Its name identifies it in tables and in later runs; the last component is the name of the file at the service.
#[derive(Debug, Clone)]
pub struct Item {
    name: String,
    content: Content,
    version: String,
}

impl Item {
    /// Creates a document in memory.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self::new(name, Content::Bytes(bytes.into()))
    }

    /// Creates a document from a file.
    pub fn path(name: impl Into<String>, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        // An invalid path fails when it is read.
        Self::new(name, Content::File(std::path::absolute(path).unwrap_or_else(|_| path.to_owned())))
    }

    /// Creates a document from a function that opens a stream. The content is read twice: for its hash, and for the upload; more often if the upload is
    /// repeated. `size` is the size in bytes, or `None`.
    pub fn stream<S>(
        name: impl Into<String>,
        size: impl Into<Option<u64>>,
        open: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        Self::new(name, Content::Stream(Arc::new(move || open().boxed()), size.into()))
    }

    fn new(name: impl Into<String>, content: Content) -> Self {
        Self { name: name.into(), content, version: String::new() }
    }

    /// Sets a value that changes with the content. A later run does not read a document of the same version again. Default: time and size of a file,
    /// none for other contents.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    async fn list(&self) -> ListedDocument {
        let location = match &self.content {
            Content::File(path) => path.to_string_lossy().into_owned(),
            Content::Bytes(_) | Content::Stream(..) => format!("{SCHEME}{}", self.name),
        };
        let file_name = names::file_name(Path::new(&self.name)).into_owned();
        let mut document = ListedDocument::new(&self.name, location, file_name).version(&self.version);
        document.size = match &self.content {
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::Stream(_, size) => *size,
            Content::File(path) => {
                let path: PathBuf = path.clone();
                // A file that cannot be read is a document that fails.
                let metadata = blocking(move || std::fs::metadata(path)).await.ok();
                if let (Some(metadata), true) = (&metadata, self.version.is_empty()) {
                    document.version = file_version(metadata);
                }
                metadata.map(|metadata| metadata.len())
            }
        };
        document
    }
}

/// Documents that the program supplies: bytes, files and streams.
///
/// A run that continues after an interruption needs the same items again. The contents stay in memory until the source is dropped; use
/// [`Item::path`] or [`Item::stream`] for many documents.
///
/// ```
/// use documine_ingest::source::{Item, Items};
/// let documents = Items::new([
///     Item::bytes("mail/1.pdf", &b"%PDF-1.7 ..."[..]),
///     Item::path("contract.pdf", "/archive/c-4711.pdf"),
/// ]);
/// ```
pub struct Items(Mutex<State>);

struct State {
    pending: Box<dyn Iterator<Item = Item> + Send>,
    listed: Vec<Item>,
    names: HashMap<String, usize>,
    locations: HashMap<String, usize>,
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("listed", &self.state().listed.len()).finish_non_exhaustive()
    }
}

impl Items {
    /// Creates a source of documents. The iterator is read once, when the documents are listed.
    pub fn new<I>(items: I) -> Self
    where
        I: IntoIterator<Item = Item>,
        I::IntoIter: Send + 'static,
    {
        Self(Mutex::new(State {
            pending: Box::new(items.into_iter()),
            listed: Vec::new(),
            names: HashMap::new(),
            locations: HashMap::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the item at a position. Documents that were listed before are listed again.
    fn item(&mut self, index: usize) -> Result<Option<Item>> {
        if index == self.listed.len() {
            let Some(item) = self.pending.next() else { return Ok(None) };
            let name = &item.name;
            if name.is_empty() {
                return Err(Error::input(format!("document {} has no name; give it one", index + 1)));
            }
            if self.names.insert(name.clone(), index).is_some() {
                return Err(Error::input(format!("two documents have the name {name}; give them different names")));
            }
            self.listed.push(item);
        }
        Ok(self.listed.get(index).cloned())
    }
}

impl DocumentSource for Items {
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>> {
        stream::try_unfold(0, move |index| async move {
            let Some(item) = self.state().item(index)? else { return Ok(None) };
            let document = item.list().await;
            self.state().locations.insert(document.location.clone(), index);
            Ok(Some((document, index + 1)))
        })
        .boxed()
    }

    fn content(&self, location: &str) -> Option<Content> {
        let state = self.state();
        let index = *state.locations.get(location)?;
        state.listed.get(index).map(|item| item.content.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::folder::{list_error, listed};
    use super::*;

    #[tokio::test]
    async fn lists_bytes_files_and_streams_as_often_as_requested() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.pdf");
        std::fs::write(&path, "file").unwrap();
        let chunks = || stream::iter([Ok(Bytes::from_static(b"str")), Ok(Bytes::from_static(b"eam"))]);
        let items = Items::new([
            Item::bytes("mail/a.pdf", "bytes"),
            Item::stream("b.pdf", None, chunks).version("7"),
            Item::path("c.pdf", &path),
        ]);
        for _ in 0..2 {
            let documents = listed(&items).await;
            let rows = documents.iter().map(|document| {
                (document.source.as_str(), document.file_name.as_str(), document.size, document.version.is_empty())
            });
            let expected = [
                ("b.pdf", "b.pdf", None, false),
                ("c.pdf", "c.pdf", Some(4), false),
                ("mail/a.pdf", "a.pdf", Some(5), true),
            ];
            assert_eq!(rows.collect::<Vec<_>>(), expected);
            let mut sizes = Vec::new();
            for document in &documents {
                sizes.push(items.content(&document.location).unwrap().hash().await.unwrap().size);
            }
            assert_eq!(sizes, [6, 4, 5]);
        }
        assert!(items.content("item:d.pdf").is_none());
        assert!(Content::local("item:mail/a.pdf").is_none());
    }

    #[tokio::test]
    async fn names_are_unique_and_not_empty() {
        let items = Items::new(["a.pdf", "b.pdf", "a.pdf"].map(|name| Item::bytes(name, "")));
        assert_eq!(list_error(&items).await, "two documents have the name a.pdf; give them different names");
        let items = Items::new([Item::bytes("", "")]);
        assert_eq!(list_error(&items).await, "document 1 has no name; give it one");
    }

    #[tokio::test]
    async fn a_missing_file_is_a_document_that_fails() {
        let items = Items::new([Item::path("a.pdf", "/missing/a.pdf")]);
        let documents = listed(&items).await;
        assert_eq!((documents[0].size, documents[0].version.as_str()), (None, ""));
        assert!(items.content(&documents[0].location).unwrap().hash().await.is_err());
    }
}
