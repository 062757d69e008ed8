//! Unpacking to disk: into a temporary folder in the same parent, which is renamed to the target when it is complete.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::archive::Archive;
use super::entry::Entry;
use super::error::{PackageError, check_cancelled, quoted};
use super::names::UnpackPaths;
use crate::disk::{folder_of, sync_folder};

/// The result of unpacking a package.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// Path of the folder.
    pub path: PathBuf,
    /// Number of files.
    pub files: u64,
    /// Total size of the files in bytes.
    pub bytes: u64,
    /// Files whose path differs from the name of their entry, because the name is invalid or ambiguous on some system.
    pub renamed: Vec<Renamed>,
    /// Entries that cannot be read.
    pub skipped: Vec<Skipped>,
}

/// A file whose path differs from the name of its entry.
///
/// Characters that are invalid on some system are escaped (`a:b.pdf` becomes `a%3Ab.pdf`), device names get an underscore (`aux_.pdf`), names
/// that are equal on some system are numbered (`report (2).pdf`), and long names are shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renamed {
    /// The entry's [name](super::Entry::name).
    pub entry: String,
    /// Path relative to [`Unpacked::path`], with `/` as its separator.
    pub path: String,
}

/// An entry that was not unpacked, because it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The entry's [name](super::Entry::name).
    pub entry: String,
    /// The reason from [`Entry::unreadable`](super::Entry::unreadable).
    pub reason: String,
}

pub(super) fn unpack<R: Read + Seek + Clone>(
    archive: &Archive<R>,
    target: &Path,
    cancelled: &AtomicBool,
) -> Result<Unpacked, PackageError> {
    let target_error = |error| PackageError::Write(format!("cannot create {}", target.display()), error);
    if target.file_name().is_none() {
        return Err(PackageError::Input(format!(
            "{} has no folder name; pass the path of a new folder",
            target.display()
        )));
    }
    reject_existing(target)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".documine-").suffix(".part");
    #[cfg(unix)]
    {
        // The umask applies, as for any other new folder.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    // Deleted with its content if it is dropped before the rename.
    let temp_dir = builder.tempdir_in(folder_of(target)).map_err(target_error)?;
    let mut unpacked =
        Unpacked { path: target.to_owned(), files: 0, bytes: 0, renamed: Vec::new(), skipped: Vec::new() };
    let mut created = BTreeSet::from([temp_dir.path().to_owned()]);
    let readable = || archive.files().iter().filter(|entry| entry.unreadable.is_none());
    let paths = UnpackPaths::assign(readable().map(Entry::name), archive.folders().iter().map(String::as_str));
    for folder in &paths.folders {
        let folder = temp_dir.path().join(folder);
        fs::create_dir_all(&folder).map_err(target_error)?;
        add_with_parents(&mut created, &folder);
    }
    for (entry, relative_path) in readable().zip(paths.files) {
        let entry_error = |error| {
            let what = format!("cannot write entry {} to {}", quoted(&entry.name), target.display());
            PackageError::Write(what, error)
        };
        let path = temp_dir.path().join(&relative_path);
        fs::create_dir_all(folder_of(&path)).map_err(entry_error)?;
        add_with_parents(&mut created, folder_of(&path));
        // Never replaces a file. Permissions follow the umask; no file is executable.
        let mut file = File::create_new(&path).map_err(entry_error)?;
        archive.unpack(entry, cancelled, |chunk| file.write_all(chunk).map_err(entry_error))?;
        file.sync_all().map_err(entry_error)?;
        unpacked.files += 1;
        unpacked.bytes += entry.size;
        if relative_path != entry.name {
            unpacked.renamed.push(Renamed { entry: entry.name.clone(), path: relative_path });
        }
    }
    // Children before parents, so that the content of a folder is synced before its name.
    for folder in created.iter().rev() {
        check_cancelled(cancelled)?;
        sync_folder(folder);
    }
    unpacked.skipped = archive
        .files()
        .iter()
        .filter_map(|entry| Some(Skipped { entry: entry.name.clone(), reason: entry.unreadable.clone()? }))
        .collect();
    check_cancelled(cancelled)?;
    reject_existing(target)?;
    fs::rename(temp_dir.path(), target).map_err(target_error)?;
    // The folder was renamed, so nothing is left to delete.
    let _ = temp_dir.keep();
    sync_folder(folder_of(target));
    Ok(unpacked)
}

/// Adds a folder and its parents, up to the first parent that is already in the set.
fn add_with_parents(created: &mut BTreeSet<PathBuf>, folder: &Path) {
    let _ = folder.ancestors().take_while(|folder| created.insert((*folder).to_owned())).count();
}

fn reject_existing(target: &Path) -> Result<(), PackageError> {
    match fs::symlink_metadata(target) {
        Ok(_) => {
            Err(PackageError::Input(format!("{} already exists; pass the path of a new folder", target.display())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(PackageError::Write(format!("cannot read the metadata of {}", target.display()), error)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::disk::SYNCED;
    use crate::package::PackageLimits;

    #[test]
    fn syncs_every_new_folder_before_its_parent() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.add_directory("empty/inner", options).unwrap();
        for name in ["a.txt", "Originals/deep/er/b.txt", "Originals/c.txt"] {
            zip.start_file(name, options).unwrap();
            zip.write_all(b"bytes").unwrap();
        }
        let archive = Archive::open(Cursor::new(zip.finish().unwrap().into_inner()), PackageLimits::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        SYNCED.take();
        unpack(&archive, &folder.path().join("out"), &AtomicBool::new(false)).unwrap();
        let synced = SYNCED.take();
        let part = synced.iter().find(|synced| synced.parent() == Some(folder.path())).unwrap();
        let within: Vec<_> = synced.iter().filter_map(|synced| synced.strip_prefix(part).ok()).collect();
        let expected = ["empty/inner", "empty", "Originals/deep/er", "Originals/deep", "Originals", ""];
        assert_eq!(within, expected.map(Path::new));
        assert_eq!(synced.last().unwrap(), folder.path(), "the parent of the target is synced last");
    }
}
