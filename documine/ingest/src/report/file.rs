//! Files that appear whole under their name.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

pub(super) use crate::staged::folder_of;

use crate::error::{Error, Result};
use crate::staged::{StagedFile, resolve};

/// Checks that a file can be written: its folder exists and is writable, and the path is not a folder.
pub(super) fn check(path: &Path) -> Result<()> {
    temporary(path).map(drop)
}

/// Writes a file to a temporary file in the same folder, syncs it to disk, and renames it.
pub(super) fn write<T>(path: &Path, content: impl FnOnce(&mut BufWriter<&File>) -> Result<T>) -> Result<T> {
    let staged = temporary(path)?;
    let failed = |error| failure(path, error);
    let file = staged.file().map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 16, &file);
    let result = content(&mut writer)?;
    writer.flush().map_err(failed)?;
    drop(writer);
    staged.commit().map_err(failed)?;
    Ok(result)
}

fn temporary(path: &Path) -> Result<StagedFile> {
    if path.is_dir() {
        return Err(Error::sink(format!("{}: the path is a folder; state the name of a file", path.display())));
    }
    StagedFile::create(&resolve(path)).map_err(|error| failure(path, error))
}

/// Creates the error of a failed write.
pub(super) fn failure(path: &Path, error: io::Error) -> Error {
    use io::ErrorKind as Kind;
    let advice = match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => "; free space there, or choose another folder",
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotADirectory => "; choose a writable folder",
        Kind::NotFound => "; create the folder first",
        _ => "",
    };
    Error::sink(format!("{}: the report cannot be written: {error}{advice}", path.display())).with_source(error)
}
