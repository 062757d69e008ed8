//! Unpacking to disk: into a folder beside the target, which gets its name when it is whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::archive::Archive;
use super::entry::Entry;
use super::names::Paths;
use super::trouble::{Trouble, go_on, shown};
use crate::disk::{folder_of, sync_folder};

/// A folder that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// Where it is.
    pub path: PathBuf,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
    /// Files that have another path than their entry's name: some system could not hold that, or would take it for another one's.
    pub renamed: Vec<Renamed>,
    /// Entries that were left out.
    pub skipped: Vec<Skipped>,
}

/// A file that was unpacked under another path than its entry's name.
///
/// Characters that some system refuses are escaped (`a:b.pdf` is `a%3Ab.pdf`), names of devices get an underscore (`aux_.pdf`), of names that
/// some system takes for one the later ones are numbered (`report (2).pdf`), and what is too long is shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renamed {
    /// The entry's [name](super::Entry::name).
    pub entry: String,
    /// The path beneath [`Unpacked::path`], with `/` between its parts.
    pub path: String,
}

/// An entry that was not unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The entry's [name](super::Entry::name).
    pub entry: String,
    /// The reason, as [`Entry::unreadable`](super::Entry::unreadable) gives it.
    pub reason: String,
}

pub(super) fn unpack<R: Read + Seek + Clone>(
    archive: &Archive<R>,
    target: &Path,
    stop: &AtomicBool,
) -> Result<Unpacked, Trouble> {
    let trouble = |error| Trouble::Unwritten(format!("{} can't be made", target.display()), error);
    if target.file_name().is_none() {
        return Err(Trouble::Input(format!("{} names no folder to unpack to", target.display())));
    }
    refuse_what_is_there(target)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".documine-").suffix(".part");
    #[cfg(unix)]
    {
        // As any other new folder: what the user's umask leaves.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    // Dropped before it has its name, it is gone with all that is in it.
    let part = builder.tempdir_in(folder_of(target)).map_err(trouble)?;
    let mut unpacked =
        Unpacked { path: target.to_owned(), files: 0, bytes: 0, renamed: Vec::new(), skipped: Vec::new() };
    let mut folders = BTreeSet::from([part.path().to_owned()]);
    let readable = || archive.files().iter().filter(|entry| entry.unreadable.is_none());
    let paths = Paths::of(readable().map(Entry::name), archive.folders().iter().map(String::as_str));
    for folder in &paths.folders {
        let folder = part.path().join(folder);
        fs::create_dir_all(&folder).map_err(trouble)?;
        note(&mut folders, &folder);
    }
    for (entry, written) in readable().zip(paths.files) {
        let cannot = |error| {
            let what = format!("entry {} can't be written to {}", shown(&entry.name), target.display());
            Trouble::Unwritten(what, error)
        };
        let path = part.path().join(&written);
        fs::create_dir_all(folder_of(&path)).map_err(cannot)?;
        note(&mut folders, folder_of(&path));
        // Never over another file, and with the rights that the umask leaves: nothing is executable.
        let mut file = File::create_new(&path).map_err(cannot)?;
        archive.unpack(entry, stop, |piece| file.write_all(piece).map_err(cannot))?;
        file.sync_all().map_err(cannot)?;
        unpacked.files += 1;
        unpacked.bytes += entry.size;
        if written != entry.name {
            unpacked.renamed.push(Renamed { entry: entry.name.clone(), path: written });
        }
    }
    // Children before their parents: what a name leads to is on disk before the name is.
    for folder in folders.iter().rev() {
        go_on(stop)?;
        sync_folder(folder);
    }
    unpacked.skipped = archive
        .files()
        .iter()
        .filter_map(|entry| Some(Skipped { entry: entry.name.clone(), reason: entry.unreadable.clone()? }))
        .collect();
    go_on(stop)?;
    refuse_what_is_there(target)?;
    fs::rename(part.path(), target).map_err(trouble)?;
    // It has another name now; there is nothing left to delete.
    let _ = part.keep();
    sync_folder(folder_of(target));
    Ok(unpacked)
}

/// Adds a folder with those that it lies in, up to one that is noted already.
fn note(folders: &mut BTreeSet<PathBuf>, folder: &Path) {
    let _ = folder.ancestors().take_while(|folder| folders.insert((*folder).to_owned())).count();
}

fn refuse_what_is_there(target: &Path) -> Result<(), Trouble> {
    match fs::symlink_metadata(target) {
        Ok(_) => Err(Trouble::Input(format!("{} is there already; name a folder that is not", target.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Trouble::Unwritten(format!("{} can't be looked at", target.display()), error)),
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
    fn every_new_folder_is_brought_to_disk_before_its_parent() {
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
        let wanted = ["empty/inner", "empty", "Originals/deep/er", "Originals/deep", "Originals", ""];
        assert_eq!(within, wanted.map(Path::new));
        assert_eq!(synced.last().unwrap(), folder.path(), "and the folder with the new name at the end");
    }
}
