//! The folder `openapi/`: finds the document in use, and writes all of its files or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::record::Record;

/// The document that the build reads.
pub(super) const DOCUMENT: &str = "documine.json";
/// The reconstruction, for people.
pub(super) const OURS: &str = "documine.yaml";
/// The user's decisions.
pub(super) const DECISIONS: &str = "mapping.toml";
/// Names in the document for the elements of the contract.
pub(super) const MAPPED: &str = "mapped.toml";
/// Origin of the document.
pub(super) const RECORD: &str = "PROVENANCE.md";
/// Checksum by which the build recognises the reconstruction.
pub(super) const FINGERPRINT: &str = "reconstruction.txt";
/// Kinds of changes between two documents, with their effects.
pub(super) const CHANGES: &str = "CHANGES.md";
/// Elements that the facade needs.
pub(super) const CONTRACT: &str = "contract.toml";
/// Folder of a document that must not be published.
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

    /// Returns the folder that the build reads.
    pub(super) fn in_use(openapi: &Path) -> Self {
        let private = openapi.join(PRIVATE).join(DOCUMENT).exists();
        Self::new(openapi, private)
    }

    /// Returns the path of a file of this folder's document.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        if self.private { self.openapi.join(PRIVATE).join(name) } else { self.openapi.join(name) }
    }

    /// Returns the path of a file that does not depend on the document in use.
    pub(super) fn common(&self, name: &str) -> PathBuf {
        self.openapi.join(name)
    }

    /// Returns the name of a file for messages.
    pub(super) fn shown(&self, name: &str) -> String {
        if self.private { format!("openapi/{PRIVATE}/{name}") } else { format!("openapi/{name}") }
    }

    /// Reads a file. `None`: the file does not exist.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, String> {
        read(&self.path(name)).map_err(|error| format!("{}: {error}", self.shown(name)))
    }

    /// Reads the origin of this folder's document.
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

/// Files with the text that they must have. `None`: the file must not exist.
pub(super) type Files = Vec<(PathBuf, Option<String>)>;

/// Selects the files that differ from the disk.
pub(super) fn different(files: &Files) -> Result<Files, String> {
    let mut different = Vec::new();
    for (path, text) in files {
        if read(path).map_err(|error| format!("{}: {error}", path.display()))? != *text {
            different.push((path.clone(), text.clone()));
        }
    }
    Ok(different)
}

/// Previous content of the written files.
pub(super) struct Written(Files);

impl Written {
    /// Restores the previous content.
    pub(super) fn undo(self) -> Result<(), String> {
        write(&self.0).map(drop)
    }
}

/// Writes all files or none: each text goes to a temporary file first, and all temporary files are renamed at the end.
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
        // Files that were renamed already are restored; a failure of that is reported as well.
        for (path, text) in &before {
            let back = match text {
                Some(text) => fs::write(path, text),
                None if path.exists() => fs::remove_file(path),
                None => Ok(()),
            };
            back.map_err(|second| format!("{error}; restore the previous file: {}", shown(path, second)))?;
        }
        return Err(error);
    }
    Ok(Written(before))
}
