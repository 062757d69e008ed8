//! A login in a file that only its owner can read.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::record::Unreadable;
use super::{StoreLock, StoredLogin, TokenStore, lock};
use crate::clock::BoxFuture;
use crate::disk::{self, folder_of, put_in_place};
use crate::error::{Error, Result};

/// Longer than a refresh and the login after it may take, with all their tries (a minute each at most). So a wait that ends has waited for something
/// that hangs.
pub(super) const LOCK_TIME: Duration = Duration::from_secs(150);
/// A login is a few kilobytes; what is larger is another file.
const LARGEST: u64 = 1024 * 1024;

/// Keeps a login in a file, for any number of processes of one user on one machine.
///
/// The file is readable for its owner alone (mode 0600; its folder is made with 0700 where it is missing) and is replaced as a whole: it never
/// holds half a login. Beside it lies `NAME.lock`, whose lock ends with the process that holds it. A file that belongs to somebody else, or that
/// others may read, is refused; one that is damaged is moved to `NAME.damaged` and told of. Network drives often have no working locks:
/// keep the file on the machine itself.
///
/// ```
/// use documine::{Credentials, FileStore};
/// let credentials = Credentials::stored("my-program", FileStore::new("login.json"));
/// ```
#[derive(Debug, Clone)]
pub struct FileStore {
    path: Arc<Path>,
    lock_time: Duration,
}

impl FileStore {
    /// Keeps the login in this file, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        // A program that changes its folder later means the same file.
        let path = std::path::absolute(&path).unwrap_or(path);
        Self { path: path.into(), lock_time: LOCK_TIME }
    }

    /// How long to wait for another process that refreshes the login. Default: 150 seconds, longer than a refresh may take.
    #[must_use]
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.lock_time = limit;
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&Path) -> Result<T> + Send + 'static) -> Result<T> {
        let path = Arc::clone(&self.path);
        blocking(move || work(&path)).await
    }
}

impl TokenStore for FileStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.work(read))
    }

    fn compare_and_swap<'a>(
        &'a self,
        seen: Option<&'a StoredLogin>,
        fresh: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        let (seen, fresh) = (seen.cloned(), fresh.to_json());
        Box::pin(self.work(move |path| {
            let same = read(path)? == seen;
            if same {
                write(path, fresh.expose().as_bytes()).map_err(|error| trouble(path, "written", error))?;
            }
            Ok(same)
        }))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.work(|path| match std::fs::remove_file(followed(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(trouble(path, "removed", error)),
            _ => Ok(()),
        }))
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        Box::pin(async {
            self.work(|path| make_folder(path).map_err(|error| trouble(path, "written", error))).await?;
            lock::take(beside(&self.path, "lock"), self.lock_time).await
        })
    }
}

/// Work that may hold its thread up.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    disk::blocking(work).await.unwrap_or_else(|error| Err(Error::file("work on a file was cut off", error)))
}

/// New files are for their owner alone from the first moment on.
pub(super) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}

fn read(path: &Path) -> Result<Option<StoredLogin>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(trouble(path, "read", error)),
    };
    refuse_if_open_to_others(path, &file)?;
    let mut text = Zeroizing::new(Vec::new());
    (&file).take(LARGEST).read_to_end(&mut text).map_err(|error| trouble(path, "read", error))?;
    let login = match std::str::from_utf8(&text) {
        Ok(text) => StoredLogin::read(text),
        Err(_) => Err(Unreadable::Damaged { line: 0, column: 0 }),
    };
    match login {
        Ok(login) => Ok(Some(login)),
        Err(newer @ Unreadable::Newer { .. }) => {
            Err(Error::config(format!("the token store {} {newer}", path.display())))
        }
        Err(damaged) => Err(put_aside(path, &damaged)),
    }
}

/// A damaged file is kept: perhaps it was meant to be something else, perhaps somebody can tell what happened to it.
fn put_aside(path: &Path, damaged: &Unreadable) -> Error {
    let aside = (0..100)
        .map(|number| match number {
            0 => beside(path, "damaged"),
            _ => beside(path, &format!("damaged-{number}")),
        })
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| beside(path, "damaged"));
    let place = path.display();
    match std::fs::rename(followed(path), &aside) {
        Ok(()) => {
            let aside = aside.display();
            Error::auth(format!("the token store {place} {damaged}; it is kept as {aside}; log in again"))
                .login_needed()
        }
        Err(error) => {
            trouble(path, &format!("used: it {damaged}, and could not be moved to {}", aside.display()), error)
        }
    }
}

/// Who can read the file has the login; whoever could have written it could have us show his tokens to the service.
#[cfg(unix)]
fn refuse_if_open_to_others(path: &Path, file: &std::fs::File) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let facts = file.metadata().map_err(|error| trouble(path, "read", error))?;
    if !facts.is_file() {
        return Err(Error::config(format!("the token store {} is no file", path.display())));
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        let text = format!("the token store {} belongs to somebody else (user {})", path.display(), facts.uid());
        return Err(Error::config(text));
    }
    let mode = facts.mode() & 0o777;
    if mode & 0o077 != 0 {
        let place = path.display();
        return Err(Error::config(format!(
            "the token store {place} may be read by others (mode {mode:04o}); run `chmod 600` on it, and log in anew if somebody may have done so"
        )));
    }
    Ok(())
}

/// Elsewhere the folder's own rights hold: a user's profile is for that user.
#[cfg(not(unix))]
fn refuse_if_open_to_others(path: &Path, file: &std::fs::File) -> Result<()> {
    let facts = file.metadata().map_err(|error| trouble(path, "read", error))?;
    if facts.is_file() { Ok(()) } else { Err(Error::config(format!("the token store {} is no file", path.display()))) }
}

/// Writes a file of that name that is whole from its first moment on.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let target = followed(path);
    // tempfile makes files for their owner alone.
    let mut file = tempfile::Builder::new().prefix(".documine-").tempfile_in(folder_of(&target))?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    put_in_place(file.into_temp_path(), &target)
}

/// Where the name is a link, the file that it leads to is meant, not the link.
fn followed(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder_of(path))
}

/// `NAME.ending`, in the same folder.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn trouble(path: &Path, what: &str, error: io::Error) -> Error {
    Error::file(format!("the token store {} can't be {what}", path.display()), error)
}
