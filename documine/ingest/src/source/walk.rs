//! The listing of a folder, on the blocking thread pool.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use tokio::sync::mpsc;
use walkdir::{DirEntry, WalkDir};

use super::names;
use crate::error::{Error, Result};

/// Listed documents that wait for the engine.
const LOOK_AHEAD: usize = 256;

/// Runs a blocking function that lists documents. The function stops when `emit` returns `false`: the stream was dropped.
pub(super) fn blocking_list<T: Send + 'static>(
    list: impl FnOnce(&mut dyn FnMut(T) -> bool) -> Result<()> + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    // Spawned at the first poll, so that a stream can be created outside of a runtime.
    let start = async move {
        let (sender, receiver) = mpsc::channel(LOOK_AHEAD);
        let worker = tokio::task::spawn_blocking(move || {
            if let Err(error) = list(&mut |item| sender.blocking_send(Ok(item)).is_ok()) {
                let _ = sender.blocking_send(Err(error));
            }
        });
        stream::unfold((receiver, Some(worker)), |(mut receiver, worker)| async move {
            if let Some(item) = receiver.recv().await {
                return Some((item, (receiver, worker)));
            }
            // A list that ends because its thread panicked is not complete.
            match worker?.await {
                Ok(()) => None,
                Err(error) => Some((
                    Err(Error::input("listing documents: the list panicked").with_source(error)),
                    (receiver, None),
                )),
            }
        })
    };
    start.into_stream().flatten().boxed()
}

/// The patterns of a folder.
#[derive(Debug)]
pub(super) struct Patterns {
    included: GlobSet,
    excluded: GlobSet,
}

impl Patterns {
    /// Compiles patterns.
    pub(super) fn new(included: &[String], excluded: &[String], case_sensitive: bool) -> Result<Self> {
        // A folder whose whole content is excluded is not read.
        let folders = excluded.iter().filter_map(|pattern| pattern.strip_suffix("/**"));
        Ok(Self {
            included: compile(included.iter().map(String::as_str), case_sensitive)?,
            excluded: compile(excluded.iter().map(String::as_str).chain(folders), case_sensitive)?,
        })
    }

    /// Returns whether a path relative to the folder is wanted.
    pub(super) fn matches(&self, relative: &Path) -> bool {
        self.included.is_match(relative) && !self.excluded.is_match(relative)
    }

    fn excludes(&self, relative: &Path) -> bool {
        self.excluded.is_match(relative)
    }
}

fn compile<'a>(patterns: impl Iterator<Item = &'a str>, case_sensitive: bool) -> Result<GlobSet> {
    let invalid = |error: globset::Error| {
        let pattern = error.glob().unwrap_or_default();
        Error::input(format!("pattern {pattern:?}: {}; use a form like **/*.pdf", error.kind()))
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let glob = GlobBuilder::new(pattern).case_insensitive(!case_sensitive).literal_separator(true).build();
        set.add(glob.map_err(invalid)?);
    }
    set.build().map_err(invalid)
}

/// A file that a listing found.
#[derive(Debug)]
pub(super) struct FoundFile {
    /// The path: the folder as given, joined with the path in the folder.
    pub(super) path: PathBuf,
    /// The path in the folder.
    pub(super) relative: PathBuf,
    /// Size and times; `None` if they cannot be read, for example because a link leads nowhere.
    pub(super) metadata: Option<Metadata>,
}

/// The options of a listing.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) folder: &'a Path,
    pub(super) patterns: &'a Patterns,
    pub(super) hidden_files: bool,
    pub(super) temporary_files: bool,
    pub(super) follow_folders: bool,
    /// Absolute paths of folders that are skipped.
    pub(super) skipped: &'a [PathBuf],
}

impl Walk<'_> {
    /// Finds the files, until `found` returns `false`.
    pub(super) fn run(&self, found: &mut dyn FnMut(FoundFile) -> Result<bool>) -> Result<()> {
        self.check_folder()?;
        let walk = WalkDir::new(self.folder).min_depth(1).follow_links(self.follow_folders);
        for entry in walk.into_iter().filter_entry(|entry| self.enters(entry)) {
            let file = match entry {
                Ok(entry) => self.file(&entry),
                Err(error) => self.unreadable(&error)?,
            };
            if let Some(file) = file
                && !found(file)?
            {
                return Ok(());
            }
        }
        Ok(())
    }

    fn check_folder(&self) -> Result<()> {
        let shown = self.folder.display();
        match std::fs::metadata(self.folder) {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(Error::input(format!("{shown} is a file, not a folder; name the folder in which it is"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::input(format!("{shown}: folder not found; check the path")))
            }
            Err(error) => Err(unreadable_folder(self.folder, &error)),
        }
    }

    /// Returns whether a folder is entered and a file is considered.
    fn enters(&self, entry: &DirEntry) -> bool {
        let name = entry.file_name().to_string_lossy();
        if !self.hidden_files && names::is_hidden(&name) || self.patterns.excludes(self.relative(entry.path())) {
            return false;
        }
        if entry.file_type().is_dir() {
            let is_skipped = |path: PathBuf| self.skipped.contains(&path);
            return self.skipped.is_empty() || !std::path::absolute(entry.path()).is_ok_and(is_skipped);
        }
        self.temporary_files || !names::is_temporary(&name)
    }

    fn file(&self, entry: &DirEntry) -> Option<FoundFile> {
        let kind = entry.file_type();
        if !(kind.is_file() || kind.is_symlink()) || !self.patterns.matches(self.relative(entry.path())) {
            return None;
        }
        let metadata = match std::fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_file() => Some(metadata),
            Ok(_) => return None,
            // Deleted since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound && kind.is_file() => return None,
            // The document is listed, so that it fails with the cause and does not stop the others.
            Err(_) => None,
        };
        Some(self.found(entry.path(), metadata))
    }

    /// Handles an entry that cannot be read: a folder ends the listing, a link that leads nowhere is a document that fails.
    fn unreadable(&self, error: &walkdir::Error) -> Result<Option<FoundFile>> {
        let path = error.path().unwrap_or(self.folder);
        // A link to a folder above it.
        if error.loop_ancestor().is_some() {
            return Ok(None);
        }
        let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        match error.io_error() {
            Some(cause) if cause.kind() == io::ErrorKind::NotFound => {
                let name = names::file_name(path);
                let is_wanted = is_link
                    && self.patterns.matches(self.relative(path))
                    && (self.hidden_files || !names::is_hidden(&name))
                    && (self.temporary_files || !names::is_temporary(&name));
                Ok(is_wanted.then(|| self.found(path, None)))
            }
            Some(cause) => Err(unreadable_folder(path, cause)),
            None => Err(Error::input(format!("{}: cannot be read: {error}", path.display()))),
        }
    }

    fn found(&self, path: &Path, metadata: Option<Metadata>) -> FoundFile {
        FoundFile { path: path.to_owned(), relative: self.relative(path).to_owned(), metadata }
    }

    fn relative<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(self.folder).unwrap_or(path)
    }
}

fn unreadable_folder(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    Error::input(format!("{shown}: the folder cannot be read: {error}; make it readable, or exclude it"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[tokio::test]
    async fn a_list_that_panics_is_an_error() {
        let documents = blocking_list(|emit| {
            emit(1);
            panic!("test")
        });
        let documents: Vec<_> = documents.collect().await;
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[1].as_ref().unwrap_err().to_string(), "listing documents: the list panicked");
    }

    #[tokio::test]
    async fn a_dropped_stream_stops_its_list() {
        let (sender, stopped) = tokio::sync::oneshot::channel();
        let mut documents = blocking_list(|emit| {
            while emit(1) {}
            let _ = sender.send(());
            Ok(())
        });
        assert_eq!(documents.next().await.unwrap().unwrap(), 1);
        drop(documents);
        stopped.await.unwrap();
    }
}
