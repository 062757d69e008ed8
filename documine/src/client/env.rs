//! Settings from environment variables.

use super::builder::ClientBuilder;
use super::handle::Client;
use super::login_defaults::LoginDefaults;
use crate::auth::{Credentials, EndpointPaths, Secret, TokenSet};
use crate::error::{Error, Result};

pub(super) const BASE_URL: &str = "DOCUMINE_BASE_URL";
pub(super) const WORKSPACE_ID: &str = "DOCUMINE_WORKSPACE_ID";
pub(super) const AUTH_PATH: &str = "DOCUMINE_AUTH_PATH";
pub(super) const TOKEN_PATH: &str = "DOCUMINE_TOKEN_PATH";
pub(super) const DEVICE_PATH: &str = "DOCUMINE_DEVICE_PATH";
pub(super) const CLIENT_ID: &str = "DOCUMINE_CLIENT_ID";
pub(super) const CLIENT_SECRET: &str = "DOCUMINE_CLIENT_SECRET";
pub(super) const USERNAME: &str = "DOCUMINE_USERNAME";
pub(super) const PASSWORD: &str = "DOCUMINE_PASSWORD";
const ACCESS_TOKEN: &str = "DOCUMINE_ACCESS_TOKEN";
const REFRESH_TOKEN: &str = "DOCUMINE_REFRESH_TOKEN";
const CLIENT_ID_MEANING: &str = "the client id at the identity provider (or set DOCUMINE_ACCESS_TOKEN)";
const USERNAME_MEANING: &str = "the user name";
/// Names the file of profiles, in place of the default file.
pub(super) const CONFIG: &str = "DOCUMINE_CONFIG";
/// Names the profile, in place of the file's `default`.
pub(super) const PROFILE: &str = "DOCUMINE_PROFILE";

impl Client {
    /// Creates a client from environment variables: see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    /// A variable is missing or invalid; the error names it.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env()?.build()
    }
}

impl ClientBuilder {
    /// Creates a builder from environment variables.
    ///
    /// Addresses: `DOCUMINE_BASE_URL`, `DOCUMINE_WORKSPACE_ID`, `DOCUMINE_AUTH_PATH`, `DOCUMINE_TOKEN_PATH`, `DOCUMINE_DEVICE_PATH` (each
    /// path relative to the base URL, or a whole URL). Credentials: `DOCUMINE_ACCESS_TOKEN`, with `DOCUMINE_REFRESH_TOKEN` and
    /// `DOCUMINE_CLIENT_ID` to refresh it; or `DOCUMINE_CLIENT_ID`, `DOCUMINE_CLIENT_SECRET` (confidential clients only),
    /// `DOCUMINE_USERNAME` and `DOCUMINE_PASSWORD`. Later calls on the builder override the environment.
    ///
    /// Credentials may be absent if a later call provides them: [`credentials`](Self::credentials), or [`token_store`](Self::token_store) for the login
    /// of the client `DOCUMINE_CLIENT_ID` in a store. Otherwise [`build`](Self::build) names the missing variable.
    ///
    /// # Errors
    /// A required variable is not set, or credentials are incomplete; the error names the variable.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Creates a builder like [`from_env`](Self::from_env), from variables of another source, for example a file or a test.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name: &str| non_blank(&lookup, name);
        let require = |name: &str, meaning: &str| {
            get(name).ok_or_else(|| Error::config(format!("{name} is not set or empty; set it to {meaning}")))
        };
        let mut builder = Self::new(require(BASE_URL, "the URL of the service")?)
            .workspace(require(WORKSPACE_ID, "the id of the workspace")?);
        builder.paths = EndpointPaths {
            auth: get(AUTH_PATH),
            token: get(TOKEN_PATH),
            device: get(DEVICE_PATH),
            ..EndpointPaths::default()
        };
        let defaults = LoginDefaults {
            client_id: get(CLIENT_ID),
            client_secret: get(CLIENT_SECRET).map(Secret::from),
            ..LoginDefaults::default()
        };
        let credentials = match tokens(&get, defaults.client_id.clone())? {
            Some(tokens) => Some(tokens),
            None if get(USERNAME).is_none() && get(PASSWORD).is_none() => None,
            None => {
                let client = require(CLIENT_ID, CLIENT_ID_MEANING)?;
                let user = require(USERNAME, USERNAME_MEANING)?;
                Some(Credentials::password(client, user, require(PASSWORD, "the password")?))
            }
        };
        builder.credentials = match (credentials, defaults.client_secret.clone()) {
            (Some(credentials), Some(secret)) => Some(credentials.client_secret(secret)),
            (credentials, _) => credentials,
        };
        let missing_variable = match defaults.client_id {
            None => (CLIENT_ID, CLIENT_ID_MEANING),
            Some(_) => (USERNAME, USERNAME_MEANING),
        };
        builder.login_defaults = Some(LoginDefaults { missing_variable: Some(missing_variable), ..defaults });
        Ok(builder)
    }
}

/// Returns a variable that is set to more than blanks.
pub(super) fn non_blank(lookup: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    lookup(name).filter(|text| !text.trim().is_empty())
}

/// Returns the tokens of the environment. They take precedence over user name and password.
pub(super) fn tokens(get: &impl Fn(&str) -> Option<String>, client_id: Option<String>) -> Result<Option<Credentials>> {
    let missing =
        |name: &str| Error::config(format!("{name} is not set or empty; it is required together with {REFRESH_TOKEN}"));
    let Some(token) = get(ACCESS_TOKEN) else {
        return if get(REFRESH_TOKEN).is_some() { Err(missing(ACCESS_TOKEN)) } else { Ok(None) };
    };
    match (get(REFRESH_TOKEN), client_id) {
        (Some(refresh), Some(client)) => {
            Ok(Some(Credentials::tokens(client, TokenSet::new(token).refresh_token(refresh))))
        }
        (Some(_), None) => Err(missing(CLIENT_ID)),
        (None, _) => Ok(Some(Credentials::access_token(token))),
    }
}
