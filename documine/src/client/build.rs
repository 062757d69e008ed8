//! Checks the settings of a [`ClientBuilder`] and builds the client or a login from them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http::HeaderValue;
use url::Url;

use super::builder::{ClientBuilder, user_agent};
use super::handle::Client;
use super::login_defaults::LoginDefaults;
use crate::address;
use crate::auth::{Authenticator, Endpoints, ExpectedIssuer, Login, LoginListener, TokenEndpoint, TokenProvider};
use crate::error::{Error, Result};
use crate::http_util::Http;
use crate::transport::{ConnectionConfig, Pipeline, RateLimiter, RetryBudget};

impl ClientBuilder {
    /// Checks the settings and builds the client. Sends nothing and spawns nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with one line on the first setting that is missing or invalid.
    pub fn build(self) -> Result<Client> {
        let (pipeline, workspace, endpoints) = self.pipeline()?;
        Ok(Client::from_pipeline(pipeline, workspace, endpoints))
    }

    /// Checks the settings and builds the parts of a client.
    pub(crate) fn pipeline(self) -> Result<(Pipeline, String, Endpoints)> {
        let CheckedSettings { base_url, workspace, tenant, endpoints, user_agent } = self.check()?;
        let credentials = self.credentials.clone().ok_or_else(|| no_credentials(self.login_defaults.as_ref()))?;
        credentials.check()?;
        let client = self.connection.http_client(&base_url, &self.timeouts, &user_agent)?;
        let api_http: Arc<dyn Http> = self.transport.clone().unwrap_or_else(|| Arc::new(client.clone()));
        // One HTTP client serves the API and the token endpoint, unless only one of the two may use a proxy.
        let http = |target: &Url| {
            if target.scheme() == base_url.scheme() {
                return Ok(Arc::clone(&api_http));
            }
            self.http(target, &user_agent)
        };
        let endpoint = TokenEndpoint::new(&endpoints, http, Arc::clone(&self.clock))?;
        let cross_origin_http: Option<Arc<dyn Http>> = match (self.follow_download_redirects, &self.connection.identity)
        {
            (false, _) => None,
            (true, None) => Some(Arc::clone(&api_http)),
            // The client certificate is presented to the service only.
            (true, Some(_)) if self.transport.is_none() => {
                let connection = ConnectionConfig { identity: None, ..self.connection.clone() };
                Some(Arc::new(connection.http_client(&base_url, &self.timeouts, &user_agent)?))
            }
            (true, Some(_)) => Some(Arc::clone(&api_http)),
        };
        let listener =
            self.observer.clone().map(|observer| -> LoginListener { Arc::new(move |event| observer.login(event)) });
        let provider = TokenProvider::new(credentials, endpoint, Arc::clone(&self.clock));
        let auth = Authenticator::new(provider, Arc::clone(&self.clock), listener);
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
            retry_budget: RetryBudget::new(self.retry_budget),
            rate_limited: self.pacing.is_some(),
            rate_limiter: RateLimiter::new(self.pacing.unwrap_or_default()),
            observer: self.observer,
            max_response_size: self.max_response_size,
            requests_sent: AtomicU64::new(0),
        };
        Ok((pipeline, workspace, endpoints))
    }

    /// Starts an interactive login with the addresses and connection settings of this builder: see [`Login`]. No credentials are needed.
    ///
    /// # Errors
    /// As [`build`](Self::build), or an empty client id.
    pub fn login(&self, client_id: impl Into<String>) -> Result<Login> {
        let CheckedSettings { endpoints, user_agent, .. } = self.check()?;
        let http = |target: &Url| self.http(target, &user_agent);
        let token = TokenEndpoint::new(&endpoints, http, Arc::clone(&self.clock))?;
        let device = http(&endpoints.device)?;
        Login::new(
            client_id.into(),
            endpoints.authorization,
            token,
            (endpoints.device, device),
            ExpectedIssuer { name: self.paths.issuer.clone(), is_announced: self.paths.announces_issuer },
            Arc::clone(&self.clock),
        )
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
    /// of the profile are meant.
    pub fn login_from_profile(&self) -> Result<Login> {
        let no_client_id = || Error::config("no client id; set `client_id` in the profile, or DOCUMINE_CLIENT_ID");
        let defaults = self.login_defaults.as_ref().ok_or_else(no_client_id)?;
        let login = self.login(defaults.client_id.clone().ok_or_else(no_client_id)?)?;
        if let Some(variable) = defaults.overriding_variable.filter(|_| defaults.withheld) {
            return Err(Error::config(format!(
                "client secret and token store of profile {:?} not used: {}; use `login(…)` to log in without them, or {SET_IN_PROFILE}",
                defaults.profile,
                override_reason(variable)
            )));
        }
        let login = defaults.client_secret.iter().cloned().fold(login, Login::client_secret);
        let login = defaults.scopes.iter().fold(login, Login::scope);
        Ok(defaults.open_store()?.into_iter().fold(login, Login::store))
    }

    /// Returns the bottom layer for requests to `target`: the transport of a test, or an HTTP client.
    pub(super) fn http(&self, target: &Url, user_agent: &HeaderValue) -> Result<Arc<dyn Http>> {
        match &self.transport {
            Some(transport) => Ok(Arc::clone(transport)),
            None => Ok(Arc::new(self.connection.http_client(target, &self.timeouts, user_agent)?)),
        }
    }

    /// Checks workspace, addresses and timeouts.
    fn check(&self) -> Result<CheckedSettings> {
        let base_url = address::base_url(&self.base_url)?;
        let workspace = self.workspace.clone().unwrap_or_default();
        let tenant = workspace_header(&workspace)?;
        if base_url.scheme() == "https" && cfg!(not(any(feature = "rustls", feature = "native-tls"))) {
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
