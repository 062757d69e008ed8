//! A token store in memory, shared within one process.

use std::sync::{Arc, Mutex, PoisonError};

use super::{StoreLock, StoredLogin, TokenStore};
use crate::clock::BoxFuture;
use crate::error::Result;

/// A token store in memory, for several clients of one process, and for tests.
///
/// ```
/// use std::sync::Arc;
/// use documine::{Credentials, auth::MemoryStore};
/// let store = Arc::new(MemoryStore::default());
/// let (one, other) = (Credentials::stored("my-program", store.clone()), Credentials::stored("my-program", store));
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    login: Mutex<Option<StoredLogin>>,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryStore {
    fn with<T>(&self, work: impl FnOnce(&mut Option<StoredLogin>) -> T) -> T {
        work(&mut self.login.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TokenStore for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        Box::pin(async { Ok(self.with(|login| login.clone())) })
    }

    fn compare_and_swap<'a>(
        &'a self,
        expected: Option<&'a StoredLogin>,
        new: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            Ok(self.with(|login| {
                let unchanged = login.as_ref() == expected;
                if unchanged {
                    *login = Some(new.clone());
                }
                unchanged
            }))
        })
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            self.with(|login| *login = None);
            Ok(())
        })
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        Box::pin(async { Ok(StoreLock::new(Arc::clone(&self.lock).lock_owned().await)) })
    }
}
