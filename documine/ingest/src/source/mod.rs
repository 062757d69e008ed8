//! Sources: where the documents of a run come from.
//!
//! | source | documents |
//! |---|---|
//! | [`Folder`] | the files of a folder and its sub-folders that match a pattern |
//! | [`Paths`] | files and folders, for example the arguments of a program |
//! | [`ListFile`] | the paths in a file or on standard input |
//! | [`Items`] | bytes, files and streams of the program |
//! | `Objects` (feature `object-store`) | the objects of an object store |
//! | `Watch` (feature `watch`) | the files of a folder as they arrive |

mod content;
mod finish;
mod folder;
mod items;
mod list_file;
mod names;
#[cfg(feature = "object-store")]
mod objects;
mod pages;
mod paths;
mod walk;
#[cfg(feature = "watch")]
mod watch;

use documine::BoxFuture;
use futures_util::stream::BoxStream;

use crate::document::ListedDocument;
use crate::error::Result;

pub use content::{Content, Hashed, OpenStream};
pub use finish::Finish;
pub use folder::Folder;
pub use items::{Item, Items};
pub use list_file::ListFile;
#[cfg(feature = "object-store")]
pub use objects::{ObjectStores, Objects};
pub use paths::Paths;
#[cfg(feature = "watch")]
pub use watch::Watch;

/// The pattern of a source without one.
const DEFAULT_PATTERN: &str = "**/*.pdf";

/// A place that lists documents and gives their contents.
pub trait DocumentSource: Send + Sync + 'static {
    /// Checks the settings and lists the documents. The order does not matter. An error ends the run before the first upload, and is the last item.
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>>;

    /// Returns the content at a location that [`list`](Self::list) gave, without I/O; `None` if the location is not one of this source. Of several
    /// sources, the first one that returns a content owns the document.
    fn content(&self, location: &str) -> Option<Content>;

    /// Moves or deletes a document whose outcome is recorded, according to the options of this source. Repeated calls for the same document do
    /// nothing.
    ///
    /// `version` is the version of the content that was processed. A document that has changed since is left for the next run. An empty version
    /// disables this check.
    fn finish<'a>(&'a self, location: &'a str, version: &'a str, succeeded: bool) -> BoxFuture<'a, Result<()>> {
        let _ = (location, version, succeeded);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Returns whether [`finish`](Self::finish) does anything.
    fn finishes(&self) -> bool {
        false
    }
}
