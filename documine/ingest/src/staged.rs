//! Files that appear whole under their name: a temporary file in the same folder, fsync, rename.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A name may have 255 bytes; the rest is for the marks around it.
const MAX_NAME: usize = 200;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct StagedFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl StagedFile {
    /// Creates the temporary file of a target, after the removal of those that killed runs left.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let staged = Self::create_unlocked(target)?;
        // The lock ends with the process, and distinguishes a file in use from one that was left. A file system without locks gets none.
        let _ = staged.file.as_file().try_lock();
        Ok(staged)
    }

    /// Creates a temporary file that another library opens by its path. On Windows, the lock would keep that library out.
    pub(crate) fn create_to_reopen(target: &Path) -> io::Result<Self> {
        if cfg!(unix) { Self::create(target) } else { Self::create_unlocked(target) }
    }

    fn create_unlocked(target: &Path) -> io::Result<Self> {
        let target = resolve(target);
        let folder = folder_of(&target);
        let prefix = prefix_of(&target);
        remove_stale(folder, &prefix);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Less the umask, as of every new file; the default of temporary files excludes other users.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder)?;
        Ok(Self { file, target })
    }

    /// Returns the path of the temporary file.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns the file, for writing.
    pub(crate) fn file(&self) -> io::Result<File> {
        self.file.as_file().try_clone()
    }

    /// Makes the content durable, gives it its name, and returns its size in bytes.
    pub(crate) fn commit(self) -> io::Result<u64> {
        self.file.as_file().sync_all()?;
        let bytes = self.file.as_file().metadata()?.len();
        let target = self.target;
        self.file.persist(&target).map_err(|error| error.error)?;
        #[cfg(unix)]
        File::open(folder_of(&target))?.sync_all()?;
        Ok(bytes)
    }
}

/// Returns the folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the file behind a symbolic link, so that a rename does not replace the link.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let resolved = if is_link { fs::canonicalize(path).ok() } else { None };
    resolved.unwrap_or_else(|| path.to_owned())
}

fn prefix_of(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let end = (0..=name.len().min(MAX_NAME)).rev().find(|at| name.is_char_boundary(*at)).unwrap_or_default();
    format!(".{}.documine-tmp-", &name[..end])
}

/// Removes the temporary files of a target that no process writes. Errors are ignored: a file that stays does no harm.
fn remove_stale(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().to_string_lossy().starts_with(prefix) {
            let path = entry.path();
            let in_use = fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)));
            if !in_use {
                let _ = fs::remove_file(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn removes_temporary_files_of_killed_runs_only() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("values.csv");
        for name in
            [".values.csv.documine-tmp-aaaaaa", ".values.csv.documine-tmp-bbbbbb-journal", ".other.csv.documine-tmp-c"]
        {
            fs::write(folder.path().join(name), "left").unwrap();
        }
        let in_use = StagedFile::create(&target).unwrap();
        let second = StagedFile::create(&target).unwrap();
        assert!(in_use.path().exists(), "the lock protects a file in use");
        second.file().unwrap().write_all(b"whole").unwrap();
        assert_eq!(second.commit().unwrap(), 5);
        drop(in_use);
        assert_eq!(names(folder.path()), [".other.csv.documine-tmp-c", "values.csv"]);
        assert_eq!(fs::read(&target).unwrap(), b"whole");
    }

    #[test]
    fn keeps_the_old_file_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("values.csv");
        fs::write(&target, "old").unwrap();
        let staged = StagedFile::create(&target).unwrap();
        staged.file().unwrap().write_all(b"half").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        drop(staged);
        assert_eq!(names(folder.path()), ["values.csv"]);
        assert_eq!(fs::read(&target).unwrap(), b"old");
    }

    #[test]
    fn accepts_the_longest_name() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join(format!("{}é.csv", "n".repeat(249)));
        StagedFile::create(&target).unwrap().commit().unwrap();
        assert!(target.exists());
    }

    #[cfg(unix)]
    #[test]
    fn writes_through_a_symbolic_link() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("values.csv"), folder.path().join("link.csv"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let staged = StagedFile::create(&link).unwrap();
        staged.file().unwrap().write_all(b"new").unwrap();
        staged.commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn gives_a_new_file_the_usual_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (target, plain) = (folder.path().join("values.csv"), folder.path().join("plain"));
        fs::write(&plain, "").unwrap();
        StagedFile::create(&target).unwrap().commit().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&target), mode(&plain));
    }
}
