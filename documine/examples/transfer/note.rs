//! A small JSON file with the ids that a restarted program needs.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Failure, Result};

/// Reads the saved ids, if any.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(path, &error)),
    };
    let noted = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!(
            "{} was not written by this program ({error}); remove it to start again",
            path.display()
        ))
    })?;
    Ok(Some(noted))
}

/// Notes it down, whole or not at all.
pub(crate) fn write(path: &Path, what: &impl Serialize) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        serde_json::to_writer(&mut file, what)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    });
    written.map_err(|error| failure(path, &error))
}

/// The path of the saved package id: beside the target file.
pub(crate) fn beside(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".operation.json");
    name.into()
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::other(format!("{}: {error}", path.display()))
}
