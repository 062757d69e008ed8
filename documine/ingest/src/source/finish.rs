//! Moving or deleting a file whose outcome is recorded.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::content::file_version;
use super::names;
use crate::error::{Error, Result};

/// Most files of one name in a folder of processed documents.
pub(super) const MAX_NUMBER: u32 = 10_000;

/// The treatment of a source file after its outcome is recorded.
///
/// A file that changed since it was read is left where it is: the next run processes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// Keeps the file. The default.
    #[default]
    Keep,
    /// Deletes the file if its values are recorded. The file of a document that failed stays. Of a link, the link is deleted and not its target.
    Delete,
    /// Moves the file into one of two folders, which are created if necessary.
    ///
    /// The path within the source folder is kept. An existing file is never replaced: a second `a.pdf` becomes `a (2).pdf`; if both have the same
    /// content, one of them is kept. Across file systems, the file is copied and synced before the original is deleted. A link is replaced by a copy of
    /// the file to which it leads.
    MoveTo {
        /// The folder of documents whose values are recorded.
        done: PathBuf,
        /// The folder of documents that failed.
        failed: PathBuf,
    },
}

impl Finish {
    /// Creates [`Finish::MoveTo`].
    pub fn move_to(done: impl Into<PathBuf>, failed: impl Into<PathBuf>) -> Self {
        Self::MoveTo { done: done.into(), failed: failed.into() }
    }

    /// Returns the absolute paths of the folders to which documents are moved.
    pub(super) fn folders(&self) -> Result<Vec<PathBuf>> {
        match self {
            Self::Keep | Self::Delete => Ok(Vec::new()),
            Self::MoveTo { done, failed } => [done, failed].into_iter().map(|folder| names::absolute(folder)).collect(),
        }
    }

    /// Creates the folders and checks that they can be written.
    pub(super) fn check(&self) -> Result<()> {
        for folder in self.folders()? {
            let probe = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
            probe.map_err(|error| {
                let shown = folder.display();
                Error::input(format!(
                    "{shown}: the folder for processed documents cannot be written: {error}; make it writable, or choose another"
                ))
                .with_source(error)
            })?;
        }
        Ok(())
    }

    /// Moves or deletes a file. `relative` is its path in the folder of processed documents. Does nothing if the file does not exist, or if its version
    /// is not `version` and that is not empty.
    pub(super) fn apply(&self, path: &Path, relative: &Path, version: &str, succeeded: bool) -> Result<()> {
        let target = match self {
            Self::Keep => return Ok(()),
            Self::Delete if !succeeded => return Ok(()),
            Self::Delete => None,
            Self::MoveTo { done, failed } => Some(names::absolute(if succeeded { done } else { failed })?),
        };
        let failed = |what: &str, error: io::Error| {
            let shown = path.display();
            Error::input(format!("{shown}: the processed document cannot be {what}: {error}")).with_source(error)
        };
        let link = match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            link => link.map_err(|error| failed("read", error))?,
        };
        let metadata = match path.metadata() {
            // A link that leads nowhere has no version.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            metadata => Some(metadata.map_err(|error| failed("read", error))?),
        };
        let current = metadata.as_ref().map(file_version).unwrap_or_default();
        if !version.is_empty() && current != version {
            tracing::warn!(path = %path.display(), "the document changed while it was processed, and stays in its folder");
            return Ok(());
        }
        match (target, metadata) {
            (Some(target), Some(metadata)) => {
                move_file(path, &link, &metadata, &target.join(relative)).map_err(|error| failed("moved", error))
            }
            (Some(_), None) => Ok(()),
            (None, _) => remove(path).map_err(|error| failed("deleted", error)),
        }
    }
}

/// Moves a file to `target`, or to a numbered name if there is another file.
///
/// A move that was interrupted leaves the file under both names; the repeated call finds the equal file and deletes the original.
fn move_file(path: &Path, link: &Metadata, metadata: &Metadata, target: &Path) -> io::Result<()> {
    let folder = target.parent().unwrap_or(target);
    fs::create_dir_all(folder)?;
    let source_folder = path.parent().unwrap_or(path);
    if fs::canonicalize(folder)? == fs::canonicalize(source_folder)? {
        let message =
            format!("{} is already its folder; choose another folder for processed documents", folder.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    for number in 1..=MAX_NUMBER {
        let target = numbered(target, number);
        let placed = if link.is_symlink() { copy(path, metadata, &target) } else { place(path, metadata, &target) };
        match placed {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !is_same(path, metadata, &target)? {
                    continue;
                }
            }
            Err(error) => return Err(error),
        }
        // Both names are on disk before one of them is removed.
        sync_folder(folder)?;
        return remove(path);
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists {MAX_NUMBER} times", target.display())))
}

/// Gives a file a second name. Copies the file if the file system cannot do that.
fn place(path: &Path, metadata: &Metadata, target: &Path) -> io::Result<()> {
    match fs::hard_link(path, target) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => copy(path, metadata, target),
        placed => placed,
    }
}

/// Copies a file with its times and permissions. The copy appears whole under its name, and replaces nothing.
fn copy(path: &Path, metadata: &Metadata, target: &Path) -> io::Result<()> {
    if target.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let folder = target.parent().unwrap_or(target);
    let mut copy = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
    io::copy(&mut File::open(path)?, copy.as_file_mut())?;
    if let Ok(modified) = metadata.modified() {
        copy.as_file().set_modified(modified)?;
    }
    copy.as_file().set_permissions(metadata.permissions())?;
    copy.as_file().sync_all()?;
    copy.persist_noclobber(target).map(|_| ()).map_err(|error| error.error)
}

/// Returns whether two files have the same content.
fn is_same(path: &Path, metadata: &Metadata, other: &Path) -> io::Result<bool> {
    // A link could lead to the very file that is to be removed.
    let other_metadata = other.symlink_metadata()?;
    if !other_metadata.is_file() || other_metadata.len() != metadata.len() {
        return Ok(false);
    }
    if file_version(&other_metadata) == file_version(metadata) && cfg!(unix) {
        return Ok(true);
    }
    let (mut first, mut second) = (File::open(path)?, File::open(other)?);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        (&mut first).take(1 << 16).read_to_end(&mut left)?;
        (&mut second).take(1 << 16).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

/// Returns the path for a number: `a.pdf`, `a (2).pdf`, and so on.
pub(super) fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    path.with_file_name(format!("{stem} ({number}){}", extension.unwrap_or_default()))
}

/// Writes the entries of a folder to disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Deletes a file, which may be gone.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    struct Folders {
        root: tempfile::TempDir,
        finish: Finish,
    }

    impl Folders {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let finish = Finish::move_to(root.path().join("done"), root.path().join("failed"));
            fs::create_dir(root.path().join("inbox")).unwrap();
            Self { root, finish }
        }

        fn write(&self, name: &str, content: &str) -> PathBuf {
            let path = self.root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            path
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.root.path().join(name)).unwrap()
        }

        fn names(&self, folder: &str) -> Vec<String> {
            let mut names: Vec<_> = fs::read_dir(self.root.path().join(folder))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    fn version(path: &Path) -> String {
        file_version(&path.metadata().unwrap())
    }

    #[test]
    fn moves_by_outcome_and_keeps_the_relative_path() {
        let folders = Folders::new();
        let (good, bad) = (folders.write("inbox/2026/a.pdf", "a"), folders.write("inbox/b.pdf", "b"));
        folders.finish.apply(&good, Path::new("2026/a.pdf"), &version(&good), true).unwrap();
        folders.finish.apply(&bad, Path::new("b.pdf"), &version(&bad), false).unwrap();
        assert_eq!((folders.read("done/2026/a.pdf"), folders.read("failed/b.pdf")), ("a".into(), "b".into()));
        assert!(!good.exists() && !bad.exists());
        // The document is gone: a repeated call does nothing.
        folders.finish.apply(&good, Path::new("2026/a.pdf"), "any version", true).unwrap();
    }

    #[test]
    fn numbers_a_file_instead_of_replacing_another() {
        let folders = Folders::new();
        for content in ["1", "2", "3"] {
            let path = folders.write("inbox/a.pdf", content);
            folders.finish.apply(&path, Path::new("a.pdf"), "", true).unwrap();
        }
        assert_eq!(folders.names("done"), ["a (2).pdf", "a (3).pdf", "a.pdf"]);
        assert_eq!([folders.read("done/a.pdf"), folders.read("done/a (3).pdf")], ["1", "3"]);
    }

    #[test]
    fn continues_a_move_that_was_killed() {
        // On one file system: killed between the second name and the removal of the first.
        let folders = Folders::new();
        let path = folders.write("inbox/a.pdf", "a");
        fs::create_dir(folders.root.path().join("done")).unwrap();
        fs::hard_link(&path, folders.root.path().join("done/a.pdf")).unwrap();
        folders.finish.apply(&path, Path::new("a.pdf"), &version(&path), true).unwrap();
        assert!(!path.exists());
        assert_eq!(folders.names("done"), ["a.pdf"]);
        // Across file systems: killed between the copy and the removal of the original.
        let path = folders.write("inbox/a.pdf", "a");
        folders.finish.apply(&path, Path::new("a.pdf"), &version(&path), true).unwrap();
        assert!(!path.exists());
        assert_eq!(folders.names("done"), ["a.pdf"]);
    }

    #[test]
    fn copies_where_a_second_name_is_impossible() {
        let folders = Folders::new();
        let path = folders.write("inbox/a.pdf", "a");
        let metadata = path.metadata().unwrap();
        let target = folders.write("done/b.pdf", "b").with_file_name("a.pdf");
        copy(&path, &metadata, &target).unwrap();
        assert_eq!(folders.read("done/a.pdf"), "a");
        assert_eq!(target.metadata().unwrap().modified().unwrap(), metadata.modified().unwrap());
        assert_eq!(copy(&path, &metadata, &target).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(folders.names("done"), ["a.pdf", "b.pdf"], "no temporary file is left");
    }

    /// Linux has a second file system in memory, where the test runs if it can.
    #[cfg(target_os = "linux")]
    #[test]
    fn moves_across_file_systems() {
        use std::os::unix::fs::MetadataExt;
        let folders = Folders::new();
        let path = folders.write("inbox/a.pdf", "a");
        let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
        if other.path().metadata().unwrap().dev() == path.metadata().unwrap().dev() {
            return;
        }
        let finish = Finish::move_to(other.path().join("done"), other.path().join("failed"));
        finish.check().unwrap();
        finish.apply(&path, Path::new("x/a.pdf"), &version(&path), true).unwrap();
        assert_eq!(fs::read_to_string(other.path().join("done/x/a.pdf")).unwrap(), "a");
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_changed_stays() {
        let folders = Folders::new();
        let path = folders.write("inbox/a.pdf", "a");
        let processed = version(&path);
        fs::write(&path, "changed").unwrap();
        folders.finish.apply(&path, Path::new("a.pdf"), &processed, true).unwrap();
        Finish::Delete.apply(&path, Path::new("a.pdf"), &processed, true).unwrap();
        assert_eq!(folders.read("inbox/a.pdf"), "changed");
    }

    #[test]
    fn deletes_only_documents_that_succeeded() {
        let folders = Folders::new();
        let path = folders.write("inbox/a.pdf", "a");
        Finish::Delete.apply(&path, Path::new("a.pdf"), &version(&path), false).unwrap();
        assert!(path.exists());
        Finish::Delete.apply(&path, Path::new("a.pdf"), &version(&path), true).unwrap();
        Finish::Delete.apply(&path, Path::new("a.pdf"), "", true).unwrap();
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_by_a_copy_and_its_target_stays() {
        let folders = Folders::new();
        let target = folders.write("archive/a.pdf", "a");
        let link = folders.root.path().join("inbox/a.pdf");
        std::os::unix::fs::symlink("../archive/a.pdf", &link).unwrap();
        folders.finish.apply(&link, Path::new("a.pdf"), &version(&link), true).unwrap();
        assert!(link.symlink_metadata().is_err() && target.exists());
        let moved = folders.root.path().join("done/a.pdf");
        assert!(moved.symlink_metadata().unwrap().is_file());
        assert_eq!(folders.read("done/a.pdf"), "a");
    }

    #[test]
    fn a_folder_that_cannot_be_created_is_named() {
        let folders = Folders::new();
        let file = folders.write("file", "");
        let error = Finish::move_to(file.join("done"), file.join("failed")).check().unwrap_err().to_string();
        let start = format!("{}: the folder for processed documents cannot be written: ", file.join("done").display());
        assert!(error.starts_with(&start), "{error}");
        assert!(error.ends_with("; make it writable, or choose another"), "{error}");
    }
}
