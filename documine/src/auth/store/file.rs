//! A token store in a file that only its owner can read.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::record::UnreadableRecord;
use super::{StoreLock, StoredLogin, TokenStore, lock};
use crate::clock::BoxFuture;
use crate::disk::{self, folder_of, put_in_place};
use crate::error::{Error, Result};

/// The default time limit of the lock. It is longer than a refresh and the login after it, with all attempts (at most a minute each), so that only
/// a holder that hangs causes a timeout.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(150);
/// The largest file that is read. A login has a few kilobytes, so a larger file is damaged or of another kind.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A token store in a file, for any number of processes of one user on one machine.
///
/// Only the owner can read the file (mode 0600; a missing folder is created with 0700). A save replaces the file atomically. The lock is on
/// `NAME.lock` beside the file and ends with the process that holds it. A file of another user, or one that other users can access, is rejected; a
/// damaged file is moved to `NAME.damaged`, and the error names it. Network drives often have no working locks: use a local disk.
///
/// Symbolic links are followed, both of the file and of its folders, even to a file that does not exist yet: all paths to one file share its lock,
/// and a link stays a link. A file with several hard links is rejected.
///
/// ```
/// use documine::{Credentials, auth::FileStore};
/// let credentials = Credentials::stored("my-program", FileStore::new("login.json"));
/// ```
#[derive(Debug, Clone)]
pub struct FileStore {
    path: Arc<Path>,
    lock_timeout: Duration,
}

impl FileStore {
    /// Creates a store in this file, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        // Absolute, so that a later change of the working directory does not change the file.
        let path = std::path::absolute(&path).unwrap_or(path);
        Self { path: path.into(), lock_timeout: LOCK_TIMEOUT }
    }

    /// Sets the time limit for acquiring the lock while another process refreshes the login. Default: 150 seconds, longer than a refresh takes.
    #[must_use]
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.lock_timeout = limit;
        self
    }

    /// Returns the absolute path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&LoginFile) -> Result<T> + Send + 'static) -> Result<T> {
        let path = Arc::clone(&self.path);
        disk::run_blocking(move || work(&LoginFile::resolve(&path)?)).await
    }
}

/// The configured path, for messages, and the file that it resolves to.
struct LoginFile<'a> {
    path: &'a Path,
    file: PathBuf,
}

impl<'a> LoginFile<'a> {
    fn resolve(path: &'a Path) -> Result<Self> {
        let file = disk::resolve(path).map_err(|error| io_error(path, "reached", error))?;
        Ok(Self { path, file })
    }

    fn io_error(&self, action: &str, error: io::Error) -> Error {
        io_error(self.path, action, error)
    }
}

impl TokenStore for FileStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.run(|file| file.read()?.map_err(|damaged| file.damaged(&damaged, None))))
    }

    fn load_or_quarantine(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.run(|file| file.read()?.map_err(|damaged| file.quarantine(&damaged))))
    }

    fn compare_and_swap<'a>(
        &'a self,
        expected: Option<&'a StoredLogin>,
        new: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        let (expected, new) = (expected.cloned(), new.to_json());
        Box::pin(self.run(move |file| {
            let unchanged = file.read()?.map_err(|damaged| file.damaged(&damaged, None))? == expected;
            if unchanged {
                write_atomically(&file.file, new.expose().as_bytes())
                    .map_err(|error| file.io_error("written", error))?;
            }
            Ok(unchanged)
        }))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run(|file| match std::fs::remove_file(&file.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file.io_error("removed", error)),
            _ => Ok(()),
        }))
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        Box::pin(async {
            let lock_path = self.run(|file| {
                disk::create_private_folder(folder_of(&file.file)).map_err(|error| file.io_error("written", error))?;
                Ok(with_suffix(&file.file, "lock"))
            });
            lock::acquire(lock_path.await?, self.lock_timeout).await
        })
    }
}

impl LoginFile<'_> {
    /// Reads the stored login. The inner error is for a file that exists but can't be parsed.
    fn read(&self) -> Result<Result<Option<StoredLogin>, UnreadableRecord>> {
        // Checked before opening, because opening a named pipe blocks.
        match std::fs::metadata(&self.file) {
            Ok(metadata) if !metadata.is_file() => return Err(self.not_a_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(None)),
            _ => {}
        }
        let file = match std::fs::File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(None)),
            Err(error) => return Err(self.io_error("read", error)),
        };
        self.check_permissions(&file)?;
        let mut text = Zeroizing::new(Vec::new());
        (&file).take(MAX_FILE_BYTES).read_to_end(&mut text).map_err(|error| self.io_error("read", error))?;
        let login = match std::str::from_utf8(&text) {
            Ok(text) => StoredLogin::parse(text),
            Err(_) => Err(UnreadableRecord::Damaged { line: 0, column: 0 }),
        };
        match login {
            Err(newer @ UnreadableRecord::Newer { .. }) => {
                Err(Error::config(format!("the token store {} {newer}", self.path.display())))
            }
            login => Ok(login.map(Some)),
        }
    }

    /// Moves a damaged file aside instead of deleting it: it may be another program's file, or show the cause of the damage.
    fn quarantine(&self, damaged: &UnreadableRecord) -> Error {
        let quarantine = (0..100)
            .map(|number| match number {
                0 => with_suffix(&self.file, "damaged"),
                _ => with_suffix(&self.file, &format!("damaged-{number}")),
            })
            .find(|path| !path.exists())
            .unwrap_or_else(|| with_suffix(&self.file, "damaged"));
        match std::fs::rename(&self.file, &quarantine) {
            Ok(()) => self.damaged(damaged, Some(&quarantine)),
            Err(error) => {
                self.io_error(&format!("used: it {damaged}, and could not be moved to {}", quarantine.display()), error)
            }
        }
    }

    fn damaged(&self, damaged: &UnreadableRecord, moved_to: Option<&Path>) -> Error {
        let moved = moved_to.map(|path| format!(" and was moved to {}", path.display())).unwrap_or_default();
        Error::auth(format!("the token store {} {damaged}{moved}; log in again", self.path.display())).login_needed()
    }

    fn not_a_file(&self) -> Error {
        Error::config(format!("the token store {} is not a file", self.path.display()))
    }

    /// Rejects a file that other users can access: a reader has the login, and a writer could make the client use other tokens.
    #[cfg(unix)]
    fn check_permissions(&self, file: &std::fs::File) -> Result<()> {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata().map_err(|error| self.io_error("read", error))?;
        if !metadata.is_file() {
            return Err(self.not_a_file());
        }
        let path = self.path.display();
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            let text = format!("the token store {path} belongs to another user ({})", metadata.uid());
            return Err(Error::config(text));
        }
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::config(format!(
                "the token store {path} is accessible to other users (mode {mode:04o}); run `chmod 600` on it, \
                 and log in again if another user may have read it"
            )));
        }
        if metadata.nlink() > 1 {
            return Err(Error::config(format!(
                "the token store {path} has {} hard links, which can't share a lock; remove the others, or replace them by symbolic links",
                metadata.nlink()
            )));
        }
        Ok(())
    }

    /// On other systems the permissions of the folder apply: a user's profile is private.
    #[cfg(not(unix))]
    fn check_permissions(&self, file: &std::fs::File) -> Result<()> {
        let metadata = file.metadata().map_err(|error| self.io_error("read", error))?;
        if metadata.is_file() { Ok(()) } else { Err(self.not_a_file()) }
    }
}

/// Writes a temporary file and renames it.
fn write_atomically(file: &Path, text: &[u8]) -> io::Result<()> {
    // tempfile creates files with mode 0600.
    let mut temporary = tempfile::Builder::new().prefix(".documine-").tempfile_in(folder_of(file))?;
    temporary.write_all(text)?;
    temporary.as_file().sync_all()?;
    put_in_place(temporary.into_temp_path(), file)
}

/// Returns `NAME.suffix` in the same folder.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn io_error(path: &Path, action: &str, error: io::Error) -> Error {
    Error::file(format!("the token store {} can't be {action}", path.display()), error)
}
