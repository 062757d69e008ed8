//! Token stores: they keep a login between runs of a program, and share it between processes.
//!
//! ```text
//! LoginStore  one client's login in a store           login_store.rs
//! TokenStore  the interface of a store                this file
//!  ├─ MemoryStore   this process                      memory.rs
//!  ├─ FileStore     a file, with a lock beside it     file.rs, lock.rs
//!  └─ KeyringStore  the platform's keyring            keyring.rs (feature `keyring`)
//! StoredLogin the stored login, as versioned JSON     record.rs
//! ```

mod file;
#[cfg(feature = "keyring")]
mod keyring;
mod lock;
mod login_store;
mod memory;
mod record;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::clock::BoxFuture;
use crate::error::Result;

pub use file::FileStore;
#[cfg(feature = "keyring")]
pub use keyring::KeyringStore;
pub(crate) use login_store::LoginStore;
pub use memory::MemoryStore;
pub use record::StoredLogin;
pub(super) use record::{UnreadableRecord, from_milliseconds, milliseconds, parse_versioned};

/// A store for one login: a file, a keyring, a database table.
///
/// Refresh tokens are often valid for one use only (rotation), so processes that share one must not use it at the same time. Before refreshing, a
/// client acquires the [lock](Self::lock) and [loads](Self::load) the store. If another process has already refreshed the token, that token is
/// used; otherwise the client refreshes the token and [saves](Self::compare_and_swap) it before any call uses it. The refresh runs in its own task,
/// so a dropped call does not interrupt it. The end of the runtime does: [`Client::wait_for_refresh`](crate::Client::wait_for_refresh) waits for the task.
///
/// A custom store saves [`StoredLogin::to_json`]. In a database, the lock is an advisory lock of the connection, or a row with an expiry.
///
/// ```
/// use std::sync::Arc;
/// use documine::{BoxFuture, Error, Result, auth::{StoreLock, StoredLogin, TokenStore}};
/// use tokio::sync::Mutex;
///
/// /// One row of a database table, simplified.
/// #[derive(Default)]
/// struct Row {
///     json: std::sync::Mutex<Option<String>>,
///     lock: Arc<Mutex<()>>,
/// }
///
/// impl Row {
///     fn read(&self) -> Result<Option<StoredLogin>> {
///         let json = self.json.lock().expect("not poisoned").clone();
///         json.map(|json| StoredLogin::from_json(&json)).transpose()
///     }
/// }
///
/// impl TokenStore for Row {
///     fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
///         Box::pin(async { self.read() })
///     }
///
///     fn compare_and_swap<'a>(&'a self, expected: Option<&'a StoredLogin>, new: &'a StoredLogin) -> BoxFuture<'a, Result<bool>> {
///         Box::pin(async move {
///             let same = self.read()?.as_ref() == expected;
///             if same {
///                 *self.json.lock().expect("not poisoned") = Some(new.to_json().expose().to_owned());
///             }
///             Ok(same)
///         })
///     }
///
///     fn clear(&self) -> BoxFuture<'_, Result<()>> {
///         Box::pin(async {
///             *self.json.lock().expect("not poisoned") = None;
///             Ok(())
///         })
///     }
///
///     fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
///         Box::pin(async { Ok(StoreLock::new(Arc::clone(&self.lock).lock_owned().await)) })
///     }
/// }
///
/// let credentials = documine::Credentials::stored("my-program", Row::default());
/// ```
pub trait TokenStore: Send + Sync + 'static {
    /// Loads the stored login. `None`: the store is empty.
    ///
    /// # Errors
    /// The store can't be read, or its content is not a login. The content must be left in place: another process may be replacing it.
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>>;

    /// Loads the stored login like [`load`](Self::load), and quarantines a damaged one, so that a new login can be saved. Called with the lock held.
    /// Default: `load`, for stores without a quarantine.
    ///
    /// # Errors
    /// As [`load`](Self::load). After a quarantine, [`Error::needs_login`](crate::Error::needs_login) is true.
    fn load_or_quarantine(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        self.load()
    }

    /// Saves `new` if the stored login is still `expected` (`None`: empty), and returns whether it did. Called with the lock held; the comparison
    /// protects against processes that ignore the lock or have lost it.
    ///
    /// # Errors
    /// The login could not be saved. The old content must be intact then.
    fn compare_and_swap<'a>(
        &'a self,
        expected: Option<&'a StoredLogin>,
        new: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Deletes the stored login. An empty store is not an error.
    ///
    /// # Errors
    /// The store can't be written.
    fn clear(&self) -> BoxFuture<'_, Result<()>>;

    /// Acquires exclusive access to the store, in this process and in others, until the lock is dropped. A lock has to end with a crashed holder.
    ///
    /// # Errors
    /// The lock was not acquired within the store's own time limit.
    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>>;
}

/// A shared store: a login saves its tokens where a client loads them.
impl<T: TokenStore + ?Sized> TokenStore for Arc<T> {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        (**self).load()
    }

    fn load_or_quarantine(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        (**self).load_or_quarantine()
    }

    fn compare_and_swap<'a>(
        &'a self,
        expected: Option<&'a StoredLogin>,
        new: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        (**self).compare_and_swap(expected, new)
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        (**self).clear()
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        (**self).lock()
    }
}

/// A held [lock](TokenStore::lock), which is released on drop.
#[must_use = "a lock that is dropped at once protects nothing"]
pub struct StoreLock {
    _guard: Box<dyn Any + Send + Sync>,
}

impl StoreLock {
    /// Creates a lock that is held until `guard` is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock")
    }
}
