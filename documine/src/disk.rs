//! Shared helpers for writing files and folders.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use tempfile::TempPath;

use crate::error::{Error, Result};

/// The number of symbolic links that are followed, as in Linux.
const MAX_SYMLINKS: u32 = 40;

/// Renames a complete temporary file to its final name, and replaces an existing file.
pub(crate) fn put_in_place(temporary: TempPath, target: &Path) -> io::Result<()> {
    temporary.persist(target).map_err(|error| error.error)?;
    sync_folder(folder_of(target));
    Ok(())
}

/// Creates the error of a failed write, with advice if there is any. `what` names the file.
pub(crate) fn write_failure(what: &str, error: io::Error) -> Error {
    use io::ErrorKind as Kind;
    let advice = match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => "free space there, or choose another location",
        Kind::FileTooLarge => "choose a location that supports files of this size",
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotADirectory => "choose a writable folder",
        Kind::NotFound => "create the folder first",
        _ => return Error::file(what, error),
    };
    Error::file(what, error).with_note(advice)
}

/// Syncs a folder to disk, after which a new file or a rename survives a crash. Errors are ignored: not every file system supports it.
pub(crate) fn sync_folder(folder: &Path) {
    #[cfg(test)]
    SYNCED.with_borrow_mut(|synced| synced.push(folder.to_owned()));
    #[cfg(unix)]
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(test)]
thread_local! {
    /// The folders that this thread has synced, for tests.
    pub(crate) static SYNCED: std::cell::RefCell<Vec<PathBuf>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Returns the folder of a file. A temporary file in that folder can be renamed to the file.
pub(crate) fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Resolves the symbolic links and `..` of a path. The file need not exist.
///
/// # Errors
/// The symbolic links form a loop, or a folder can't be read.
pub(crate) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut links_left = MAX_SYMLINKS;
    resolve_through(path, &mut links_left)
}

fn resolve_through(path: &Path, links_left: &mut u32) -> io::Result<PathBuf> {
    match std::fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        resolved => return resolved,
    }
    if path == Path::new(".") {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the working directory was deleted"));
    }
    // The file does not exist, or the path is a dangling link: the folder is resolved first, then the name in it.
    let Some(parent) = path.parent() else { return Ok(path.to_owned()) };
    let folder = resolve_through(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }, links_left)?;
    let Some(name) = path.file_name() else {
        // `..` in a folder that does not exist, so the folder is not a link.
        return Ok(folder.parent().unwrap_or(&folder).to_owned());
    };
    let file = folder.join(name);
    let Ok(target) = std::fs::read_link(&file) else { return Ok(file) };
    *links_left = links_left.checked_sub(1).ok_or_else(|| io::Error::other("too many symbolic links"))?;
    resolve_through(&folder.join(target), links_left)
}

/// Runs blocking work on the blocking thread pool. Fails if the work panicked or was aborted.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

/// Runs blocking work that has this crate's error, like [`blocking`].
pub(crate) async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    blocking(work).await.unwrap_or_else(|error| Err(Error::file("file access was aborted", error)))
}

/// Creates new files with mode 0600 on Unix, so that other users can never read them.
pub(crate) fn set_owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}

/// Creates a folder and its missing parents, with mode 0700 on Unix.
pub(crate) fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Returns the user's state folder (`~/.local/state/documine`, `%LOCALAPPDATA%` on Windows). `None`: no home directory was found.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir().unwrap_or_else(|| strategy.cache_dir()).join("documine"))
}

/// Encodes any text as a part of a file name. The result has no path separators, and different texts have different results.
pub(crate) fn file_name(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('.', "%2E").replace('*', "%2A")
}
