//! Settings that a person keeps in a file under a name, so that programs need none of their own: `~/.config/documine/config.toml`.
//!
//! For each setting the first that says something counts: the program (later calls on the builder), the environment, the profile, the default.

mod file;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use url::Url;

use crate::address;
use crate::auth::{Credentials, EndpointPaths, Endpoints, FileStore, Secret, TokenStore};
use crate::client::builder::{ClientBuilder, given_tokens};
use crate::disk;
use crate::error::{Error, Result};
use file::ProfileFile;

/// Which file; in place of the usual one.
const CONFIG: &str = "DOCUMINE_CONFIG";
/// Which profile of it; in place of its `default`.
const PROFILE: &str = "DOCUMINE_PROFILE";
/// The addresses that secrets are sent to.
const BASE_URL: &str = "DOCUMINE_BASE_URL";
const AUTH_PATH: &str = "DOCUMINE_AUTH_PATH";
const TOKEN_PATH: &str = "DOCUMINE_TOKEN_PATH";
const DEVICE_PATH: &str = "DOCUMINE_DEVICE_PATH";
const ADDRESSES: [&str; 4] = [BASE_URL, AUTH_PATH, TOKEN_PATH, DEVICE_PATH];

/// What is known before the program itself says anything: one profile, and what the environment says in place of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    /// Empty where there is none, but the environment alone.
    pub(crate) name: String,
    pub(crate) base_url: Option<String>,
    pub(crate) workspace: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) auth_path: Option<String>,
    pub(crate) token_path: Option<String>,
    pub(crate) device_path: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// Where tokens are kept: `file`, `keyring`, or a file's whole path.
    pub(crate) store: Option<String>,
    /// The variable that leads away from the profile's own addresses or workspace: the profile's secrets and its store are not used.
    pub(crate) elsewhere: Option<&'static str>,
    /// For that reason, a login would go without its client secret or would not be kept.
    pub(crate) withheld: bool,
}

impl ClientBuilder {
    /// Settings from the environment, and where that says nothing, from a profile: a part of a file in which a person keeps settings under a name.
    ///
    /// The file is `~/.config/documine/config.toml` (`XDG_CONFIG_HOME` in place of `~/.config` where it is set; on Windows
    /// `%APPDATA%\documine\config.toml`), or what `DOCUMINE_CONFIG` names. The profile is the one that `DOCUMINE_PROFILE` names, or the file's
    /// `default`, or none. Both variables are this crate's own. Without a file everything comes from the environment.
    ///
    /// ```toml
    /// default = "acme"
    ///
    /// [profiles.acme]
    /// base_url = "https://acme.example"
    /// workspace = "acme"
    /// client_id = "my-program"
    /// scopes = ["offline_access"]   # for logins
    /// store = "file"                # where tokens are kept: "file", "keyring", or the whole path of a file
    /// # client_secret, username, password, auth_path, token_path, device_path, issuer
    /// ```
    ///
    /// For each setting the first that says something counts: later calls on the builder, the variables of [`from_env`](Self::from_env),
    /// the profile, the default. Credentials are not mixed: a token, or user name and password, from the environment stand for themselves, and so does
    /// the secret of another client than the profile's. The profile's secrets and its store are for its own workspace, and for the origins (scheme,
    /// host, port) of its own base URL and endpoints. Where `DOCUMINE_BASE_URL`, `DOCUMINE_AUTH_PATH`, `DOCUMINE_TOKEN_PATH` or
    /// `DOCUMINE_DEVICE_PATH` leads to another origin, or `DOCUMINE_WORKSPACE_ID` names another workspace, they are not used.
    ///
    /// # Errors
    /// The base URL is nowhere; the file holds what is no setting, or has no such profile; it holds a password or a client secret and others can
    /// read it. What is missing of the rest, [`build`](Self::build) says: later calls may still bring it.
    pub fn from_env_or_profile() -> Result<Self> {
        let lookup = |name: &str| std::env::var(name).ok();
        let file = match set(lookup, CONFIG) {
            Some(path) => {
                let path = PathBuf::from(path);
                Some(ProfileFile::read(&path)?.ok_or_else(|| missing(&path, "; DOCUMINE_CONFIG names it"))?)
            }
            // Without a home there is no such file.
            None => match etcetera::choose_base_strategy() {
                Ok(home) => ProfileFile::read(&home.config_dir().join("documine").join("config.toml"))?,
                Err(_) => None,
            },
        };
        Self::from_variables_and_file(lookup, file.as_ref())
    }

    /// Settings from the profile `name` of a program's own file, which looks like that of [`from_env_or_profile`](Self::from_env_or_profile). The
    /// environment is not asked.
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
    /// As [`from_env_or_profile`](Self::from_env_or_profile), and the file is not there.
    pub fn from_profile(path: impl AsRef<Path>, name: &str) -> Result<Self> {
        let path = path.as_ref();
        let file = ProfileFile::read(path)?.ok_or_else(|| missing(path, ""))?;
        let profile = file.profile(name)?;
        if profile.base_url.is_none() {
            return Err(Error::config(format!("{}: the profile {name:?} has no `base_url`", path.display())));
        }
        profile.builder(None)
    }

    /// All but the finding of the file.
    fn from_variables_and_file(lookup: impl Fn(&str) -> Option<String>, file: Option<&ProfileFile>) -> Result<Self> {
        let get = |name: &str| set(&lookup, name);
        let named = get(PROFILE);
        let profile = match (file, &named) {
            (Some(file), Some(name)) => file.profile(name)?,
            (Some(file), None) => file.default_profile()?.unwrap_or_default(),
            (None, Some(name)) => {
                return Err(Error::config(format!(
                    "{PROFILE} names the profile {name:?}, but there is no file of profiles; make one or name it with {CONFIG}"
                )));
            }
            (None, None) => Profile::default(),
        };
        let profile = profile.beneath(get)?;
        let tokens = given_tokens(&get, profile.client_id.clone())?;
        profile.builder(tokens)
    }
}

impl Profile {
    /// What the environment says, and this where it says nothing.
    fn beneath(self, get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let client_id = get("DOCUMINE_CLIENT_ID").or_else(|| self.client_id.clone());
        // A secret belongs to its client and its service, and is shown to nobody else.
        let elsewhere = self.stranger(&get).filter(|_| !self.name.is_empty());
        let same_place = elsewhere.is_none();
        let secret = get("DOCUMINE_CLIENT_SECRET").map(Secret::from);
        let withheld = !same_place && (self.store.is_some() || self.client_secret.is_some() && secret.is_none());
        let own_secret = self.client_secret.filter(|_| same_place && client_id == self.client_id);
        let (own_username, own_password) = if same_place { (self.username, self.password) } else { (None, None) };
        let store = self.store.filter(|_| same_place);
        let (username, password) = match (get("DOCUMINE_USERNAME"), get("DOCUMINE_PASSWORD")) {
            (Some(username), Some(password)) => (Some(username), Some(password.into())),
            (None, None) => (own_username, own_password),
            (None, Some(_)) => return Err(half("DOCUMINE_USERNAME", "DOCUMINE_PASSWORD")),
            (Some(_), None) => return Err(half("DOCUMINE_PASSWORD", "DOCUMINE_USERNAME")),
        };
        Ok(Self {
            base_url: get(BASE_URL).or(self.base_url),
            workspace: get("DOCUMINE_WORKSPACE_ID").or(self.workspace),
            client_id,
            client_secret: secret.or(own_secret),
            username,
            password,
            auth_path: get(AUTH_PATH).or(self.auth_path),
            token_path: get(TOKEN_PATH).or(self.token_path),
            device_path: get(DEVICE_PATH).or(self.device_path),
            store,
            elsewhere,
            withheld,
            ..self
        })
    }

    /// The variable that leads to an address of another origin than the profile's own, or to another workspace.
    fn stranger(&self, get: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
        const WORKSPACE: &str = "DOCUMINE_WORKSPACE_ID";
        if get(WORKSPACE).is_some_and(|given| Some(given) != self.workspace) {
            return Some(WORKSPACE);
        }
        let own = self.addresses();
        let own_origins: Vec<_> = own.iter().flatten().map(Url::origin).collect();
        // One variable after the other, so that the one that leads away is named. A path leads nowhere else by itself.
        let mut merged = self.clone();
        ADDRESSES.into_iter().find(|name| {
            let Some(given) = get(name) else { return false };
            *match *name {
                BASE_URL => &mut merged.base_url,
                AUTH_PATH => &mut merged.auth_path,
                TOKEN_PATH => &mut merged.token_path,
                _ => &mut merged.device_path,
            } = Some(given);
            // Addresses that can't be used are for nobody; the client says so when it is built.
            merged.addresses().is_none_or(|addresses| !addresses.iter().all(|url| own_origins.contains(&url.origin())))
        })
    }

    /// The base URL and the endpoints, as a client makes them of the settings.
    fn addresses(&self) -> Option<[Url; 4]> {
        let base = address::base_url(self.base_url.as_deref()?).ok()?;
        let (auth, token, device) = (self.auth_path.clone(), self.token_path.clone(), self.device_path.clone());
        let paths = EndpointPaths { auth, token, device, ..EndpointPaths::default() };
        let endpoints = Endpoints::new(&base, self.workspace.as_deref().unwrap_or_default(), &paths).ok()?;
        Some([base, endpoints.authorization, endpoints.token, endpoints.device])
    }

    /// A builder with all of it. `tokens` go before user name and password.
    fn builder(self, tokens: Option<Credentials>) -> Result<ClientBuilder> {
        let base = self.base_url.clone().ok_or_else(|| {
            Error::config(match self.name.as_str() {
                "" => format!(
                    "DOCUMINE_BASE_URL is not set or empty, and no profile is in use; it holds the service's address (or name a profile with {PROFILE})"
                ),
                name => format!("the profile {name:?} has no `base_url`, and DOCUMINE_BASE_URL is not set or empty"),
            })
        })?;
        let credentials = match (tokens, &self.username, &self.password) {
            (Some(tokens), ..) => Some(tokens),
            (None, Some(username), Some(password)) => {
                let client = self.client_id.clone().ok_or_else(|| {
                    Error::config(
                        "user name and password need a client id: set `client_id` in the profile, or DOCUMINE_CLIENT_ID",
                    )
                })?;
                let credentials = Credentials::password(client, username, password.clone());
                let credentials = self.scopes.iter().fold(credentials, Credentials::scope);
                Some(self.store()?.into_iter().fold(credentials, Credentials::store))
            }
            _ => match (&self.client_id, self.store()?) {
                (Some(client), Some(store)) => Some(Credentials::stored(client, store)),
                _ => None,
            },
        };
        let credentials = match (credentials, &self.client_secret) {
            (Some(credentials), Some(secret)) => Some(credentials.client_secret(secret.clone())),
            (credentials, _) => credentials,
        };
        let builder = ClientBuilder::new(base).with_profile(self);
        Ok(match credentials {
            Some(credentials) => builder.credentials(credentials),
            None => builder,
        })
    }
}

impl Profile {
    /// Where tokens are kept.
    pub(crate) fn store(&self) -> Result<Option<Arc<dyn TokenStore>>> {
        let Some(store) = &self.store else { return Ok(None) };
        Ok(Some(match store.as_str() {
            "file" => {
                let folder = disk::state_folder().ok_or_else(|| {
                    Error::config(
                        "this person has no home folder, where tokens could be kept; give `store` the path of a file",
                    )
                })?;
                let name = [self.name.as_str(), self.client_id.as_deref().unwrap_or_default()].map(disk::file_name);
                Arc::new(FileStore::new(folder.join(format!("{}.json", name.join(".")))))
            }
            "keyring" => keyring(&self.name, self.client_id.as_deref().unwrap_or_default())?,
            path => Arc::new(FileStore::new(path)),
        }))
    }
}

#[cfg(feature = "keyring")]
fn keyring(name: &str, client_id: &str) -> Result<Arc<dyn TokenStore>> {
    // Either may hold blanks; as parts of a file's name two pairs never become one.
    Ok(Arc::new(crate::auth::KeyringStore::new("documine", [name, client_id].map(disk::file_name).join("."))?))
}

#[cfg(not(feature = "keyring"))]
fn keyring(name: &str, _: &str) -> Result<Arc<dyn TokenStore>> {
    Err(Error::config(format!(
        "the profile {name:?} keeps tokens in the keyring, but this build has none; switch on the feature `keyring`"
    )))
}

/// A variable that says something.
fn set(lookup: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    lookup(name).filter(|text| !text.trim().is_empty())
}

fn half(missing: &str, there: &str) -> Error {
    Error::config(format!(
        "{missing} is not set or empty, but {there} is; user name and password come from one place, the environment or a profile"
    ))
}

fn missing(path: &Path, why: &str) -> Error {
    Error::config(format!("there is no file {}{why}", path.display()))
}
