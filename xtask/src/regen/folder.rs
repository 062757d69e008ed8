//! The folder `openapi/`: which document is in use there, and writing all of its files or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::record::Record;

/// The document that the build reads.
pub(super) const DOCUMENT: &str = "documine.json";
/// Our reconstruction, for people.
pub(super) const OURS: &str = "documine.yaml";
/// The user's decisions.
pub(super) const DECISIONS: &str = "mapping.toml";
/// Where the document has what the contract names.
pub(super) const MAPPED: &str = "mapped.toml";
/// Where the document comes from.
pub(super) const RECORD: &str = "PROVENANCE.md";
/// By which the build knows our reconstruction.
pub(super) const FINGERPRINT: &str = "reconstruction.txt";
/// How changes between two documents are classified.
pub(super) const TABLE: &str = "CHANGES.md";
/// What the facade needs.
pub(super) const CONTRACT: &str = "contract.toml";
/// The folder of a document that shall never be published.
pub(super) const PRIVATE: &str = "private";

/// `openapi/`, or the private folder in it.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    openapi: PathBuf,
    pub(super) private: bool,
}

impl Folder {
    pub(super) fn new(openapi: &Path, private: bool) -> Self {
        Self { openapi: openapi.to_owned(), private }
    }

    /// The one that the build reads.
    pub(super) fn in_use(openapi: &Path) -> Self {
        let private = openapi.join(PRIVATE).join(DOCUMENT).exists();
        Self::new(openapi, private)
    }

    /// A file of the document in use.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        if self.private { self.openapi.join(PRIVATE).join(name) } else { self.openapi.join(name) }
    }

    /// A file that is there once, whatever document is in use.
    pub(super) fn common(&self, name: &str) -> PathBuf {
        self.openapi.join(name)
    }

    /// How messages call a file of the document in use.
    pub(super) fn shown(&self, name: &str) -> String {
        if self.private { format!("openapi/{PRIVATE}/{name}") } else { format!("openapi/{name}") }
    }

    /// The text of a file; nothing if there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, String> {
        read(&self.path(name)).map_err(|error| format!("{}: {error}", self.shown(name)))
    }

    /// What is known of the document in use.
    pub(super) fn record(&self) -> Result<Option<Record>, String> {
        Ok(self.read(RECORD)?.and_then(|text| Record::read(&text)))
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What shall be in files; `None`: not there.
pub(super) type Files = Vec<(PathBuf, Option<String>)>;

/// Those of `files` that differ from what is there.
pub(super) fn different(files: &Files) -> Result<Files, String> {
    let mut different = Vec::new();
    for (path, text) in files {
        if read(path).map_err(|error| format!("{}: {error}", path.display()))? != *text {
            different.push((path.clone(), text.clone()));
        }
    }
    Ok(different)
}

/// What was there before, to be put back.
pub(super) struct Written(Files);

impl Written {
    /// Puts everything back.
    pub(super) fn undo(self) -> Result<(), String> {
        write(&self.0).map(drop)
    }
}

/// Writes all of `files`, or none: new texts are written beside their targets first, and only then renamed.
pub(super) fn write(files: &Files) -> Result<Written, String> {
    let shown = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let mut before: Files = Vec::new();
    for (path, _) in files {
        before.push((path.clone(), read(path).map_err(|error| shown(path, error))?));
    }
    let mut fresh: Vec<(PathBuf, PathBuf)> = Vec::new();
    let prepared = files.iter().try_for_each(|(path, text)| {
        let Some(text) = text else {
            return Ok(());
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| shown(folder, error))?;
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let beside = PathBuf::from(name);
        fresh.push((beside.clone(), path.clone()));
        fs::write(&beside, text).map_err(|error| shown(&beside, error))
    });
    let renamed = prepared.and_then(|()| {
        for (beside, path) in &fresh {
            fs::rename(beside, path).map_err(|error| shown(path, error))?;
        }
        for (path, _) in files.iter().filter(|(path, text)| text.is_none() && path.exists()) {
            fs::remove_file(path).map_err(|error| shown(path, error))?;
        }
        Ok(())
    });
    if let Err(error) = renamed {
        for (beside, _) in &fresh {
            let _ = fs::remove_file(beside);
        }
        // What was renamed already goes back; what fails now is told instead of hidden.
        for (path, text) in &before {
            let back = match text {
                Some(text) => fs::write(path, text),
                None if path.exists() => fs::remove_file(path),
                None => Ok(()),
            };
            back.map_err(|again| format!("{error}; and it could not be put back: {}", shown(path, again)))?;
        }
        return Err(error);
    }
    Ok(Written(before))
}
