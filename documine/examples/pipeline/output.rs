//! The output folder: files appear in it whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A folder that can be written, checked before anything is sent.
pub(crate) struct Output {
    folder: PathBuf,
}

impl Output {
    /// Makes the folder where it is missing, and tries whether a file can be made in it.
    pub(crate) fn prepare(folder: &Path) -> Result<Self, Failure> {
        let trial = || {
            fs::create_dir_all(folder)?;
            tempfile::tempfile_in(folder)
        };
        trial().map_err(|error| Failure::local(folder, &error))?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a package.
    pub(crate) fn package(&self, kind: &str) -> Result<PathBuf, Failure> {
        Ok(self.part("packages")?.join(format!("{kind}.zip")))
    }

    /// Writes the components of a file: to a temporary file first, which gets its name when it is whole.
    pub(crate) fn write_components(&self, file_name: &str, ending: &str, content: &[u8]) -> Result<PathBuf, Failure> {
        let folder = self.part("components")?;
        let path = folder.join(format!("{}.{ending}", harmless(file_name)));
        let write = || -> io::Result<()> {
            let mut builder = tempfile::Builder::new();
            builder.prefix(".").suffix(".part");
            #[cfg(unix)]
            {
                // As any other new file: what the user's umask leaves.
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(fs::Permissions::from_mode(0o666));
            }
            let mut file = builder.tempfile_in(&folder)?;
            file.write_all(content)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|error| Failure::local(&path, &error))?;
        Ok(path)
    }

    /// A folder in the folder, made when there is something to put into it.
    fn part(&self, name: &str) -> Result<PathBuf, Failure> {
        let part = self.folder.join(name);
        fs::create_dir_all(&part).map_err(|error| Failure::local(&part, &error))?;
        Ok(part)
    }
}

/// A file name of the service's as a name in our folder: it must not lead out of it, nor hide.
fn harmless(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c }).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "unnamed".into() } else { name.into() }
}
