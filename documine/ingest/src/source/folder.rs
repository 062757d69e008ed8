//! The files of a folder.

use std::path::{Path, PathBuf};

use documine::BoxFuture;
#[cfg(test)]
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::content::{Content, file_version};
use super::finish::Finish;
use super::walk::{FoundFile, Patterns, Walk, blocking_list};
use super::{DEFAULT_PATTERN, DocumentSource, names};
use crate::document::ListedDocument;
use crate::error::{Error, Result};

/// The files of a folder and its sub-folders that match a pattern.
///
/// A document's name in tables is its path as it is printed by common tools: the folder as given, `/`, and the path within the folder. Names must be
/// valid UTF-8; a matching file with another name, a sub-folder that cannot be read, and a folder without a matching file are errors before the
/// first upload. A file that cannot be read is a document that fails.
///
/// ```
/// use documine_ingest::source::{Finish, Folder};
/// let inbox = Folder::new("inbox")
///     .glob("**/*.pdf")
///     .glob("scans/*.tif")
///     .exclude("drafts/**")
///     .finish_by(Finish::move_to("done", "failed"));
/// ```
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "independent options, each with its own method")]
pub struct Folder {
    path: PathBuf,
    included: Vec<String>,
    excluded: Vec<String>,
    case_sensitive: bool,
    hidden_files: bool,
    temporary_files: bool,
    follow_folders: bool,
    may_be_empty: bool,
    finish: Finish,
}

impl Folder {
    /// Creates a source of all files below a folder whose names end with `.pdf`, in upper or lower case.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            included: Vec::new(),
            excluded: Vec::new(),
            case_sensitive: false,
            hidden_files: false,
            temporary_files: false,
            follow_folders: false,
            may_be_empty: false,
            finish: Finish::Keep,
        }
    }

    /// Adds a pattern; a file must match one of them. Default: `**/*.pdf`.
    ///
    /// A pattern is compared with the path within the folder. `*` and `?` match within one component, `**` any number of components, `[a-z]` a range,
    /// and `{a,b}` alternatives, as in the [globset] crate.
    ///
    /// [globset]: https://docs.rs/globset/latest/globset/#syntax
    #[must_use]
    pub fn glob(mut self, pattern: impl Into<String>) -> Self {
        self.included.push(pattern.into());
        self
    }

    /// Adds a pattern of files and folders that are skipped, in the notation of [`glob`](Self::glob). A skipped folder is not read.
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

    /// Sets whether files and folders whose names begin with `.` are listed. Default: `false`.
    #[must_use]
    pub fn hidden_files(mut self, yes: bool) -> Self {
        self.hidden_files = yes;
        self
    }

    /// Sets whether files with temporary names are listed: `~$…`, `….part`, `….tmp`, `….crdownload`, `….filepart` and the like. Default: `false`.
    #[must_use]
    pub fn temporary_files(mut self, yes: bool) -> Self {
        self.temporary_files = yes;
        self
    }

    /// Sets whether symbolic links to folders are followed, except into a listed folder above the link. Links to files always are. Default: `false`.
    #[must_use]
    pub fn follow_folders(mut self, yes: bool) -> Self {
        self.follow_folders = yes;
        self
    }

    /// Sets whether a folder without a matching file is accepted. Default: `false`, and `true` if processed files are moved or deleted.
    #[must_use]
    pub fn may_be_empty(mut self, yes: bool) -> Self {
        self.may_be_empty = yes;
        self
    }

    /// Sets the treatment of a file after its outcome is recorded. Default: the file is kept. The folders of [`Finish::MoveTo`] may be in this folder;
    /// their files are not listed.
    #[must_use]
    pub fn finish_by(mut self, finish: Finish) -> Self {
        self.may_be_empty |= finish != Finish::Keep;
        self.finish = finish;
        self
    }

    /// Returns the path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lists the files on this thread, until `found` returns `false`.
    pub(super) fn walk(&self, found: &mut dyn FnMut(FoundFile) -> Result<bool>) -> Result<()> {
        let default = [DEFAULT_PATTERN.to_owned()];
        let included = if self.included.is_empty() { &default[..] } else { &self.included };
        let patterns = Patterns::new(included, &self.excluded, self.case_sensitive)?;
        let skipped = self.finish.folders()?;
        if skipped.contains(&names::absolute(&self.path)?) {
            let shown = self.path.display();
            return Err(Error::input(format!(
                "{shown}: the folder for processed documents is the source folder; choose another"
            )));
        }
        let walk = Walk {
            folder: &self.path,
            patterns: &patterns,
            hidden_files: self.hidden_files,
            temporary_files: self.temporary_files,
            follow_folders: self.follow_folders,
            skipped: &skipped,
        };
        let mut has_matches = false;
        walk.run(&mut |file| {
            has_matches = true;
            found(file)
        })?;
        if has_matches || self.may_be_empty {
            return Ok(());
        }
        let (shown, patterns) = (self.path.display(), included.join(" or "));
        Err(Error::input(format!("no document matches {patterns} in {shown}; check the folder and the pattern")))
    }

    /// Checks the settings and lists the documents on this thread, until `emit` returns `false`.
    pub(super) fn documents(&self, emit: &mut dyn FnMut(FoundFile, ListedDocument) -> bool) -> Result<()> {
        self.walk(&mut |file| {
            let document = document(&file)?;
            Ok(emit(file, document))
        })?;
        // After the listing, so that a mistyped source folder does not create others.
        self.finish.check()
    }
}

/// Returns the document of a file.
pub(super) fn document(file: &FoundFile) -> Result<ListedDocument> {
    let source = names::text(&file.path)?;
    let location = names::absolute(&file.path)?;
    let location = location.to_str().ok_or_else(|| {
        Error::input(format!(
            "{}: the name of a folder above is not valid UTF-8; rename it, or copy the documents",
            location.display()
        ))
    })?;
    let document = ListedDocument::new(source, location, names::file_name(&file.path));
    Ok(match &file.metadata {
        Some(metadata) => document.size(metadata.len()).version(file_version(metadata)),
        None => document,
    })
}

impl DocumentSource for Folder {
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>> {
        let folder = self.clone();
        blocking_list(move |emit| folder.documents(&mut |_, document| emit(document)))
    }

    fn content(&self, location: &str) -> Option<Content> {
        let root = names::absolute(&self.path).ok()?;
        Path::new(location).starts_with(root).then(|| Content::File(PathBuf::from(location)))
    }

    fn finish<'a>(&'a self, location: &'a str, version: &'a str, succeeded: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let root = names::absolute(&self.path)?;
            let path = PathBuf::from(location);
            let relative = path.strip_prefix(root).map_err(|error| {
                Error::input(format!("{location}: the document is not in {}", self.path.display())).with_source(error)
            })?;
            finish_file(&self.finish, path.clone(), relative.to_owned(), version.to_owned(), succeeded).await
        })
    }

    fn finishes(&self) -> bool {
        self.finish != Finish::Keep
    }
}

/// Moves or deletes a file on the blocking thread pool.
pub(super) async fn finish_file(
    finish: &Finish,
    path: PathBuf,
    relative: PathBuf,
    version: String,
    succeeded: bool,
) -> Result<()> {
    let finish = finish.clone();
    let work = tokio::task::spawn_blocking(move || finish.apply(&path, &relative, &version, succeeded));
    work.await.map_err(|error| Error::input("moving a document: the task panicked").with_source(error))?
}

/// Lists a source in the order of the names.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) async fn listed(source: &impl DocumentSource) -> Vec<ListedDocument> {
    let mut documents: Vec<_> = source.list().map(Result::unwrap).collect().await;
    documents.sort_by(|a, b| a.source.cmp(&b.source));
    documents
}

/// Returns the error of a list, which is its last item.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) async fn list_error(source: &impl DocumentSource) -> String {
    let documents: Vec<_> = source.list().collect().await;
    documents.last().unwrap().as_ref().unwrap_err().to_string()
}

/// Returns the names of the documents without the folder of the test.
#[cfg(test)]
pub(super) fn names_in(folder: &Path, documents: &[ListedDocument]) -> Vec<String> {
    let prefix = format!("{}/", folder.display()).replace('\\', "/");
    documents.iter().map(|document| document.source.replacen(&prefix, "", 1)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    fn folder_of(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    async fn found(folder: Folder) -> Vec<String> {
        let documents = listed(&folder).await;
        names_in(folder.path(), &documents)
    }

    #[tokio::test]
    async fn lists_pdf_files_of_all_sub_folders_by_default() {
        let folder = folder_of(&["a.pdf", "B.PDF", "x/y/c.pdf", "notes.txt", ".d.pdf", ".git/e.pdf", "~$f.pdf", "pdf"]);
        let documents = listed(&Folder::new(folder.path())).await;
        assert_eq!(names_in(folder.path(), &documents), ["B.PDF", "a.pdf", "x/y/c.pdf"]);
        let document = documents.last().unwrap();
        assert_eq!((document.file_name.as_str(), document.size), ("c.pdf", Some(9)));
        let path = folder.path().join("x/y/c.pdf");
        assert_eq!(document.location, path.to_str().unwrap());
        assert_eq!(document.version, Content::File(path).version().await.unwrap());
    }

    #[tokio::test]
    async fn patterns_select_and_exclude() {
        let folder = folder_of(&["a.pdf", "b.tif", "x/c.tif", "x/d.pdf", "x/drafts/e.pdf", "z.txt"]);
        let source = || Folder::new(folder.path());
        assert_eq!(found(source().glob("*.pdf")).await, ["a.pdf"]);
        assert_eq!(found(source().glob("*.{pdf,tif}").glob("x/*.tif")).await, ["a.pdf", "b.tif", "x/c.tif"]);
        assert_eq!(found(source().exclude("**/drafts/**")).await, ["a.pdf", "x/d.pdf"]);
        assert_eq!(found(source().exclude("x")).await, ["a.pdf"]);
        assert_eq!(found(source().glob("**/*.PDF").exclude("x")).await, ["a.pdf"]);
        let error = list_error(&source().glob("**/*.PDF").case_sensitive(true)).await;
        let shown = folder.path().display();
        assert_eq!(error, format!("no document matches **/*.PDF in {shown}; check the folder and the pattern"));
    }

    #[tokio::test]
    async fn hidden_and_temporary_files_are_listed_on_request() {
        let folder = folder_of(&["a.pdf", ".b.pdf", ".c/d.pdf", "~$e.pdf", "f.pdf.part"]);
        let source = || Folder::new(folder.path()).glob("**/*");
        assert_eq!(found(source()).await, ["a.pdf"]);
        assert_eq!(found(source().hidden_files(true)).await, [".b.pdf", ".c/d.pdf", "a.pdf"]);
        assert_eq!(found(source().temporary_files(true)).await, ["a.pdf", "f.pdf.part", "~$e.pdf"]);
    }

    #[tokio::test]
    async fn names_begin_with_the_folder_as_given() {
        // Tests run in the folder of this package.
        let documents = listed(&Folder::new("./src/source/").glob("folder.rs")).await;
        assert_eq!(
            documents.iter().map(|document| document.source.as_str()).collect::<Vec<_>>(),
            ["./src/source/folder.rs"]
        );
        let documents = listed(&Folder::new(".").glob("src/lib.rs")).await;
        assert_eq!(documents.iter().map(|document| document.source.as_str()).collect::<Vec<_>>(), ["./src/lib.rs"]);
    }

    #[tokio::test]
    async fn wrong_folders_and_patterns_are_one_clear_line() {
        let folder = folder_of(&["a.pdf"]);
        let missing = folder.path().join("missing");
        let error = list_error(&Folder::new(&missing)).await;
        assert_eq!(error, format!("{}: folder not found; check the path", missing.display()));
        let file = folder.path().join("a.pdf");
        let error = list_error(&Folder::new(&file)).await;
        assert_eq!(error, format!("{} is a file, not a folder; name the folder in which it is", file.display()));
        let error = list_error(&Folder::new(folder.path()).glob("**/[.pdf")).await;
        assert!(error.starts_with("pattern \"**/[.pdf\": "), "{error}");
        let error = list_error(&Folder::new(folder.path()).finish_by(Finish::move_to(folder.path(), "failed"))).await;
        assert!(
            error.ends_with(": the folder for processed documents is the source folder; choose another"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_folder_may_be_empty_on_request_and_when_files_are_moved() {
        let folder = folder_of(&["notes.txt"]);
        assert!(listed(&Folder::new(folder.path()).may_be_empty(true)).await.is_empty());
        let finish = Finish::move_to(folder.path().join("done"), folder.path().join("failed"));
        assert!(listed(&Folder::new(folder.path()).finish_by(finish)).await.is_empty());
    }

    /// Processes of the superuser can read everything, so the test needs an unprivileged user.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_sub_folder_that_cannot_be_read_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder_of(&["a.pdf", "private/b.pdf"]);
        let private = folder.path().join("private");
        fs::set_permissions(&private, fs::Permissions::from_mode(0o000)).unwrap();
        let is_superuser = fs::read_dir(&private).is_ok();
        if !is_superuser {
            let error = list_error(&Folder::new(folder.path())).await;
            let start = format!("{}: the folder cannot be read: ", private.display());
            assert!(error.starts_with(&start) && error.ends_with("; make it readable, or exclude it"), "{error}");
            assert_eq!(found(Folder::new(folder.path()).exclude("private/**")).await, ["a.pdf"]);
        }
        fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_to_files_are_followed_and_loops_are_not() {
        use std::os::unix::fs::symlink;
        let folder = folder_of(&["inbox/a.pdf", "inbox/x/c.pdf", "archive/b.pdf"]);
        let inbox = folder.path().join("inbox");
        symlink("../archive/b.pdf", inbox.join("link.pdf")).unwrap();
        symlink("nowhere.pdf", inbox.join("broken.pdf")).unwrap();
        symlink("../archive", inbox.join("archive")).unwrap();
        symlink("..", inbox.join("x/loop")).unwrap();
        symlink(".", inbox.join("self")).unwrap();
        let documents = listed(&Folder::new(&inbox)).await;
        assert_eq!(names_in(&inbox, &documents), ["a.pdf", "broken.pdf", "link.pdf", "x/c.pdf"]);
        assert_eq!(documents[1].version, "", "a link that leads nowhere is a document that fails");
        assert_eq!(documents[2].size, Some(13));
        let names = found(Folder::new(&inbox).follow_folders(true)).await;
        assert_eq!(names, ["a.pdf", "archive/b.pdf", "broken.pdf", "link.pdf", "x/c.pdf"]);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_name_that_is_not_utf_8_is_named_unless_excluded() {
        use std::os::unix::ffi::OsStrExt;
        let folder = folder_of(&["a.pdf"]);
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.pdf")), "").unwrap();
        let error = list_error(&Folder::new(folder.path())).await;
        let name = format!("{}/caf\u{fffd}.pdf", folder.path().display());
        assert_eq!(error, format!("{name}: the name is not valid UTF-8; rename the file, or exclude it"));
        assert_eq!(found(Folder::new(folder.path()).exclude("caf*.pdf")).await, ["a.pdf"]);
    }

    #[tokio::test]
    async fn processed_files_are_moved_and_not_listed_again() {
        let folder = folder_of(&["x/a.pdf", "b.pdf"]);
        let finish = Finish::move_to(folder.path().join("done"), folder.path().join("failed"));
        let source = Folder::new(folder.path()).finish_by(finish);
        assert!(source.finishes() && !Folder::new("inbox").finishes());
        for document in listed(&source).await {
            let is_good = document.file_name == "a.pdf";
            source.finish(&document.location, &document.version, is_good).await.unwrap();
        }
        assert!(folder.path().join("done/x/a.pdf").exists() && folder.path().join("failed/b.pdf").exists());
        assert!(listed(&source).await.is_empty());
    }

    #[tokio::test]
    async fn owns_the_documents_below_it() {
        let folder = folder_of(&["a.pdf"]);
        let source = Folder::new(folder.path());
        let location = folder.path().join("a.pdf");
        assert!(matches!(source.content(location.to_str().unwrap()), Some(Content::File(path)) if path == location));
        assert!(source.content("/elsewhere/a.pdf").is_none());
        assert!(source.content("s3://bucket/a.pdf").is_none());
        let error = source.finish("/elsewhere/a.pdf", "", true).await.unwrap_err().to_string();
        assert_eq!(error, format!("/elsewhere/a.pdf: the document is not in {}", folder.path().display()));
    }
}
