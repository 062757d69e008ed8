//! Where logins are kept between runs of a program, and between the processes that share one.
//!
//! ```text
//! keeper      one client's login in a store           keeper.rs
//! TokenStore  what a place has to be able to do       this file
//!  ├─ MemoryStore   this process                      memory.rs
//!  ├─ FileStore     a file, with a lock beside it     file.rs, lock.rs
//!  └─ KeyringStore  the platform's keyring            keyring.rs (feature `keyring`)
//! StoredLogin what is kept, as JSON with a version    record.rs
//! ```

mod file;
mod keeper;
#[cfg(feature = "keyring")]
mod keyring;
mod lock;
mod memory;
mod record;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::clock::BoxFuture;
use crate::error::Result;

pub use file::FileStore;
pub(crate) use keeper::Keeper;
#[cfg(feature = "keyring")]
pub use keyring::KeyringStore;
pub use memory::MemoryStore;
pub use record::StoredLogin;

/// A place that keeps a login: a file, a keyring, a table of a database.
///
/// A refresh token is often good for one use only (rotation), so whoever shares it must not use it at the same time. The client takes the
/// [lock](Self::lock), [loads](Self::load) what is kept, adopts it when somebody else has been faster, asks the identity provider only otherwise, and
/// [swaps](Self::compare_and_swap) the answer in before any call uses it. All of it happens in a task of its own: a call that is given up
/// leaves nothing undone. A runtime that ends takes such a task along: [`Client::settle`](crate::Client::settle) waits for it.
///
/// A store of your own keeps [`StoredLogin::to_json`]; in a database the lock is an advisory lock of the connection, or a row with an end.
///
/// ```
/// use std::sync::Arc;
/// use documine::{BoxFuture, Error, Result, StoreLock, StoredLogin, TokenStore};
/// use tokio::sync::Mutex;
///
/// /// One row of a table, as far as this example goes.
/// #[derive(Default)]
/// struct Row {
///     json: std::sync::Mutex<Option<String>>,
///     lock: Arc<Mutex<()>>,
/// }
///
/// impl Row {
///     fn read(&self) -> Result<Option<StoredLogin>> {
///         let json = self.json.lock().expect("nothing panics with it").clone();
///         json.map(|json| StoredLogin::from_json(&json)).transpose()
///     }
/// }
///
/// impl TokenStore for Row {
///     fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
///         Box::pin(async { self.read() })
///     }
///
///     fn compare_and_swap<'a>(&'a self, seen: Option<&'a StoredLogin>, fresh: &'a StoredLogin) -> BoxFuture<'a, Result<bool>> {
///         Box::pin(async move {
///             let same = self.read()?.as_ref() == seen;
///             if same {
///                 *self.json.lock().expect("nothing panics with it") = Some(fresh.to_json().expose().to_owned());
///             }
///             Ok(same)
///         })
///     }
///
///     fn clear(&self) -> BoxFuture<'_, Result<()>> {
///         Box::pin(async {
///             *self.json.lock().expect("nothing panics with it") = None;
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
    /// What is kept, or nothing.
    ///
    /// # Errors
    /// The place can't be read, or what is there is not understood. It must be left as it is: another process may be replacing it.
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>>;

    /// Returns what is kept, like [`load`](Self::load), and moves aside what is damaged, so that a new login can be kept. Called with the lock held.
    /// Default: `load`, for stores that move nothing.
    ///
    /// # Errors
    /// As [`load`](Self::load). Where something was moved aside, [`Error::needs_login`](crate::Error::needs_login) is true.
    fn load_or_quarantine(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        self.load()
    }

    /// Keeps `fresh` if what is kept is still `seen` (`None`: nothing), and says whether it did. Called with the lock held; the comparison
    /// protects from whoever does not take it, or has lost it.
    ///
    /// # Errors
    /// It could not be kept. The old content must be whole then.
    fn compare_and_swap<'a>(
        &'a self,
        seen: Option<&'a StoredLogin>,
        fresh: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Forgets what is kept; no error when nothing is.
    ///
    /// # Errors
    /// The place can't be written.
    fn clear(&self) -> BoxFuture<'_, Result<()>>;

    /// Holds off everybody else who shares the place, in this process and in others, until the lock is dropped. A holder that dies must not hold
    /// others off for ever.
    ///
    /// # Errors
    /// It could not be had within a time of the store's own choice.
    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>>;
}

/// A shared one: a login keeps its tokens where a client finds them.
impl<T: TokenStore + ?Sized> TokenStore for Arc<T> {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        (**self).load()
    }

    fn load_or_quarantine(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        (**self).load_or_quarantine()
    }

    fn compare_and_swap<'a>(
        &'a self,
        seen: Option<&'a StoredLogin>,
        fresh: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        (**self).compare_and_swap(seen, fresh)
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        (**self).clear()
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        (**self).lock()
    }
}

/// A [lock](TokenStore::lock) that is held; dropping it lets the next one in.
#[must_use = "a lock that is dropped at once holds nobody off"]
pub struct StoreLock {
    _guard: Box<dyn Any + Send + Sync>,
}

impl StoreLock {
    /// A lock that lasts as long as `guard`.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock")
    }
}
