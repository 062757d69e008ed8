//! The settings of a profile or of the environment that a later login or build needs.

use std::sync::Arc;

use crate::auth::{FileStore, Secret, TokenStore};
use crate::disk;
use crate::error::{Error, Result};

/// The login settings of a profile or of the environment, and the reason why some of them may not be used.
#[derive(Debug, Clone, Default)]
pub(super) struct LoginDefaults {
    /// The name of the profile. Empty: the settings come from the environment alone.
    pub(super) profile: String,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) scopes: Vec<String>,
    /// The token store: `file`, `keyring`, or the absolute path of a file.
    pub(super) store: Option<String>,
    /// The environment variable that overrides an address or the workspace of the profile.
    pub(super) overriding_variable: Option<&'static str>,
    /// The first variable of the environment that credentials need and that is not set, and its meaning. `None`: a profile may have it instead.
    pub(super) missing_variable: Option<(&'static str, &'static str)>,
    /// The settings of the profile that a login would therefore lack.
    pub(super) withheld: Withheld,
}

/// The settings of a profile that are not used, because the environment overrides the address or workspace for which they are meant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Withheld {
    pub(super) client_secret: bool,
    pub(super) store: bool,
}

impl LoginDefaults {
    /// Opens the token store.
    pub(super) fn open_store(&self) -> Result<Option<Arc<dyn TokenStore>>> {
        let Some(store) = &self.store else { return Ok(None) };
        Ok(Some(match store.as_str() {
            "file" => {
                let folder = disk::state_folder().ok_or_else(|| {
                    Error::config("no home directory for the token store; set `store` to the path of a file")
                })?;
                Arc::new(FileStore::new(folder.join(format!("{}.json", self.store_name()))))
            }
            "keyring" => self.keyring()?,
            path => Arc::new(FileStore::new(path)),
        }))
    }

    /// Returns the name of the store for this profile and client. Escaped, because either may contain any character.
    fn store_name(&self) -> String {
        [self.profile.as_str(), self.client_id.as_deref().unwrap_or_default()].map(disk::file_name).join(".")
    }

    #[cfg(feature = "keyring")]
    fn keyring(&self) -> Result<Arc<dyn TokenStore>> {
        Ok(Arc::new(crate::auth::KeyringStore::new("documine", self.store_name())?))
    }

    #[cfg(not(feature = "keyring"))]
    fn keyring(&self) -> Result<Arc<dyn TokenStore>> {
        Err(Error::config(format!(
            "profile {:?} stores tokens in the keyring: this build has no keyring support; enable the feature `keyring`",
            self.profile
        )))
    }
}
