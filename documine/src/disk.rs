//! Files and folders: what those share that write them.

use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use tempfile::TempPath;

/// So many symbolic links may lead from one to the next, as in Linux.
const MOST_LINKS: u32 = 40;

/// Gives a file that is whole its name, in place of what may be there.
pub(crate) fn put_in_place(temporary: TempPath, target: &Path) -> io::Result<()> {
    temporary.persist(target).map_err(|error| error.error)?;
    sync_folder(folder_of(target));
    Ok(())
}

/// Why something can't be written, and what can be done where that is known.
pub(crate) fn reason(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    // tempfile adds the temporary file's path, which means nothing to a caller.
    let text = error.to_string();
    let why = text.split(" at path ").next().unwrap_or_default();
    let way_out = match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => "make room there, or choose another place",
        Kind::FileTooLarge => "choose a place that takes files of this size",
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotADirectory => {
            "choose a folder that can be written"
        }
        Kind::NotFound => "make the folder first",
        _ => return why.to_owned(),
    };
    format!("{why}; {way_out}")
}

/// Brings the names in a folder to disk: a new file or a rename is safe only then. Not every file system can do that.
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
    /// The folders that this thread has brought to disk, for tests.
    pub(crate) static SYNCED: std::cell::RefCell<Vec<PathBuf>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Where a file lies; a temporary one beside it can be renamed to it.
pub(crate) fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The file that a path leads to: without links and `..`, whether it is there or not.
///
/// # Errors
/// Links lead in a circle, or a folder can't be read.
pub(crate) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut links_left = MOST_LINKS;
    resolve_through(path, &mut links_left)
}

fn resolve_through(path: &Path, links_left: &mut u32) -> io::Result<PathBuf> {
    match std::fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        resolved => return resolved,
    }
    if path == Path::new(".") {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the working directory is gone"));
    }
    // Nothing is there, or a link to nothing: the folder is resolved first, then the name in it.
    let Some(parent) = path.parent() else { return Ok(path.to_owned()) };
    let folder = resolve_through(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }, links_left)?;
    let Some(name) = path.file_name() else {
        // `..` of a folder that is not there, so it is no link either.
        return Ok(folder.parent().unwrap_or(&folder).to_owned());
    };
    let place = folder.join(name);
    let Ok(target) = std::fs::read_link(&place) else { return Ok(place) };
    *links_left = links_left.checked_sub(1).ok_or_else(|| io::Error::other("too many symbolic links"))?;
    resolve_through(&folder.join(target), links_left)
}

/// Does work that holds its thread up; an error is the work's end by force.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

/// Where this person's programs keep what they need again (`~/.local/state/documine`, `%LOCALAPPDATA%` on Windows); nothing without a home.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let places = etcetera::choose_base_strategy().ok()?;
    Some(places.state_dir().unwrap_or_else(|| places.cache_dir()).join("documine"))
}

/// Any name as a part of a file's name: it leads nowhere else, and two never become one.
pub(crate) fn file_name(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('.', "%2E").replace('*', "%2A")
}
