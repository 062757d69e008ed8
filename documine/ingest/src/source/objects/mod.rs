//! The objects of an object store.

#[cfg(feature = "_http-client")]
mod connector;
mod stores;

use std::fmt;
use std::io;
use std::path::Path as FilePath;
use std::sync::{Arc, OnceLock};

use documine::BoxFuture;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::content::Content;
use super::finish::{Finish, MAX_NUMBER, numbered};
use super::names;
use super::walk::Patterns;
use super::{DEFAULT_PATTERN, DocumentSource};
use crate::document::ListedDocument;
use crate::error::{Error, Result};

pub use stores::ObjectStores;

/// The objects of an object store below a prefix that match a pattern.
///
/// | URL | store | feature |
/// |---|---|---|
/// | `s3://bucket/prefix` | Amazon S3 and services with its interface | `aws` |
/// | `gs://bucket/prefix` | Google Cloud Storage | `gcp` |
/// | `az://container/prefix` | Azure Blob Storage | `azure` |
/// | `https://host/path` | one document, or a folder of a WebDAV server | `http` |
/// | `file:///path` | a folder of this machine | `object-store` |
///
/// Credentials and addresses come from the environment, for example `AWS_ACCESS_KEY_ID` and `AWS_ENDPOINT`, and from the
/// [options](ObjectStores::option) of the stores. Objects are listed page by page and read as streams; neither a list nor an object sits in memory.
/// The version of a document is the `ETag` of the object. A URL that names an object is that single document.
///
/// ```
/// use documine_ingest::source::{Finish, Objects};
/// let documents = Objects::new("s3://inbox/2026").glob("**/*.pdf").finish_by(Finish::move_to("done", "failed"));
/// ```
#[derive(Clone)]
pub struct Objects {
    url: String,
    stores: ObjectStores,
    included: Vec<String>,
    excluded: Vec<String>,
    case_sensitive: bool,
    may_be_empty: bool,
    finish: Finish,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("url", &self.url).field("finish", &self.finish).finish_non_exhaustive()
    }
}

impl Objects {
    /// Creates a source of all objects below a URL whose names end with `.pdf`, in upper or lower case.
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        Self {
            url: url.trim_end_matches('/').to_owned(),
            stores: ObjectStores::from_env(),
            included: Vec::new(),
            excluded: Vec::new(),
            case_sensitive: false,
            may_be_empty: false,
            finish: Finish::Keep,
        }
    }

    /// Sets the stores, with their options. Default: those of the environment.
    #[must_use]
    pub fn stores(mut self, stores: ObjectStores) -> Self {
        self.stores = stores;
        self
    }

    /// Adds a pattern; the path of an object below the URL must match one of them. Default: `**/*.pdf`. The notation is that of
    /// [`Folder::glob`](super::Folder::glob).
    #[must_use]
    pub fn glob(mut self, pattern: impl Into<String>) -> Self {
        self.included.push(pattern.into());
        self
    }

    /// Adds a pattern of objects that are skipped.
    #[must_use]
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.excluded.push(pattern.into());
        self
    }

    /// Sets whether patterns distinguish upper and lower case. Default: `false`.
    #[must_use]
    pub fn case_sensitive(mut self, yes: bool) -> Self {
        self.case_sensitive = yes;
        self
    }

    /// Sets whether a prefix without a matching object is accepted. Default: `false`, and `true` if processed objects are moved or deleted.
    #[must_use]
    pub fn may_be_empty(mut self, yes: bool) -> Self {
        self.may_be_empty = yes;
        self
    }

    /// Sets the treatment of an object after its outcome is recorded. Default: the object is kept.
    ///
    /// The folders of [`Finish::MoveTo`] are prefixes of the same bucket or container. An object is copied by the store and deleted afterwards.
    #[must_use]
    pub fn finish_by(mut self, finish: Finish) -> Self {
        self.may_be_empty |= finish != Finish::Keep;
        self.finish = finish;
        self
    }

    /// Returns the document of an object; `None` if the object is not wanted.
    fn document(&self, object: &ObjectMeta, prefix: &Path, listing: &Listing) -> Option<ListedDocument> {
        let name = object.location.filename()?;
        let relative = relative_to(&object.location, prefix)?;
        let is_processed = listing.skipped.iter().any(|skipped| object.location.prefix_matches(skipped));
        let is_hidden = relative.split('/').any(names::is_hidden);
        if is_processed || is_hidden || names::is_temporary(name) || !listing.patterns.matches(FilePath::new(&relative))
        {
            return None;
        }
        let url = format!("{}/{}", self.url, stores::encode(&relative));
        Some(describe(&url, object))
    }

    /// Returns the document if the URL is that of an object.
    async fn single(&self, store: &Arc<dyn ObjectStore>, path: &Path) -> Option<ListedDocument> {
        if path.as_ref().is_empty() {
            return None;
        }
        store.head(path).await.ok().map(|object| describe(&self.url, &object))
    }

    fn included(&self) -> Vec<String> {
        if self.included.is_empty() { vec![DEFAULT_PATTERN.to_owned()] } else { self.included.clone() }
    }

    fn targets(&self) -> Result<Vec<Path>> {
        match &self.finish {
            Finish::Keep | Finish::Delete => Ok(Vec::new()),
            Finish::MoveTo { done, failed } => [done, failed].into_iter().map(|prefix| target(prefix)).collect(),
        }
    }

    async fn finish_object(&self, location: &str, version: &str, succeeded: bool) -> Result<()> {
        let target = match &self.finish {
            Finish::Keep => return Ok(()),
            Finish::Delete if !succeeded => return Ok(()),
            Finish::Delete => None,
            Finish::MoveTo { done, failed } => Some(target(if succeeded { done } else { failed })?),
        };
        let failed = |error: object_store::Error| {
            Error::input(format!(
                "{location}: the processed object cannot be moved or deleted: {}",
                stores::cause(&error).1
            ))
            .with_source(error)
        };
        let (_, prefix) = self.stores.resolve(&self.url)?;
        let (store, path) = self.stores.resolve(location)?;
        let object = match store.head(&path).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(()),
            object => object.map_err(failed)?,
        };
        if !version.is_empty() && version_of(&object) != version {
            tracing::warn!(location, "the document changed while it was processed, and stays at its place");
            return Ok(());
        }
        if let Some(target) = target {
            let relative = relative_to(&path, &prefix).filter(|relative| !relative.is_empty());
            let relative = relative.or_else(|| path.filename().map(str::to_owned)).unwrap_or_default();
            let target = FilePath::new(target.as_ref()).join(relative);
            if target == FilePath::new(path.as_ref()) {
                let message =
                    format!("{location} is already below the prefix for processed objects; choose another prefix");
                return Err(Error::input(message));
            }
            copy(&store, &object, &target).await.map_err(failed)?;
        }
        match store.delete(&path).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            deleted => deleted.map_err(failed),
        }
    }
}

/// The settings of a list, checked.
struct Listing {
    patterns: Patterns,
    skipped: Vec<Path>,
}

/// The state of a list.
struct Pages {
    objects: BoxStream<'static, object_store::Result<ObjectMeta>>,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    listing: Listing,
    has_matches: bool,
    is_at_end: bool,
}

impl Objects {
    fn start(&self) -> Result<Pages> {
        let patterns = Patterns::new(&self.included(), &self.excluded, self.case_sensitive)?;
        let listing = Listing { patterns, skipped: self.targets()? };
        let (store, prefix) = self.stores.resolve(&self.url)?;
        let objects = store.list(Some(&prefix));
        Ok(Pages { objects, store, prefix, listing, has_matches: false, is_at_end: false })
    }

    async fn next(&self, mut pages: Pages) -> Result<Option<(ListedDocument, Pages)>> {
        if pages.is_at_end {
            return Ok(None);
        }
        while let Some(object) = pages.objects.next().await {
            let object = match object {
                Ok(object) => object,
                Err(error) => {
                    // A web server has no lists; its URL is that of a document.
                    if let (false, Some(document)) = (pages.has_matches, self.single(&pages.store, &pages.prefix).await)
                    {
                        return Ok(Some((document, Pages { is_at_end: true, ..pages })));
                    }
                    let (url, cause) = (&self.url, stores::cause(&error).1);
                    let message =
                        format!("{url}: the objects cannot be listed: {cause}; check the URL and the credentials");
                    return Err(Error::input(message).with_source(error));
                }
            };
            if let Some(document) = self.document(&object, &pages.prefix, &pages.listing) {
                return Ok(Some((document, Pages { has_matches: true, ..pages })));
            }
        }
        if pages.has_matches {
            return Ok(None);
        }
        if let Some(document) = self.single(&pages.store, &pages.prefix).await {
            return Ok(Some((document, Pages { is_at_end: true, ..pages })));
        }
        if self.may_be_empty {
            return Ok(None);
        }
        let patterns = self.included().join(" or ");
        Err(Error::input(format!("no document matches {patterns} in {}; check the URL and the pattern", self.url)))
    }
}

impl DocumentSource for Objects {
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>> {
        stream::try_unfold(None, move |pages| async move {
            let pages = match pages {
                Some(pages) => pages,
                None => self.start()?,
            };
            Ok(self.next(pages).await?.map(|(document, pages)| (document, Some(pages))))
        })
        .boxed()
    }

    fn content(&self, location: &str) -> Option<Content> {
        let rest = location.strip_prefix(&self.url)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| self.stores.content(location))
    }

    fn finish<'a>(&'a self, location: &'a str, version: &'a str, succeeded: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.finish_object(location, version, succeeded))
    }

    fn finishes(&self) -> bool {
        self.finish != Finish::Keep
    }
}

impl Content {
    /// Returns the content at an absolute path or, with the feature `object-store`, at a URL, with the options of the environment. `None` for any other
    /// location. Needs no source: a step that runs on its own reads documents with it.
    pub fn at(location: &str) -> Option<Self> {
        static STORES: OnceLock<ObjectStores> = OnceLock::new();
        if location.contains("://") {
            return Some(STORES.get_or_init(ObjectStores::from_env).content(location));
        }
        Self::local(location)
    }
}

/// Checks a URL of a list, and returns its document without a request.
pub(super) fn document_at(url: &str) -> Result<ListedDocument> {
    let (_, path) = ObjectStores::from_env().resolve(url)?;
    let name = path.filename().ok_or_else(|| Error::input(format!("{url}: the URL names no document")))?;
    Ok(ListedDocument::new(url, url, name))
}

fn describe(url: &str, object: &ObjectMeta) -> ListedDocument {
    let name = object.location.filename().unwrap_or_default();
    ListedDocument::new(url, url, name).size(object.size).version(version_of(object))
}

/// Returns the version of an object: the `ETag`, else the version of the store, else time and size.
fn version_of(object: &ObjectMeta) -> String {
    let version = object.e_tag.clone().or_else(|| object.version.clone());
    version.unwrap_or_else(|| format!("{}-{}", object.last_modified.timestamp_micros(), object.size))
}

/// Returns the path of an object below a prefix.
fn relative_to(path: &Path, prefix: &Path) -> Option<String> {
    let parts: Vec<_> = path.prefix_match(prefix)?.collect();
    Some(parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("/"))
}

/// Returns the prefix of processed objects.
fn target(prefix: &FilePath) -> Result<Path> {
    let text = names::text(prefix)?;
    let parsed = Path::parse(text.trim_matches('/')).ok().filter(|path| !path.as_ref().is_empty());
    parsed.ok_or_else(|| {
        Error::input(format!(
            "{text}: not a prefix for processed objects; use a form like done/2026, without the bucket"
        ))
    })
}

/// Copies an object to `target`, or to a numbered name if there is another object. An equal object is the copy of an interrupted call.
async fn copy(store: &Arc<dyn ObjectStore>, object: &ObjectMeta, target: &FilePath) -> object_store::Result<()> {
    for number in 1..=MAX_NUMBER {
        let target = Path::parse(numbered(target, number).to_string_lossy())?;
        match store.head(&target).await {
            Err(object_store::Error::NotFound { .. }) => return store.copy(&object.location, &target).await,
            found => {
                if is_same(store, object, &found?).await? {
                    return Ok(());
                }
            }
        }
    }
    let source = format!("{} exists {MAX_NUMBER} times", target.display());
    Err(object_store::Error::Generic { store: "copy", source: source.into() })
}

async fn is_same(store: &Arc<dyn ObjectStore>, first: &ObjectMeta, second: &ObjectMeta) -> object_store::Result<bool> {
    if first.size != second.size {
        return Ok(false);
    }
    // The ETag of an object that was uploaded in parts differs from that of its copy.
    if first.e_tag.is_some() && first.e_tag == second.e_tag {
        return Ok(true);
    }
    let hash = async |path: &Path| {
        let hashed = stores::content_of(Ok((Arc::clone(store), path.clone()))).hash().await;
        hashed.map_err(|error: io::Error| object_store::Error::Generic { store: "compare", source: error.into() })
    };
    Ok(hash(&first.location).await? == hash(&second.location).await?)
}

#[cfg(test)]
mod tests;
