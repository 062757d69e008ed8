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
/// Symbolic links are followed, the file's own and those of its folders, also where they lead to a file that is not there yet: all paths to one
/// file share its lock, and a link stays a link. A file with several hard links is refused.
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

    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&Place) -> Result<T> + Send + 'static) -> Result<T> {
        let path = Arc::clone(&self.path);
        blocking(move || work(&Place::of(&path)?)).await
    }
}

/// The path as it was given, for messages, and the file that it leads to.
struct Place<'a> {
    path: &'a Path,
    file: PathBuf,
}

impl<'a> Place<'a> {
    fn of(path: &'a Path) -> Result<Self> {
        let file = disk::resolve(path).map_err(|error| trouble(path, "reached", error))?;
        Ok(Self { path, file })
    }

    fn trouble(&self, what: &str, error: io::Error) -> Error {
        trouble(self.path, what, error)
    }
}

impl TokenStore for FileStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.work(|place| place.read()?.map_err(|damaged| place.damaged(&damaged, None))))
    }

    fn load_or_quarantine(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.work(|place| place.read()?.map_err(|damaged| place.quarantine(&damaged))))
    }

    fn compare_and_swap<'a>(
        &'a self,
        seen: Option<&'a StoredLogin>,
        fresh: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        let (seen, fresh) = (seen.cloned(), fresh.to_json());
        Box::pin(self.work(move |place| {
            let same = place.read()?.map_err(|damaged| place.damaged(&damaged, None))? == seen;
            if same {
                write(&place.file, fresh.expose().as_bytes()).map_err(|error| place.trouble("written", error))?;
            }
            Ok(same)
        }))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.work(|place| match std::fs::remove_file(&place.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(place.trouble("removed", error)),
            _ => Ok(()),
        }))
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        Box::pin(async {
            let beside = self.work(|place| {
                make_folder(&place.file).map_err(|error| place.trouble("written", error))?;
                Ok(beside(&place.file, "lock"))
            });
            lock::take(beside.await?, self.lock_time).await
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

impl Place<'_> {
    /// Reads the stored login. The inner error stands for a file that is there but can't be understood.
    fn read(&self) -> Result<Result<Option<StoredLogin>, Unreadable>> {
        // Before it is opened: a pipe would keep its reader waiting.
        match std::fs::metadata(&self.file) {
            Ok(facts) if !facts.is_file() => return Err(self.no_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(None)),
            _ => {}
        }
        let file = match std::fs::File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(None)),
            Err(error) => return Err(self.trouble("read", error)),
        };
        self.refuse_if_open_to_others(&file)?;
        let mut text = Zeroizing::new(Vec::new());
        (&file).take(LARGEST).read_to_end(&mut text).map_err(|error| self.trouble("read", error))?;
        let login = match std::str::from_utf8(&text) {
            Ok(text) => StoredLogin::read(text),
            Err(_) => Err(Unreadable::Damaged { line: 0, column: 0 }),
        };
        match login {
            Err(newer @ Unreadable::Newer { .. }) => {
                Err(Error::config(format!("the token store {} {newer}", self.path.display())))
            }
            login => Ok(login.map(Some)),
        }
    }

    /// Moves a damaged file aside: perhaps it was meant to be something else, perhaps somebody can tell what happened to it.
    fn quarantine(&self, damaged: &Unreadable) -> Error {
        let aside = (0..100)
            .map(|number| match number {
                0 => beside(&self.file, "damaged"),
                _ => beside(&self.file, &format!("damaged-{number}")),
            })
            .find(|aside| !aside.exists())
            .unwrap_or_else(|| beside(&self.file, "damaged"));
        match std::fs::rename(&self.file, &aside) {
            Ok(()) => self.damaged(damaged, Some(&aside)),
            Err(error) => {
                self.trouble(&format!("used: it {damaged}, and could not be moved to {}", aside.display()), error)
            }
        }
    }

    fn damaged(&self, damaged: &Unreadable, aside: Option<&Path>) -> Error {
        let aside = aside.map(|aside| format!("; it is kept as {}", aside.display())).unwrap_or_default();
        Error::auth(format!("the token store {} {damaged}{aside}; log in again", self.path.display())).login_needed()
    }

    fn no_file(&self) -> Error {
        Error::config(format!("the token store {} is no file", self.path.display()))
    }

    /// Refuses a file that is open to other users: a reader has the login, and a writer could have the client send his own tokens to the service.
    #[cfg(unix)]
    fn refuse_if_open_to_others(&self, file: &std::fs::File) -> Result<()> {
        use std::os::unix::fs::MetadataExt;
        let facts = file.metadata().map_err(|error| self.trouble("read", error))?;
        if !facts.is_file() {
            return Err(self.no_file());
        }
        let place = self.path.display();
        if facts.uid() != rustix::process::geteuid().as_raw() {
            let text = format!("the token store {place} belongs to somebody else (user {})", facts.uid());
            return Err(Error::config(text));
        }
        let mode = facts.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::config(format!(
                "the token store {place} may be read by others (mode {mode:04o}); run `chmod 600` on it, and log in anew if somebody may have done so"
            )));
        }
        if facts.nlink() > 1 {
            return Err(Error::config(format!(
                "the token store {place} has {} hard links, which can't share a lock; remove the others, or make them symbolic links",
                facts.nlink()
            )));
        }
        Ok(())
    }

    /// Elsewhere the folder's own rights hold: a user's profile is for that user.
    #[cfg(not(unix))]
    fn refuse_if_open_to_others(&self, file: &std::fs::File) -> Result<()> {
        let facts = file.metadata().map_err(|error| self.trouble("read", error))?;
        if facts.is_file() { Ok(()) } else { Err(self.no_file()) }
    }
}

/// Writes a file of that name that is whole from its first moment on.
fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    // tempfile makes files for their owner alone.
    let mut temporary = tempfile::Builder::new().prefix(".documine-").tempfile_in(folder_of(file))?;
    temporary.write_all(text)?;
    temporary.as_file().sync_all()?;
    put_in_place(temporary.into_temp_path(), file)
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
