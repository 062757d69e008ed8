//! A token store in the platform's keyring: the Secret Service of Linux, the Keychain of macOS, the Credential Manager of Windows.

use std::path::PathBuf;
use std::sync::Arc;

use keyring::v1::{Entry, Error as KeyringError};

use super::file::LOCK_TIMEOUT;
use super::record::UnreadableRecord;
use super::{StoreLock, StoredLogin, TokenStore, lock};
use crate::auth::secret::Secret;
use crate::clock::BoxFuture;
use crate::disk::{self, folder_of};
use crate::error::{Error, ErrorKind, Result};

/// A token store in the user's keyring, which protects the login from other users and from theft of the disk.
///
/// Keyrings have no locks, so the lock of the store is an empty file in the user's state folder (`~/.local/state/documine`, `%LOCALAPPDATA%` on
/// Windows). On a machine without a keyring, such as a server or a container, the store fails and saves nothing elsewhere. Use a
/// [`FileStore`](super::FileStore) there. Windows limits an entry to 2,560 bytes, which is too small for the tokens of some providers.
///
/// ```
/// use documine::{Credentials, auth::KeyringStore};
/// # fn main() -> documine::Result<()> {
/// let credentials = Credentials::stored("my-program", KeyringStore::new("my-program", "acme")?);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct KeyringStore(Arc<KeyringEntry>);

#[derive(Debug)]
struct KeyringEntry {
    service: String,
    account: String,
    lock_path: PathBuf,
}

impl KeyringStore {
    /// Creates a store in the entry of a program (`service`) and one of its accounts, for example the workspace. Nothing is read yet.
    ///
    /// # Errors
    /// A name is empty, or no home directory is found.
    pub fn new(service: impl Into<String>, account: impl Into<String>) -> Result<Self> {
        let (service, account) = (service.into(), account.into());
        if service.trim().is_empty() || account.trim().is_empty() {
            return Err(Error::config("the keyring entry needs a service name and an account name"));
        }
        let folder = disk::state_folder()
            .ok_or_else(|| Error::config("no home directory found for the lock of the keyring store"))?;
        let name = [service.as_str(), account.as_str()].map(disk::file_name).join(".");
        let lock_path = folder.join(format!("keyring.{name}.lock"));
        Ok(Self(Arc::new(KeyringEntry { service, account, lock_path })))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&KeyringEntry) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let entry = Arc::clone(&self.0);
        // A keyring blocks while its unlock dialog is open.
        disk::run_blocking(move || work(&entry)).await
    }
}

impl KeyringEntry {
    fn entry(&self, account: &str) -> Result<Entry> {
        Entry::new(&self.service, account).map_err(|error| self.keyring_error(error))
    }

    fn read_text(&self) -> Result<Option<Secret>> {
        match self.entry(&self.account)?.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(KeyringError::NoEntry) => self.probe().map(|()| None),
            Err(error) => Err(self.keyring_error(error)),
        }
    }

    fn parse(&self, text: &Secret) -> Result<Result<StoredLogin, UnreadableRecord>> {
        match StoredLogin::parse(text.expose()) {
            Err(newer @ UnreadableRecord::Newer { .. }) => {
                Err(Error::config(format!("the keyring entry for {self} {newer}")))
            }
            login => Ok(login),
        }
    }

    /// Reads the stored login; a damaged entry stays where it is.
    fn read(&self) -> Result<Option<StoredLogin>> {
        let Some(text) = self.read_text()? else { return Ok(None) };
        self.parse(&text)?.map(Some).map_err(|damaged| self.damaged(&damaged, ""))
    }

    /// Reads the stored login; a damaged entry is moved to another one instead of deleted, because it may show the cause of the damage.
    fn read_or_quarantine(&self) -> Result<Option<StoredLogin>> {
        let Some(text) = self.read_text()? else { return Ok(None) };
        let damaged = match self.parse(&text)? {
            Ok(login) => return Ok(Some(login)),
            Err(damaged) => damaged,
        };
        let quarantine = format!("{} (damaged)", self.account);
        let moved = self.entry(&quarantine)?.set_password(text.expose());
        moved.map_err(|error| self.keyring_error(error))?;
        // A keyring has no rename: a login that another program wrote meanwhile without the lock is not deleted.
        match self.read_text()? {
            Some(now) if now.is(text.expose()) => {
                self.entry(&self.account)?.delete_credential().map_err(|error| self.keyring_error(error))?;
                Err(self.damaged(&damaged, &format!(" and was moved to {quarantine}")))
            }
            _ => self.read(),
        }
    }

    fn damaged(&self, damaged: &UnreadableRecord, moved: &str) -> Error {
        Error::auth(format!("the keyring entry for {self} {damaged}{moved}; log in again")).login_needed()
    }

    /// Checks that the keyring is writable: a locked keyring reports every entry as missing.
    fn probe(&self) -> Result<()> {
        let probe = self.entry(&format!("{} (probe)", self.account))?;
        probe.set_password("probe").and_then(|()| probe.delete_credential()).map_err(|error| self.keyring_error(error))
    }

    fn keyring_error(&self, error: KeyringError) -> Error {
        let text = match error {
            KeyringError::NoDefaultStore => {
                "no keyring is available (a server or container has none); use a file as the token store".into()
            }
            KeyringError::NoStorageAccess(why) => {
                format!(
                    "the keyring is locked or denies access ({}); unlock it",
                    crate::text::one_line(&why.to_string())
                )
            }
            KeyringError::TooLong(_, limit) => {
                format!("the login exceeds the size limit of a keyring entry ({limit}); use a file as the token store")
            }
            KeyringError::Ambiguous(_) => format!("the keyring has several entries for {self}; remove them"),
            KeyringError::PlatformFailure(why) => {
                format!("the keyring failed: {}", crate::text::one_line(&why.to_string()))
            }
            // Other errors may contain the secret, so they are not shown.
            _ => format!("the keyring entry for {self} can't be used"),
        };
        Error::new(ErrorKind::Config, text)
    }
}

impl std::fmt::Display for KeyringEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.account, self.service)
    }
}

impl TokenStore for KeyringStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.run(KeyringEntry::read))
    }

    fn load_or_quarantine(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(self.run(KeyringEntry::read_or_quarantine))
    }

    fn compare_and_swap<'a>(
        &'a self,
        expected: Option<&'a StoredLogin>,
        new: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        let (expected, new) = (expected.cloned(), new.to_json());
        Box::pin(self.run(move |entry| {
            let unchanged = entry.read()? == expected;
            if unchanged {
                let saved = entry.entry(&entry.account)?.set_password(new.expose());
                saved.map_err(|error| entry.keyring_error(error))?;
            }
            Ok(unchanged)
        }))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run(|entry| match entry.entry(&entry.account)?.delete_credential() {
            Ok(()) => Ok(()),
            Err(KeyringError::NoEntry) => entry.probe(),
            Err(error) => Err(entry.keyring_error(error)),
        }))
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        Box::pin(async {
            self.run(|entry| {
                disk::create_private_folder(folder_of(&entry.lock_path))
                    .map_err(|error| Error::file("the folder of the keyring's lock can't be created", error))
            })
            .await?;
            lock::acquire(self.0.lock_path.clone(), LOCK_TIMEOUT).await
        })
    }
}
