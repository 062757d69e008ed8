//! Opens files only where they are the user's own: in a folder that others can write to, any name may be a link or another user's file.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// The user that a file belongs to.
#[cfg(unix)]
pub(super) type Owner = u32;
/// Elsewhere the rights of the folder decide.
#[cfg(not(unix))]
pub(super) type Owner = ();

/// Returns the owner of a file.
#[cfg(unix)]
pub(super) fn owner_of(about: &Metadata) -> Owner {
    std::os::unix::fs::MetadataExt::uid(about)
}

/// Returns nothing: such systems do not tell.
#[cfg(not(unix))]
pub(super) fn owner_of(_: &Metadata) -> Owner {}

/// Opens an existing file. Returns `None` where there is none.
///
/// # Errors
/// The file is a link, not a regular file, has several names, or does not belong to `owner`.
pub(super) fn open(path: &Path, options: &mut OpenOptions, owner: Owner) -> io::Result<Option<File>> {
    let mut opened = || -> io::Result<File> {
        // Opening a device could have an effect of its own.
        check(&path.symlink_metadata()?, owner)?;
        let file = not_through_links(options).open(path)?;
        // The name may lead to another file by now.
        check(&file.metadata()?, owner)?;
        Ok(file)
    };
    match opened() {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn check(about: &Metadata, owner: Owner) -> io::Result<()> {
    let refused = |why: &str| Err(io::Error::other(format!("{why}; move it away")));
    if about.is_symlink() {
        return refused("it is a symbolic link, not a regular file");
    }
    if !about.is_file() {
        return refused("it is not a regular file");
    }
    #[cfg(unix)]
    {
        let (found, names) = (owner_of(about), std::os::unix::fs::MetadataExt::nlink(about));
        if found != owner {
            let why = format!("it belongs to another user ({found}); move it away, or choose another place");
            return Err(io::Error::other(why));
        }
        if names > 1 {
            return refused(&format!("it has {names} names (hard links)"));
        }
    }
    #[cfg(not(unix))]
    let () = owner;
    Ok(())
}

/// Lets opening fail, or open the link itself, where the last part of a path is a symbolic link. Opening a pipe does not wait.
pub(super) fn not_through_links(options: &mut OpenOptions) -> &mut OpenOptions {
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
    fn a_file_of_another_owner_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = owner_of(&file.as_file().metadata().unwrap());
        let opened = |owner| open(file.path(), OpenOptions::new().read(true), owner);
        assert!(opened(owner).unwrap().is_some());
        let line = format!("it belongs to another user ({owner}); move it away, or choose another place");
        assert_eq!(opened(owner + 1).unwrap_err().to_string(), line);
        let nothing = Path::new("/nowhere/at all");
        assert!(open(nothing, OpenOptions::new().read(true), owner).unwrap().is_none());
    }

    #[test]
    fn a_link_that_comes_in_between_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [target, link] = ["target", "link"].map(|name| folder.path().join(name));
        std::fs::write(&target, "bytes").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(not_through_links(OpenOptions::new().append(true)).open(&link).is_err());
    }
}
