//! The client's settings: checked once, in [`ClientBuilder::build`], each with a line that says what to do.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::HeaderValue;
use url::Url;

use crate::address;
use crate::auth::{Authenticator, Credentials, EndpointPaths, Endpoints, TokenEndpoint, TokenSet};
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::transport::Stack;
use crate::transport::timeout::Timeouts;

/// Collects the settings of a [`Client`].
///
/// ```
/// use documine::{Client, Credentials};
/// # fn main() -> documine::Result<()> {
/// let client = Client::builder("https://acme.example")
///     .workspace("acme")
///     .credentials(Credentials::password("my-client", "robot", "s3cret"))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "nothing happens until `build()`"]
pub struct ClientBuilder {
    base: String,
    workspace: Option<String>,
    credentials: Option<Credentials>,
    paths: EndpointPaths,
    timeouts: Timeouts,
    app: Option<String>,
    clock: Arc<dyn Clock>,
}

impl Client {
    /// Begins a client for the service at `base_url`, for example `https://acme.example`.
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(base_url)
    }

    /// A client with all its settings from the environment: see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    /// A variable is missing or wrong; the error names it.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env()?.build()
    }
}

impl fmt::Debug for ClientBuilder {
    /// Without base URL and paths: they have not been checked yet, and may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("workspace", &self.workspace)
            .field("credentials", &self.credentials)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(crate) fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            workspace: None,
            credentials: None,
            paths: EndpointPaths::default(),
            timeouts: Timeouts::default(),
            app: None,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Settings from the environment.
    ///
    /// `DOCUMINE_BASE_URL`, `DOCUMINE_WORKSPACE_ID`, `DOCUMINE_AUTH_PATH`, `DOCUMINE_TOKEN_PATH`, `DOCUMINE_DEVICE_PATH` (each a path
    /// or a whole URL), and the credentials: `DOCUMINE_ACCESS_TOKEN`, with `DOCUMINE_REFRESH_TOKEN` and `DOCUMINE_CLIENT_ID` where it
    /// shall be kept fresh; or `DOCUMINE_CLIENT_ID`, `DOCUMINE_CLIENT_SECRET` (confidential clients only), `DOCUMINE_USERNAME` and
    /// `DOCUMINE_PASSWORD`. Later calls on the builder override what the environment says.
    ///
    /// # Errors
    /// A variable that is needed is not set; the error names it.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Like [`from_env`](Self::from_env), with the variables from anywhere: a file, a test.
    ///
    /// # Errors
    /// A variable that is needed is not set; the error names it.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
        let need = |name: &str, what: &str| {
            get(name).ok_or_else(|| Error::config(format!("{name} is not set or empty; it holds {what}")))
        };
        let mut builder = Self::new(need("DOCUMINE_BASE_URL", "the service's address")?)
            .workspace(need("DOCUMINE_WORKSPACE_ID", "the workspace's id")?);
        builder.paths = EndpointPaths {
            auth: get("DOCUMINE_AUTH_PATH"),
            token: get("DOCUMINE_TOKEN_PATH"),
            device: get("DOCUMINE_DEVICE_PATH"),
        };
        let mut credentials = if let Some(token) = get("DOCUMINE_ACCESS_TOKEN") {
            match (get("DOCUMINE_REFRESH_TOKEN"), get("DOCUMINE_CLIENT_ID")) {
                (Some(refresh), Some(client)) => {
                    Credentials::tokens(client, TokenSet::new(token).refresh_token(refresh))
                }
                (Some(_), None) => {
                    return Err(Error::config(
                        "DOCUMINE_CLIENT_ID is not set or empty; DOCUMINE_REFRESH_TOKEN works only together with it",
                    ));
                }
                (None, _) => Credentials::access_token(token),
            }
        } else {
            let client =
                need("DOCUMINE_CLIENT_ID", "the client's id at the identity provider (or set DOCUMINE_ACCESS_TOKEN)")?;
            let user = need("DOCUMINE_USERNAME", "the user's name")?;
            Credentials::password(client, user, need("DOCUMINE_PASSWORD", "the user's password")?)
        };
        if let Some(secret) = get("DOCUMINE_CLIENT_SECRET") {
            credentials = credentials.client_secret(secret);
        }
        Ok(builder.credentials(credentials))
    }

    /// The workspace (tenant) to work in; sent as `X-TENANT-ID` with every request.
    pub fn workspace(mut self, id: impl Into<String>) -> Self {
        self.workspace = Some(id.into());
        self
    }

    /// How to log in.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The authorization endpoint: a path below the base URL or a whole URL. Default: Keycloak's path for the workspace (inferred).
    pub fn auth_path(mut self, path: impl Into<String>) -> Self {
        self.paths.auth = Some(path.into());
        self
    }

    /// The token endpoint: a path below the base URL or a whole URL. Default: Keycloak's path for the workspace (inferred).
    pub fn token_path(mut self, path: impl Into<String>) -> Self {
        self.paths.token = Some(path.into());
        self
    }

    /// The device authorization endpoint: a path below the base URL or a whole URL. Default: Keycloak's path for the workspace (inferred).
    pub fn device_path(mut self, path: impl Into<String>) -> Self {
        self.paths.device = Some(path.into());
        self
    }

    /// How long the making of a connection may take. Default: 10 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.connect = limit;
        self
    }

    /// How long the service may take from the request to the beginning of its answer, in each attempt. Default: 60 seconds.
    /// While the bytes of an upload move, the time does not count.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.attempt = limit;
        self
    }

    /// How long an answer may stand still between two pieces. Default: 60 seconds. There is no limit on the whole of a transfer.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.idle = limit;
        self
    }

    /// Names the program that uses this crate in the `User-Agent` header.
    pub fn app_info(mut self, name: &str, version: &str) -> Self {
        self.app = Some(format!("{name}/{version}"));
        self
    }

    /// Another clock, for tests: waits, back-off and token ages follow it.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the settings and makes the client. Nothing is sent and nothing is started.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with one line on the first setting that is missing or wrong.
    pub fn build(self) -> Result<Client> {
        let base = address::base_url(&self.base)?;
        let workspace = self.workspace.unwrap_or_default();
        let tenant = workspace_header(&workspace)?;
        let credentials = self.credentials.ok_or_else(|| {
            Error::config("no credentials; give them with `credentials(…)`, for example Credentials::password")
        })?;
        credentials.check()?;
        if base.scheme() == "https" && cfg!(not(any(feature = "rustls", feature = "native-tls"))) {
            return Err(Error::config(
                "the base URL is https, but this build has no TLS; switch on the feature `rustls` or `native-tls`",
            ));
        }
        for (name, limit) in
            [("connect", self.timeouts.connect), ("attempt", self.timeouts.attempt), ("idle", self.timeouts.idle)]
        {
            if limit.is_zero() {
                return Err(Error::config(format!("the {name} timeout is zero; nothing could ever succeed")));
            }
        }
        let endpoints = Endpoints::new(&base, &workspace, &self.paths)?;
        let agent = user_agent(self.app.as_deref())?;
        let http = |target: &Url| {
            let mut builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(self.timeouts.connect)
                .user_agent(agent.clone());
            if target.scheme() == "http" {
                // This machine alone: a proxy from the environment would get password and tokens in the clear.
                builder = builder.no_proxy();
            }
            builder.build().map_err(|error| Error::config("the HTTP client could not be set up").with_source(error))
        };
        let api_http = http(&base)?;
        // One set-up serves both, unless only one of the two may use a proxy.
        let token_http =
            if endpoints.token.scheme() == base.scheme() { api_http.clone() } else { http(&endpoints.token)? };
        let endpoint = TokenEndpoint::new(endpoints.token.clone(), token_http, Arc::clone(&self.clock));
        let origin = credentials.into_origin(endpoint);
        let base = address::above(base, documine_api::document::SERVER_PATH);
        let stack = Stack {
            http: api_http,
            base,
            tenant,
            auth: Authenticator::new(origin, Arc::clone(&self.clock)),
            clock: self.clock,
            timeouts: self.timeouts,
            retry: crate::transport::RetryPolicy::default(),
            sent: AtomicU64::new(0),
        };
        Ok(Client::from_stack(stack, workspace, endpoints))
    }
}

fn workspace_header(workspace: &str) -> Result<HeaderValue> {
    let fits = !workspace.is_empty()
        && workspace != "."
        && workspace != ".."
        && workspace.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
    if workspace.trim().is_empty() {
        return Err(Error::config("the workspace is empty; give its id with `workspace(…)`"));
    }
    HeaderValue::from_str(workspace).ok().filter(|_| fits).ok_or_else(|| {
        Error::config(format!(
            "the workspace {workspace:?} is no workspace id: letters, digits, `-`, `_`, `.` and `~` only"
        ))
    })
}

fn user_agent(app: Option<&str>) -> Result<HeaderValue> {
    let own = concat!("documine-rust/", env!("CARGO_PKG_VERSION"));
    let text = app.map_or_else(|| own.to_owned(), |app| format!("{own} {app}"));
    HeaderValue::from_str(&text)
        .map_err(|_| Error::config("app_info holds characters that no header may hold; use plain ASCII"))
}
