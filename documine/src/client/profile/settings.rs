//! The settings of one profile.

use crate::auth::Secret;
use crate::client::login_defaults::Withheld;

/// One profile of the file, before or after the environment overrides it.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    /// Empty: there is no profile, only the environment.
    pub(super) name: String,
    pub(super) base_url: Option<String>,
    pub(super) workspace: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) auth_path: Option<String>,
    pub(super) token_path: Option<String>,
    pub(super) device_path: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) scopes: Vec<String>,
    /// The token store: `file`, `keyring`, or the absolute path of a file.
    pub(super) store: Option<String>,
    /// The environment variable that overrides an address or the workspace. Secrets and store of the profile are not used then.
    pub(super) overriding_variable: Option<&'static str>,
    /// The settings that a login would therefore lack.
    pub(super) withheld: Withheld,
}
