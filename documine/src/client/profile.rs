//! Settings from a profile in a file: `~/.config/documine/config.toml`.
//!
//! For each setting the first source that has it takes precedence: later calls on the builder, the environment, the profile, the default.

mod file;
mod settings;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use url::Url;

use self::file::ProfileFile;
use self::settings::Profile;
use super::builder::ClientBuilder;
use super::env::{self, non_blank};
use super::login_defaults::{LoginDefaults, Withheld};
use crate::address;
use crate::auth::{Credentials, EndpointPaths, Endpoints, Secret};
use crate::error::{Error, Result};

/// The variables with addresses that secrets are sent to.
const ADDRESSES: [&str; 4] = [env::BASE_URL, env::AUTH_PATH, env::TOKEN_PATH, env::DEVICE_PATH];

impl ClientBuilder {
    /// Creates a builder from environment variables and, for settings that they lack, from a profile in a file.
    ///
    /// The file is `~/.config/documine/config.toml` (`XDG_CONFIG_HOME` in place of `~/.config` if set; on Windows
    /// `%APPDATA%\documine\config.toml`), or the file that `DOCUMINE_CONFIG` names. The profile is the one that `DOCUMINE_PROFILE` names, or the
    /// file's `default`, or none. Without a file all settings come from the environment.
    ///
    /// ```toml
    /// default = "acme"
    ///
    /// [profiles.acme]
    /// base_url = "https://acme.example"
    /// workspace = "acme"
    /// client_id = "my-program"
    /// scopes = ["offline_access"]   # for logins
    /// store = "file"                # token store: "file", "keyring", or the absolute path of a file
    /// # client_secret, username, password, auth_path, token_path, device_path, issuer
    /// ```
    ///
    /// For each setting the first source that has it takes precedence: later calls on the builder, the variables of
    /// [`from_env`](Self::from_env), the profile, the default. Credentials are not mixed: a token, or a user name with password, from the
    /// environment is used without the credentials of the profile, and so is the secret of another client than the profile's.
    ///
    /// The secrets and the store of a profile are used only with its own workspace and with the origins (scheme, host, port) of its own base URL
    /// and endpoints. They are not used if `DOCUMINE_BASE_URL`, `DOCUMINE_AUTH_PATH`, `DOCUMINE_TOKEN_PATH` or `DOCUMINE_DEVICE_PATH` points to
    /// another origin, or if `DOCUMINE_WORKSPACE_ID` names another workspace.
    ///
    /// # Errors
    /// There is no base URL; the file has an unknown setting or no such profile; or the file contains a password or client secret and other users
    /// can read it. Other missing settings are reported by [`build`](Self::build), because later calls may still set them.
    pub fn from_env_or_profile() -> Result<Self> {
        let lookup = |name: &str| std::env::var(name).ok();
        let file = match non_blank(lookup, env::CONFIG) {
            Some(path) => {
                let path = PathBuf::from(path);
                Some(ProfileFile::read(&path)?.ok_or_else(|| file_not_found(&path, ", which DOCUMINE_CONFIG names"))?)
            }
            // Without a home directory there is no default file.
            None => match etcetera::choose_base_strategy() {
                Ok(home) => ProfileFile::read(&home.config_dir().join("documine").join("config.toml"))?,
                Err(_) => None,
            },
        };
        Self::from_variables_and_file(lookup, file.as_ref())
    }

    /// Creates a builder from the profile `name` in a file like that of [`from_env_or_profile`](Self::from_env_or_profile), without the
    /// environment.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("program.toml");
    /// std::fs::write(
    ///     &path,
    ///     r#"
    ///     [profiles.acme]
    ///     base_url = "https://acme.example"
    ///     workspace = "acme"
    ///     "#,
    /// )?;
    /// let builder = documine::ClientBuilder::from_profile(&path, "acme")?;
    /// let client = builder.credentials(documine::Credentials::access_token("eyJ…")).build()?;
    /// assert_eq!(client.base_url(), "https://acme.example");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`from_env_or_profile`](Self::from_env_or_profile), or the file does not exist.
    pub fn from_profile(path: impl AsRef<Path>, name: &str) -> Result<Self> {
        let path = path.as_ref();
        let file = ProfileFile::read(path)?.ok_or_else(|| file_not_found(path, ""))?;
        let profile = file.profile(name)?;
        if profile.base_url.is_none() {
            return Err(Error::config(format!("{}: profile {name:?} has no `base_url`", path.display())));
        }
        profile.into_builder(None)
    }

    /// Merges the environment with the profile that it names, or with the default one.
    fn from_variables_and_file(lookup: impl Fn(&str) -> Option<String>, file: Option<&ProfileFile>) -> Result<Self> {
        let get = |name: &str| non_blank(&lookup, name);
        let profile = match (file, get(env::PROFILE)) {
            (Some(file), Some(name)) => file.profile(&name)?,
            (Some(file), None) => file.default_profile()?.unwrap_or_default(),
            (None, Some(name)) => {
                return Err(Error::config(format!(
                    "no file with profile {name:?}, which {} names; create one or set {}",
                    env::PROFILE,
                    env::CONFIG
                )));
            }
            (None, None) => Profile::default(),
        };
        let profile = profile.overridden_by(get)?;
        let tokens = env::tokens(&get, profile.client_id.clone())?;
        profile.into_builder(tokens)
    }
}

impl Profile {
    /// Overrides the settings with those of the environment.
    fn overridden_by(self, get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let client_id = get(env::CLIENT_ID).or_else(|| self.client_id.clone());
        // Secrets of the profile are sent to its own client, service and workspace only.
        let overriding_variable = self.overriding_variable(&get).filter(|_| !self.name.is_empty());
        let is_own_service = overriding_variable.is_none();
        let secret = get(env::CLIENT_SECRET).map(Secret::from);
        let withheld = Withheld {
            client_secret: !is_own_service && self.client_secret.is_some() && secret.is_none(),
            store: !is_own_service && self.store.is_some(),
        };
        let own_secret = self.client_secret.filter(|_| is_own_service && client_id == self.client_id);
        let (own_username, own_password) = if is_own_service { (self.username, self.password) } else { (None, None) };
        let store = self.store.filter(|_| is_own_service);
        let (username, password) = match (get(env::USERNAME), get(env::PASSWORD)) {
            (Some(username), Some(password)) => (Some(username), Some(password.into())),
            (None, None) => (own_username, own_password),
            (None, Some(_)) => return Err(incomplete_login(env::USERNAME, env::PASSWORD)),
            (Some(_), None) => return Err(incomplete_login(env::PASSWORD, env::USERNAME)),
        };
        Ok(Self {
            base_url: get(env::BASE_URL).or(self.base_url),
            workspace: get(env::WORKSPACE_ID).or(self.workspace),
            client_id,
            client_secret: secret.or(own_secret),
            username,
            password,
            auth_path: get(env::AUTH_PATH).or(self.auth_path),
            token_path: get(env::TOKEN_PATH).or(self.token_path),
            device_path: get(env::DEVICE_PATH).or(self.device_path),
            store,
            overriding_variable,
            withheld,
            ..self
        })
    }

    /// Returns the variable that points to another origin than those of the profile, or names another workspace.
    fn overriding_variable(&self, get: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
        if get(env::WORKSPACE_ID).is_some_and(|id| Some(id) != self.workspace) {
            return Some(env::WORKSPACE_ID);
        }
        let own = self.addresses();
        let own_origins: Vec<_> = own.iter().flatten().map(Url::origin).collect();
        // One variable after the other, to name the one at fault. A path without a host stays on the same origin.
        let mut merged = self.clone();
        ADDRESSES.into_iter().find(|name| {
            let Some(value) = get(name) else { return false };
            *match *name {
                env::BASE_URL => &mut merged.base_url,
                env::AUTH_PATH => &mut merged.auth_path,
                env::TOKEN_PATH => &mut merged.token_path,
                _ => &mut merged.device_path,
            } = Some(value);
            // With invalid addresses no secret is used; building the client reports them.
            merged.addresses().is_none_or(|addresses| !addresses.iter().all(|url| own_origins.contains(&url.origin())))
        })
    }

    /// Returns the base URL and the endpoints, resolved as a client does.
    fn addresses(&self) -> Option<[Url; 4]> {
        let base = address::base_url(self.base_url.as_deref()?).ok()?;
        let (auth, token, device) = (self.auth_path.clone(), self.token_path.clone(), self.device_path.clone());
        let paths = EndpointPaths { auth, token, device, ..EndpointPaths::default() };
        let endpoints = Endpoints::new(&base, self.workspace.as_deref().unwrap_or_default(), &paths).ok()?;
        Some([base, endpoints.authorization, endpoints.token, endpoints.device])
    }

    /// Converts to a builder. `tokens` take precedence over user name and password.
    fn into_builder(self, tokens: Option<Credentials>) -> Result<ClientBuilder> {
        let base_url = self.base_url.ok_or_else(|| {
            Error::config(match self.name.as_str() {
                "" => format!(
                    "no base URL: {} is not set or empty, and no profile is used; set it, or name a profile with {}",
                    env::BASE_URL,
                    env::PROFILE
                ),
                name => format!(
                    "no base URL: profile {name:?} has no `base_url`, and {0} is not set or empty; set one of them",
                    env::BASE_URL
                ),
            })
        })?;
        let defaults = LoginDefaults {
            profile: self.name,
            client_id: self.client_id,
            client_secret: self.client_secret,
            scopes: self.scopes,
            store: self.store,
            overriding_variable: self.overriding_variable,
            missing_variable: None,
            withheld: self.withheld,
        };
        let mut builder = ClientBuilder::new(base_url);
        builder.credentials = credentials(tokens, self.username.zip(self.password), &defaults)?;
        builder.workspace = self.workspace;
        builder.paths = EndpointPaths {
            auth: self.auth_path,
            token: self.token_path,
            device: self.device_path,
            issuer: self.issuer,
            ..builder.paths
        };
        builder.login_defaults = Some(defaults);
        Ok(builder)
    }
}

/// Returns the credentials: tokens, a password, or the login in the token store, in this order.
fn credentials(
    tokens: Option<Credentials>,
    login: Option<(String, Secret)>,
    defaults: &LoginDefaults,
) -> Result<Option<Credentials>> {
    let credentials = match (tokens, login) {
        (Some(tokens), _) => Some(tokens),
        (None, Some((username, password))) => {
            let client = defaults.client_id.clone().ok_or_else(|| {
                Error::config(
                    "user name and password require a client id; set `client_id` in the profile, or DOCUMINE_CLIENT_ID",
                )
            })?;
            let credentials = Credentials::password(client, username, password);
            let credentials = defaults.scopes.iter().fold(credentials, Credentials::scope);
            Some(defaults.open_store()?.into_iter().fold(credentials, Credentials::store))
        }
        (None, None) => match (&defaults.client_id, defaults.open_store()?) {
            (Some(client), Some(store)) => Some(Credentials::stored(client, store)),
            _ => None,
        },
    };
    Ok(match (credentials, &defaults.client_secret) {
        (Some(credentials), Some(secret)) => Some(credentials.client_secret(secret.clone())),
        (credentials, _) => credentials,
    })
}

fn incomplete_login(missing: &str, present: &str) -> Error {
    Error::config(format!(
        "{missing} is not set or empty, but {present} is; set both in the environment, or both in the profile"
    ))
}

fn file_not_found(path: &Path, advice: &str) -> Error {
    Error::config(format!("no file {}{advice}", path.display()))
}
