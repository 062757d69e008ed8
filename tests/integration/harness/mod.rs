//! Shared test environment: simulator and client, scripted servers, fixtures, recorders.

pub mod assertions;
pub mod canned_server;
pub mod field_recorder;
pub mod login;
pub mod messages;
pub mod package_file;
pub mod package_server;
pub mod pdf_fixtures;
pub mod properties;
pub mod scripted;
pub mod stored_login;
#[cfg(unix)]
pub mod subprocess;
pub mod test_env;
pub mod zip_fixtures;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Returns the sorted names of the files in a folder.
pub fn file_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Creates a folder and returns it with the path of `a.zip` in the folder; the file does not exist.
pub fn zip_target() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    (folder, target)
}
