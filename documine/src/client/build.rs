//! Checks the settings of a [`ClientBuilder`] and builds the client or a login from them.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http::HeaderValue;
use url::Url;

use super::builder::{ClientBuilder, user_agent};
use super::handle::{Client, WorkspaceContext, authenticator};
use super::login_defaults::LoginDefaults;
use crate::address;
use crate::auth::{Credentials, Endpoints, IdentityProvider, Login};
use crate::error::{Error, Result};
use crate::http_util::Http;
use crate::timeout::Timeouts;
use crate::transport::{ConnectionConfig, Pipeline, RateLimiter, RequestOptions, RetryBudget};

impl ClientBuilder {
    /// Checks the settings and builds the client. Sends nothing and spawns nothing.
    ///
    /// Reads the root certificates of the platform, which takes milliseconds: build one client and clone it. For many accounts, create the other
    /// clients with [`Client::with_credentials`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with one line on the first setting that is missing or invalid.
    pub fn build(self) -> Result<Client> {
        let (pipeline, workspace) = self.pipeline()?;
        Ok(Client::new(Arc::new(pipeline), Arc::new(workspace), RequestOptions::new()))
    }

    /// Checks the settings and builds the parts of a client.
    pub(crate) fn pipeline(mut self) -> Result<(Pipeline, WorkspaceContext)> {
        let CheckedSettings { base_url, workspace, tenant, endpoints, user_agent } = self.check()?;
        let credentials = self.take_credentials()?;
        credentials.check()?;
        let http = self.http_clients(user_agent);
        let (client, api_http) = (http.client(&base_url)?, http.for_target(&base_url)?);
        let provider = self.identity_provider(&endpoints, &http)?;
        let cross_origin_http: Option<Arc<dyn Http>> = match (self.follow_download_redirects, &self.connection.identity)
        {
            (false, _) => None,
            // The client certificate is presented to the service only.
            (true, Some(_)) if self.transport.is_none() => {
                let connection = ConnectionConfig { identity: None, ..self.connection.clone() };
                Some(Arc::new(connection.http_client(&base_url, &self.timeouts, &http.user_agent)?))
            }
            (true, _) => Some(Arc::clone(&api_http)),
        };
        let auth = authenticator(credentials, &provider, &self.clock, self.observer.as_ref());
        let base_url = Arc::new(address::without_server_path(base_url, documine_api::document::SERVER_PATH));
        let pipeline = Pipeline {
            http: api_http,
            cross_origin_http,
            client,
            base_url,
            tenant,
            auth,
            clock: self.clock,
            timeouts: self.timeouts,
            retry_policy: self.retry,
            retry_budget: Arc::new(RetryBudget::new(self.retry_budget)),
            rate_limited: self.rate_limit.is_some(),
            rate_limiter: Arc::new(RateLimiter::new(self.rate_limit.unwrap_or_default())),
            observer: self.observer,
            max_response_size: self.max_response_size,
            requests_sent: AtomicU64::new(0),
        };
        Ok((pipeline, WorkspaceContext { id: workspace, endpoints, provider }))
    }

    /// Starts an interactive login with the addresses, the connection settings and the token store of this builder: see [`Login`]. No credentials
    /// are needed.
    ///
    /// A program with many users starts their logins with [`Client::login`], which shares connections.
    ///
    /// # Errors
    /// As [`build`](Self::build), or an empty client id.
    pub fn login(&self, client_id: impl Into<String>) -> Result<Login> {
        let CheckedSettings { endpoints, user_agent, .. } = self.check()?;
        let provider = self.identity_provider(&endpoints, &self.http_clients(user_agent))?;
        Login::new(client_id.into(), provider, self.token_store.clone())
    }

    /// Starts an interactive login with the settings of [`from_env_or_profile`](Self::from_env_or_profile): client id, client secret, scopes
    /// and token store. The next client with these settings uses that login.
    ///
    /// ```
    /// # async fn f() -> documine::Result<()> {
    /// let settings = documine::ClientBuilder::from_env_or_profile()?;
    /// settings.login_from_profile()?.device(|code| println!("Open {} and type {}", code.verification_uri, code.user_code)).await?;
    /// let client = settings.build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`login`](Self::login); the settings have no client id; or the environment overrides the addresses for which the secret and the store
    /// of the profile are meant. With a [`token_store`](Self::token_store), the store of the profile is not needed.
    pub fn login_from_profile(&self) -> Result<Login> {
        let no_client_id = || Error::config("no client id; set `client_id` in the profile, or DOCUMINE_CLIENT_ID");
        let defaults = self.login_defaults.as_ref().ok_or_else(no_client_id)?;
        let login = self.login(defaults.client_id.clone().ok_or_else(no_client_id)?)?;
        // A store of the caller replaces the one of the profile.
        let lacking = match (defaults.withheld.client_secret, defaults.withheld.store && self.token_store.is_none()) {
            (true, true) => Some(("client secret and token store", "them")),
            (true, false) => Some(("client secret", "it")),
            (false, true) => Some(("token store", "it")),
            (false, false) => None,
        };
        if let (Some(variable), Some((what, pronoun))) = (defaults.overriding_variable, lacking) {
            return Err(Error::config(format!(
                "{what} of profile {:?} not used: {}; use `login(…)` to log in without {pronoun}, or {SET_IN_PROFILE}",
                defaults.profile,
                override_reason(variable)
            )));
        }
        let login = defaults.client_secret.iter().cloned().fold(login, Login::client_secret);
        let login = defaults.scopes.iter().fold(login, Login::scope);
        if self.token_store.is_some() {
            return Ok(login);
        }
        Ok(defaults.open_store()?.into_iter().fold(login, Login::store))
    }

    /// Returns the credentials with the token store of this builder.
    ///
    /// Without credentials, the store is that of the login with the client id of the environment or the profile.
    fn take_credentials(&mut self) -> Result<Credentials> {
        let defaults = self.login_defaults.as_ref();
        let store = self.token_store.take();
        match (self.credentials.take(), store, defaults.and_then(|defaults| defaults.client_id.clone())) {
            (Some(credentials), Some(store), _) => Ok(credentials.store(store)),
            (Some(credentials), None, _) => Ok(credentials),
            (None, Some(store), Some(client_id)) => {
                let credentials = Credentials::stored(client_id, store);
                let secret = defaults.and_then(|defaults| defaults.client_secret.clone());
                Ok(secret.into_iter().fold(credentials, Credentials::client_secret))
            }
            (None, Some(_), None) => Err(Error::config(
                "no credentials for the token store: the client id is unknown; pass Credentials::stored to `credentials(…)`, or set DOCUMINE_CLIENT_ID",
            )),
            (None, None, _) => Err(no_credentials(defaults)),
        }
    }

    fn http_clients(&self, user_agent: HeaderValue) -> HttpClients {
        let (connection, timeouts) = (self.connection.clone(), self.timeouts);
        let transport = self.transport.clone();
        HttpClients { transport, connection, timeouts, user_agent, http: OnceCell::new(), https: OnceCell::new() }
    }

    fn identity_provider(&self, endpoints: &Endpoints, http: &HttpClients) -> Result<Arc<IdentityProvider>> {
        let http = |target: &Url| http.for_target(target);
        Ok(Arc::new(IdentityProvider::new(endpoints, &self.paths, http, Arc::clone(&self.clock))?))
    }

    /// Returns the bottom layer for requests to `target`: the transport of a test, or an HTTP client.
    pub(super) fn http(&self, target: &Url, user_agent: &HeaderValue) -> Result<Arc<dyn Http>> {
        self.http_clients(user_agent.clone()).for_target(target)
    }

    /// Checks workspace, addresses and timeouts.
    fn check(&self) -> Result<CheckedSettings> {
        let base_url = address::base_url(&self.base_url)?;
        let workspace = self.workspace.clone().unwrap_or_default();
        let tenant = workspace_header(&workspace)?;
        if base_url.scheme() == "https" && cfg!(not(any(feature = "rustls-no-provider", feature = "native-tls"))) {
            return Err(Error::config(
                "the base URL uses https: this build has no TLS; enable the feature `rustls` or `native-tls`",
            ));
        }
        for (name, limit) in self.timeouts.named() {
            if limit.is_zero() {
                return Err(Error::config(format!("the {name} timeout is zero; set a positive duration")));
            }
        }
        let endpoints = Endpoints::new(&base_url, &workspace, &self.paths)?;
        let user_agent = user_agent(self.app.as_deref())?;
        Ok(CheckedSettings { base_url, workspace, tenant, endpoints, user_agent })
    }
}

/// The HTTP clients of one builder. Each is built when it is first needed, because that reads the root certificates of the platform.
struct HttpClients {
    /// Replaces the HTTP clients in tests.
    transport: Option<Arc<dyn Http>>,
    connection: ConnectionConfig,
    timeouts: Timeouts,
    user_agent: HeaderValue,
    /// The HTTP client for http, which uses no proxy of the environment.
    http: OnceCell<reqwest::Client>,
    https: OnceCell<reqwest::Client>,
}

impl HttpClients {
    /// Returns the bottom layer for requests to `target`: the transport of a test, or the HTTP client.
    fn for_target(&self, target: &Url) -> Result<Arc<dyn Http>> {
        match &self.transport {
            Some(transport) => Ok(Arc::clone(transport)),
            None => Ok(Arc::new(self.client(target)?)),
        }
    }

    /// Returns the HTTP client for the scheme of `target`.
    fn client(&self, target: &Url) -> Result<reqwest::Client> {
        let client = if target.scheme() == "http" { &self.http } else { &self.https };
        if let Some(client) = client.get() {
            return Ok(client.clone());
        }
        let built = match &self.transport {
            // The transport sends the requests that this client builds.
            Some(_) => ConnectionConfig::unconnected_client(&self.user_agent)?,
            None => self.connection.http_client(target, &self.timeouts, &self.user_agent)?,
        };
        Ok(client.get_or_init(|| built).clone())
    }
}

/// The checked workspace and addresses of a builder.
struct CheckedSettings {
    base_url: Url,
    workspace: String,
    tenant: HeaderValue,
    endpoints: Endpoints,
    user_agent: HeaderValue,
}

/// The advice of errors about secrets that are not meant for the address in use.
const SET_IN_PROFILE: &str = "set the address or workspace in a profile";

fn override_reason(variable: &str) -> String {
    match variable {
        "DOCUMINE_WORKSPACE_ID" => format!("{variable} names another workspace"),
        _ => format!("{variable} points to an origin that is not in the profile"),
    }
}

fn no_credentials(defaults: Option<&LoginDefaults>) -> Error {
    Error::config(match defaults {
        Some(LoginDefaults { profile, overriding_variable: Some(variable), .. }) => format!(
            "no credentials: those of profile {profile:?} are not used, because {}; pass some to `credentials(…)`, or {SET_IN_PROFILE}",
            override_reason(variable),
        ),
        Some(LoginDefaults { profile, store: Some(_), .. }) => {
            format!("no credentials: profile {profile:?} has a token store but no `client_id`; set `client_id`")
        }
        Some(LoginDefaults { missing_variable: Some((variable, meaning)), .. }) => {
            format!("{variable} is not set or empty; set it to {meaning}")
        }
        _ => "no credentials; pass some to `credentials(…)`, for example Credentials::password".into(),
    })
}

fn workspace_header(workspace: &str) -> Result<HeaderValue> {
    if workspace.trim().is_empty() {
        return Err(Error::config("no workspace; pass its id to `workspace(…)`"));
    }
    let is_valid = workspace != "."
        && workspace != ".."
        && workspace.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
    HeaderValue::from_str(workspace).ok().filter(|_| is_valid).ok_or_else(|| {
        Error::config(format!(
            "invalid workspace id {workspace:?}; only letters, digits, `-`, `_`, `.` and `~` are allowed"
        ))
    })
}
