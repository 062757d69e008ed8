//! A file that appears under its name only when it is whole.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::disk::{blocking, folder_of, put_in_place};
use crate::error::{Error, ErrorKind, Result};

/// A temporary file beside `target`: renaming within a folder can't leave half a file. Dropped before it is finished, it is gone.
pub(crate) struct PartFile {
    file: File,
    temporary: TempPath,
    target: PathBuf,
}

impl PartFile {
    /// Begins the file. Done before anything is fetched, so that nothing is fetched for a place that can't be written.
    pub(crate) async fn create(target: PathBuf) -> Result<Self> {
        let place = target.clone();
        let (file, temporary) =
            blocking(move || create_beside(&place)).await.flatten().map_err(|error| trouble(&target, error))?;
        Ok(Self { file: File::from_std(file), temporary, target })
    }

    pub(crate) async fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.file.write_all(piece).await.map_err(|error| trouble(&self.target, error))
    }

    /// Makes sure that everything is on disk, and gives the file its name.
    pub(crate) async fn finish(self) -> Result<PathBuf> {
        let Self { mut file, temporary, target } = self;
        let place = target.clone();
        let finished = async {
            file.flush().await?;
            file.sync_all().await?;
            drop(file);
            blocking(move || put_in_place(temporary, &place)).await.flatten()
        };
        finished.await.map_err(|error| trouble(&target, error))?;
        Ok(target)
    }
}

fn trouble(target: &Path, error: io::Error) -> Error {
    // tempfile adds the temporary file's path, which means nothing to a caller.
    let text = error.to_string();
    let reason = text.split(" at path ").next().unwrap_or_default();
    Error::new(ErrorKind::File, format!("{} can't be written: {reason}", target.display())).with_detail(error)
}

fn create_beside(target: &Path) -> io::Result<(std::fs::File, TempPath)> {
    if target.file_name().is_none() {
        return Err(io::Error::other("the path names no file"));
    }
    if target.is_dir() {
        return Err(io::Error::other("it is a folder; name a file in it"));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".documine-").suffix(".part");
    #[cfg(unix)]
    {
        // As any other new file: what the user's umask leaves.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    Ok(builder.tempfile_in(folder_of(target))?.into_parts())
}
