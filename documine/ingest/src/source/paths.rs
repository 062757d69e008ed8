//! Files and folders, as they are named on a command line.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use documine::BoxFuture;
use futures_util::stream::BoxStream;

use super::DocumentSource;
use super::content::Content;
use super::finish::Finish;
use super::folder::{Folder, document, finish_file};
use super::names::TextSet;
use super::walk::{FoundFile, blocking_list};
use crate::document::ListedDocument;
use crate::error::{Error, Result};

/// Files and folders, for example the arguments of a program.
///
/// A file is a document, whichever name it has. A folder is listed like a [`Folder`]. A file that is reached through several paths is listed once, under
/// the first of them. A path that does not exist is an error before the first upload.
///
/// ```
/// use documine_ingest::source::Paths;
/// let arguments = ["contract.pdf", "inbox"];
/// let documents = Paths::new(arguments).folders(|folder| folder.glob("**/*.pdf").exclude("drafts/**"));
/// ```
#[derive(Clone)]
pub struct Paths {
    given: Vec<PathBuf>,
    /// The absolute paths, which are the owners of locations.
    roots: HashSet<PathBuf>,
    folders: Arc<dyn Fn(Folder) -> Folder + Send + Sync>,
    finish: Finish,
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paths").field("given", &self.given).field("finish", &self.finish).finish_non_exhaustive()
    }
}

impl Paths {
    /// Creates a source of files and folders.
    pub fn new<I>(paths: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<PathBuf>,
    {
        let given: Vec<PathBuf> = paths.into_iter().map(Into::into).collect();
        let roots = given.iter().filter_map(|path| std::path::absolute(path).ok()).collect();
        Self { given, roots, folders: Arc::new(|folder| folder), finish: Finish::Keep }
    }

    /// Sets the options of the folders, for example their patterns.
    #[must_use]
    pub fn folders(mut self, options: impl Fn(Folder) -> Folder + Send + Sync + 'static) -> Self {
        self.folders = Arc::new(options);
        self
    }

    /// Sets the treatment of a file after its outcome is recorded. Default: the file is kept.
    #[must_use]
    pub fn finish_by(mut self, finish: Finish) -> Self {
        self.finish = finish;
        self
    }

    fn documents(&self, emit: &mut dyn FnMut(ListedDocument) -> bool) -> Result<()> {
        if self.given.is_empty() {
            return Err(Error::input("no documents: the list of paths is empty; name a file or a folder"));
        }
        let is_single = self.given.len() == 1;
        let seen = TextSet::default();
        // Paths through links and `..` lead to the same folder.
        let is_new = |real: &Path| is_single || seen.insert(real.as_os_str().as_encoded_bytes());
        for path in &self.given {
            if is_folder(path)? {
                let folder = (self.folders)(Folder::new(path)).finish_by(self.finish.clone());
                let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                let mut continues = true;
                folder.documents(&mut |file, document| {
                    continues = !is_new(&real.join(&file.relative)) || emit(document);
                    continues
                })?;
                if !continues {
                    return Ok(());
                }
            } else {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let real = std::fs::canonicalize(parent).unwrap_or_default().join(path.file_name().unwrap_or_default());
                let metadata = path.metadata().ok();
                let document = document(&FoundFile { path: path.clone(), relative: PathBuf::new(), metadata })?;
                if is_new(&real) && !emit(document) {
                    return Ok(());
                }
            }
        }
        self.finish.check()
    }

    /// Returns the path through which a location was listed.
    fn root_of<'a>(&self, location: &'a Path) -> Option<&'a Path> {
        location.ancestors().filter(|ancestor| self.roots.contains(*ancestor)).last()
    }
}

/// Returns whether a path is a folder; fails unless it is a folder or a file.
fn is_folder(path: &Path) -> Result<bool> {
    let shown = path.display();
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(metadata) if metadata.is_file() => Ok(false),
        Ok(_) => Err(Error::input(format!("{shown} is neither a file nor a folder; copy its content into a file"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::input(format!("{shown}: file or folder not found; check the path")))
        }
        Err(error) => {
            Err(Error::input(format!("{shown}: cannot be read: {error}; make it readable")).with_source(error))
        }
    }
}

impl DocumentSource for Paths {
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>> {
        let paths = self.clone();
        blocking_list(move |emit| paths.documents(emit))
    }

    fn content(&self, location: &str) -> Option<Content> {
        self.root_of(Path::new(location)).map(|_| Content::File(PathBuf::from(location)))
    }

    fn finish<'a>(&'a self, location: &'a str, version: &'a str, succeeded: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let path = PathBuf::from(location);
            let root = self.root_of(&path).ok_or_else(|| {
                Error::input(format!("{location}: the document is in none of the paths of this source"))
            })?;
            let relative = match path.strip_prefix(root) {
                Ok(relative) if !relative.as_os_str().is_empty() => relative.to_owned(),
                _ => PathBuf::from(path.file_name().unwrap_or_default()),
            };
            finish_file(&self.finish, path.clone(), relative, version.to_owned(), succeeded).await
        })
    }

    fn finishes(&self) -> bool {
        self.finish != Finish::Keep
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::super::folder::{list_error, listed, names_in};
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("inbox/x")).unwrap();
        for file in ["inbox/a.pdf", "inbox/x/b.pdf", "inbox/notes.txt", "c.txt"] {
            fs::write(folder.path().join(file), file).unwrap();
        }
        folder
    }

    #[tokio::test]
    async fn lists_files_as_they_are_and_folders_by_pattern() {
        let folder = folder();
        let paths = ["inbox", "c.txt"].map(|path| folder.path().join(path));
        let documents = listed(&Paths::new(&paths)).await;
        assert_eq!(names_in(folder.path(), &documents), ["c.txt", "inbox/a.pdf", "inbox/x/b.pdf"]);
        let documents = listed(&Paths::new(&paths).folders(|folder| folder.glob("*.txt"))).await;
        assert_eq!(names_in(folder.path(), &documents), ["c.txt", "inbox/notes.txt"]);
    }

    #[tokio::test]
    async fn the_same_file_is_listed_once() {
        let folder = folder();
        let paths = ["inbox/x/b.pdf", "inbox", "inbox/a.pdf", "inbox/x/../a.pdf", "c.txt", "./c.txt", "inbox/x"];
        let documents = listed(&Paths::new(paths.map(|path| folder.path().join(path)))).await;
        assert_eq!(names_in(folder.path(), &documents), ["c.txt", "inbox/a.pdf", "inbox/x/b.pdf"]);
    }

    #[tokio::test]
    async fn missing_paths_are_one_clear_line() {
        let folder = folder();
        let missing = folder.path().join("missing.pdf");
        let error = list_error(&Paths::new([folder.path().join("c.txt"), missing.clone()])).await;
        assert_eq!(error, format!("{}: file or folder not found; check the path", missing.display()));
        let error = list_error(&Paths::new(Vec::<PathBuf>::new())).await;
        assert_eq!(error, "no documents: the list of paths is empty; name a file or a folder");
        let error =
            list_error(&Paths::new([folder.path().join("inbox/x")]).folders(|folder| folder.glob("*.tif"))).await;
        assert!(error.starts_with("no document matches *.tif in "), "{error}");
    }

    #[tokio::test]
    async fn processed_files_are_moved_with_their_path_in_the_folder() {
        let folder = folder();
        let finish = Finish::move_to(folder.path().join("done"), folder.path().join("failed"));
        let source = Paths::new(["inbox", "c.txt"].map(|path| folder.path().join(path))).finish_by(finish);
        for document in listed(&source).await {
            assert!(source.content(&document.location).is_some());
            source.finish(&document.location, &document.version, true).await.unwrap();
        }
        for name in ["a.pdf", "x/b.pdf", "c.txt"] {
            assert!(folder.path().join("done").join(name).exists(), "{name}");
        }
        assert!(source.content("/elsewhere/a.pdf").is_none());
    }
}
