//! The destination of a downloaded file: its path, its temporary file, and the rename to its final name.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::disk::{folder_of, put_in_place, sync_folder, write_failure};
use crate::error::Error;

/// The highest number that is appended to a file name.
const MAX_NUMBER: u32 = 9_999;

/// The treatment of an existing file of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum IfExists {
    /// Replaces the existing file atomically.
    #[default]
    Replace,
    /// Keeps the existing file and fails the call.
    Refuse,
    /// Keeps the existing file and appends a number to the new name: `name (2).zip`.
    Number,
}

/// The target of a download.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// A file at this path.
    File(PathBuf),
    /// A file in this folder, whose name the service suggests.
    Folder(PathBuf),
}

impl Destination {
    pub(crate) fn path(&self) -> &Path {
        let (Self::File(path) | Self::Folder(path)) = self;
        path
    }

    /// Returns the final path, for which a folder needs `name`.
    pub(crate) fn target(&self, name: &str) -> PathBuf {
        match self {
            Self::File(target) => target.clone(),
            Self::Folder(folder) => folder.join(name),
        }
    }

    /// Detects errors that are known before anything is downloaded.
    pub(crate) fn check(&self, if_exists: IfExists) -> io::Result<()> {
        match self {
            Self::Folder(folder) if !folder.is_dir() => Err(io::Error::other("not a folder")),
            Self::File(target) if target.file_name().is_none() => Err(io::Error::other("the path has no file name")),
            Self::File(target) if target.is_dir() => Err(io::Error::other("the path is a folder; append a file name")),
            Self::File(target) if if_exists == IfExists::Refuse && target.symlink_metadata().is_ok() => {
                Err(file_exists())
            }
            Self::Folder(_) | Self::File(_) => Ok(()),
        }
    }

    /// Creates a temporary file in the folder of the target.
    pub(crate) fn create_temporary(&self) -> io::Result<(File, TempPath)> {
        let folder = match self {
            Self::File(target) => folder_of(target),
            Self::Folder(folder) => folder,
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".documine-").suffix(".part");
        #[cfg(unix)]
        {
            // The umask applies, as for any other new file.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        Ok(builder.tempfile_in(folder)?.into_parts())
    }
}

/// Creates the error of a file that cannot be written.
pub(crate) fn write_error(path: &Path, error: io::Error) -> Error {
    write_failure(&format!("cannot write {}", path.display()), error)
}

/// Renames a complete file to its target, or to a numbered name. An existing file is touched only if it is to be replaced.
pub(crate) fn rename_to(mut file: TempPath, target: PathBuf, if_exists: IfExists) -> io::Result<PathBuf> {
    if if_exists == IfExists::Replace {
        return put_in_place(file, &target).map(|()| target);
    }
    let last = if if_exists == IfExists::Number { MAX_NUMBER } else { 1 };
    for number in 1..=last {
        let candidate = if number == 1 { target.clone() } else { numbered(&target, number) };
        match file.persist_noclobber(&candidate) {
            Ok(()) => {
                sync_folder(folder_of(&candidate));
                return Ok(candidate);
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.path,
            Err(error) => return Err(error.error),
        }
    }
    Err(file_exists())
}

fn file_exists() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "file exists")
}

/// Inserts a number before the extension: `name (2).zip`.
fn numbered(target: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(target.file_stem().unwrap_or_default());
    name.push(format!(" ({number})"));
    if let Some(extension) = target.extension() {
        name.push(".");
        name.push(extension);
    }
    target.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_a_number_before_the_extension() {
        assert_eq!(numbered(Path::new("out/a.b.zip"), 2), Path::new("out/a.b (2).zip"));
        assert_eq!(numbered(Path::new("out/name"), 13), Path::new("out/name (13)"));
    }
}
