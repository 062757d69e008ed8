//! Opens only regular files of the current user. In a folder that others can write to, any name may be a link or a file of another user.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// The user id of the owner of a file.
#[cfg(unix)]
pub(super) type Owner = u32;
/// On other systems the permissions of the folder apply.
#[cfg(not(unix))]
pub(super) type Owner = ();

/// Returns the owner of a file.
#[cfg(unix)]
pub(super) fn owner_of(metadata: &Metadata) -> Owner {
    std::os::unix::fs::MetadataExt::uid(metadata)
}

/// Returns nothing, because file owners are not compared on such systems.
#[cfg(not(unix))]
pub(super) fn owner_of(_: &Metadata) -> Owner {}

/// Opens an existing file. Returns `None` if the file does not exist.
///
/// # Errors
/// The file is a link, is not a regular file, has several names, or does not belong to `owner`.
pub(super) fn open(path: &Path, options: &mut OpenOptions, owner: Owner) -> io::Result<Option<File>> {
    let mut open = || -> io::Result<File> {
        // Checked before opening, because opening a device can have side effects.
        check(&path.symlink_metadata()?, owner)?;
        let file = no_follow(options).open(path)?;
        // Checked again, because the path may name another file by now.
        check(&file.metadata()?, owner)?;
        Ok(file)
    };
    match open() {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn check(metadata: &Metadata, owner: Owner) -> io::Result<()> {
    let reject = |reason: &str| Err(io::Error::other(format!("{reason}; move it away")));
    if metadata.is_symlink() {
        return reject("file is a symbolic link, not a regular file");
    }
    if !metadata.is_file() {
        return reject("file is not a regular file");
    }
    #[cfg(unix)]
    {
        let (found, links) = (owner_of(metadata), std::os::unix::fs::MetadataExt::nlink(metadata));
        if found != owner {
            let reason = format!("file belongs to another user ({found}); move it away, or choose another path");
            return Err(io::Error::other(reason));
        }
        if links > 1 {
            return reject(&format!("file has {links} names (hard links)"));
        }
    }
    #[cfg(not(unix))]
    let () = owner;
    Ok(())
}

/// Makes opening a symbolic link fail, or open the link itself on Windows. Opening a pipe does not block.
pub(super) fn no_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
        options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    }
    options
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_file_of_another_owner() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = owner_of(&file.as_file().metadata().unwrap());
        let try_open = |owner| open(file.path(), OpenOptions::new().read(true), owner);
        assert!(try_open(owner).unwrap().is_some());
        let line = format!("file belongs to another user ({owner}); move it away, or choose another path");
        assert_eq!(try_open(owner + 1).unwrap_err().to_string(), line);
        let missing = Path::new("/missing/folder");
        assert!(open(missing, OpenOptions::new().read(true), owner).unwrap().is_none());
    }

    #[test]
    fn does_not_follow_a_link_created_after_the_check() {
        let folder = tempfile::tempdir().unwrap();
        let [target, link] = ["target", "link"].map(|name| folder.path().join(name));
        std::fs::write(&target, "bytes").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(no_follow(OpenOptions::new().append(true)).open(&link).is_err());
    }
}
