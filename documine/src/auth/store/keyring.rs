//! A login in the platform's keyring: the Secret Service of Linux, the Keychain of macOS, the Credential Manager of Windows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyring::v1::{Entry, Error as KeyringError};

use super::file::{LOCK_TIME, blocking, make_folder};
use super::record::Unreadable;
use super::{StoreLock, StoredLogin, TokenStore, lock};
use crate::auth::token::Secret;
use crate::clock::BoxFuture;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};

/// Keeps a login in the keyring of the person who runs the program, where other people and a stolen disk don't reach it.
///
/// The lock of the store is a file without content in the person's state folder (`~/.local/state/documine`, `%LOCALAPPDATA%` on Windows), because
/// keyrings have none. A machine without a keyring, as servers and containers are, makes a clear error: nothing is kept elsewhere instead. Take a
/// [`FileStore`](super::FileStore) there. Windows keeps at most 2,560 bytes in one entry, which is less than the tokens of some providers need.
///
/// ```
/// use documine::{Credentials, KeyringStore};
/// # fn main() -> documine::Result<()> {
/// let credentials = Credentials::stored("my-program", KeyringStore::new("my-program", "acme")?);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct KeyringStore(Arc<Place>);

#[derive(Debug)]
struct Place {
    service: String,
    account: String,
    lock: PathBuf,
}

impl KeyringStore {
    /// Keeps the login under the name of a program (`service`) and one of its accounts, for example the workspace. Nothing is read yet.
    ///
    /// # Errors
    /// A name is empty, or this person has no home folder.
    pub fn new(service: impl Into<String>, account: impl Into<String>) -> Result<Self> {
        let (service, account) = (service.into(), account.into());
        if service.trim().is_empty() || account.trim().is_empty() {
            return Err(Error::config("the keyring's entry needs the name of a service and of an account"));
        }
        let folder = disk::state_folder()
            .ok_or_else(|| Error::config("this person has no home folder, where the keyring's lock could be"))?;
        let name = [service.as_str(), account.as_str()].map(disk::file_name).join(".");
        Ok(Self(Arc::new(Place { service, account, lock: folder.join(format!("keyring.{name}.lock")) })))
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&Place) -> Result<T> + Send + 'static) -> Result<T> {
        let place = Arc::clone(&self.0);
        // A keyring may ask its owner to unlock it, and wait for the answer.
        blocking(move || work(&place)).await
    }
}

impl Place {
    fn entry(&self, account: &str) -> Result<Entry> {
        Entry::new(&self.service, account).map_err(|error| self.trouble(error))
    }

    fn text(&self) -> Result<Option<Secret>> {
        match self.entry(&self.account)?.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(KeyringError::NoEntry) => self.probe().map(|()| None),
            Err(error) => Err(self.trouble(error)),
        }
    }

    fn login(&self, text: &Secret) -> Result<Result<StoredLogin, Unreadable>> {
        match StoredLogin::read(text.expose()) {
            Err(newer @ Unreadable::Newer { .. }) => {
                Err(Error::config(format!("the keyring's entry for {self} {newer}")))
            }
            login => Ok(login),
        }
    }

    /// Reads the stored login; a damaged entry stays where it is.
    fn read(&self) -> Result<Option<StoredLogin>> {
        let Some(text) = self.text()? else { return Ok(None) };
        self.login(&text)?.map(Some).map_err(|damaged| self.damaged(&damaged, ""))
    }

    /// Reads the stored login; a damaged entry is moved to another one, which may still show what happened to it.
    fn read_or_quarantine(&self) -> Result<Option<StoredLogin>> {
        let Some(text) = self.text()? else { return Ok(None) };
        let damaged = match self.login(&text)? {
            Ok(login) => return Ok(Some(login)),
            Err(damaged) => damaged,
        };
        let aside = format!("{} (damaged)", self.account);
        let moved = self.entry(&aside)?.set_password(text.expose());
        moved.map_err(|error| self.trouble(error))?;
        // A keyring has no rename: what a program without the lock wrote meanwhile is not deleted.
        match self.text()? {
            Some(now) if now.is(text.expose()) => {
                self.entry(&self.account)?.delete_credential().map_err(|error| self.trouble(error))?;
                Err(self.damaged(&damaged, &format!("; it is kept as {aside}")))
            }
            _ => self.read(),
        }
    }

    fn damaged(&self, damaged: &Unreadable, aside: &str) -> Error {
        Error::auth(format!("the keyring's entry for {self} {damaged}{aside}; log in again")).login_needed()
    }

    /// A keyring that is locked says of every entry that there is none. Only one that can be written to is believed.
    fn probe(&self) -> Result<()> {
        let probe = self.entry(&format!("{} (probe)", self.account))?;
        probe.set_password("probe").and_then(|()| probe.delete_credential()).map_err(|error| self.trouble(error))
    }

    fn trouble(&self, error: KeyringError) -> Error {
        let text = match error {
            KeyringError::NoDefaultStore => {
                "no keyring can be reached from here (a server or container has none); take a file as the token store"
                    .into()
            }
            KeyringError::NoStorageAccess(why) => {
                format!(
                    "the keyring is locked or lets nobody in ({}); unlock it",
                    crate::text::one_line(&why.to_string())
                )
            }
            KeyringError::TooLong(_, limit) => {
                format!(
                    "the login is larger than an entry of the keyring may be ({limit}); take a file as the token store"
                )
            }
            KeyringError::Ambiguous(_) => format!("the keyring has several entries for {self}; remove them there"),
            KeyringError::PlatformFailure(why) => {
                format!("the keyring did not work: {}", crate::text::one_line(&why.to_string()))
            }
            // These may hold what was read, so nothing of them is told.
            _ => format!("the keyring's entry for {self} can't be used"),
        };
        Error::new(ErrorKind::Config, text)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.account, self.service)
    }
}

impl TokenStore for KeyringStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.work(Place::read))
    }

    fn load_or_quarantine(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.work(Place::read_or_quarantine))
    }

    fn compare_and_swap<'a>(
        &'a self,
        seen: Option<&'a StoredLogin>,
        fresh: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        let (seen, fresh) = (seen.cloned(), fresh.to_json());
        Box::pin(self.work(move |place| {
            let same = place.read()? == seen;
            if same {
                let entry = place.entry(&place.account)?;
                entry.set_password(fresh.expose()).map_err(|error| place.trouble(error))?;
            }
            Ok(same)
        }))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.work(|place| match place.entry(&place.account)?.delete_credential() {
            Ok(()) => Ok(()),
            Err(KeyringError::NoEntry) => place.probe(),
            Err(error) => Err(place.trouble(error)),
        }))
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        Box::pin(async {
            let path: &Path = &self.0.lock;
            let folder = path.to_owned();
            let text = "the folder of the keyring's lock can't be made";
            blocking(move || make_folder(&folder).map_err(|error| Error::file(text, error))).await?;
            lock::take(path.to_owned(), LOCK_TIME).await
        })
    }
}
