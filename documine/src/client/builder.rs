//! The settings of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::handle::Client;
use super::login_defaults::LoginDefaults;
use crate::auth::{ClientAuthMethod, Credentials, EndpointPaths, Issuer, Secret, TokenStore};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::http_util::Http;
use crate::timeout::Timeouts;
use crate::transport::{ConnectionConfig, FakeHttp, Observer, ProxyConfig, RateLimit, RetryPolicy, Transport};

/// The default limit on a response body after decompression: enough for a list of a million files.
const MAX_RESPONSE_SIZE: usize = 128 * 1024 * 1024;
/// The default size of the retry budget.
const RETRY_BUDGET: u32 = 50;

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
#[must_use = "a builder does nothing until `build()`"]
pub struct ClientBuilder {
    pub(super) base_url: String,
    pub(super) workspace: Option<String>,
    pub(super) credentials: Option<Credentials>,
    pub(super) token_store: Option<Arc<dyn TokenStore>>,
    pub(super) paths: EndpointPaths,
    /// The login settings of the profile, if there is one.
    pub(super) login_defaults: Option<LoginDefaults>,
    pub(super) timeouts: Timeouts,
    pub(super) retry: RetryPolicy,
    pub(super) retry_budget: Option<u32>,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) connection: ConnectionConfig,
    pub(super) follow_download_redirects: bool,
    pub(super) max_response_size: usize,
    pub(super) app: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
    /// Replaces all connections.
    pub(super) transport: Option<Arc<dyn Http>>,
}

impl Client {
    /// Starts building a client of the service at `base_url`, for example `https://acme.example`.
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(base_url)
    }

    /// Builds a client of the workspace `test` at `http://localhost` whose requests the transport answers, with a fixed access token; for unit
    /// tests: see [`testing`](crate::testing). [`ClientBuilder::transport`] leaves all settings to you.
    ///
    /// Its clock is the system's: retries and waits take real time. For a simulated clock, use the builder with `transport` and `clock`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), if the HTTP library cannot be initialized: with the feature `rustls-no-provider` alone, a
    /// provider of cryptography must be installed. Certificates of the platform are not needed.
    pub fn with_transport(transport: impl Transport) -> Result<Self> {
        let credentials = Credentials::access_token("test-token");
        Self::builder("http://localhost").workspace("test").credentials(credentials).transport(transport).build()
    }
}

impl fmt::Debug for ClientBuilder {
    /// Omits base URL and paths, which have not been checked yet and may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("workspace", &self.workspace)
            .field("credentials", &self.credentials)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(crate) fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            workspace: None,
            credentials: None,
            token_store: None,
            paths: EndpointPaths::default(),
            login_defaults: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            retry_budget: Some(RETRY_BUDGET),
            rate_limit: None,
            observer: None,
            connection: ConnectionConfig::default(),
            follow_download_redirects: true,
            max_response_size: MAX_RESPONSE_SIZE,
            app: None,
            clock: Arc::new(SystemClock::new()),
            transport: None,
        }
    }

    /// Sets the workspace (tenant), sent as `X-TENANT-ID` with every request.
    pub fn workspace(mut self, id: impl Into<String>) -> Self {
        self.workspace = Some(id.into());
        self
    }

    /// Sets the credentials.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets the token store of the client's account: tokens are loaded from the store, and saved there after each login and refresh.
    ///
    /// The store applies to the credentials, whether they are set by [`credentials`](Self::credentials), the environment or a profile, as
    /// [`Credentials::store`] does, and takes precedence over a store that these have. If there are no credentials but a client id in the environment
    /// or the profile, the client uses the login in the store, as with [`Credentials::stored`]. Logins of this builder are saved in the store.
    ///
    /// One store holds the login of one account. It is not used by the clients of [`Client::with_credentials`] and the logins of [`Client::login`].
    ///
    /// ```
    /// # fn main() -> documine::Result<()> {
    /// use documine::{ClientBuilder, auth::FileStore};
    /// # let variable = |name: &str| Some(match name {
    /// #     "DOCUMINE_BASE_URL" => "https://acme.example",
    /// #     "DOCUMINE_WORKSPACE_ID" => "acme",
    /// #     "DOCUMINE_CLIENT_ID" => "my-program",
    /// #     _ => return None,
    /// # }.to_owned());
    /// # #[cfg(any())]
    /// let builder = ClientBuilder::from_env()?;
    /// # let builder = ClientBuilder::from_variables(variable)?;
    /// let client = builder.token_store(FileStore::new("login.json")).build()?;
    /// # Ok(()) }
    /// ```
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.token_store = Some(Arc::new(store));
        self
    }

    /// Sets the authorization endpoint: a path relative to the base URL, or a whole URL.
    ///
    /// Default: Keycloak's path for the workspace (inferred).
    pub fn auth_path(mut self, path: impl Into<String>) -> Self {
        self.paths.auth = Some(path.into());
        // The announcement belongs to the discovered endpoint.
        self.paths.announces_issuer = false;
        self
    }

    /// Sets the token endpoint: a path relative to the base URL, or a whole URL.
    ///
    /// Default: Keycloak's path for the workspace (inferred).
    pub fn token_path(mut self, path: impl Into<String>) -> Self {
        self.paths.token = Some(path.into());
        self
    }

    /// Sets the device authorization endpoint: a path relative to the base URL, or a whole URL.
    ///
    /// Default: Keycloak's path for the workspace (inferred).
    pub fn device_path(mut self, path: impl Into<String>) -> Self {
        self.paths.device = Some(path.into());
        self
    }

    /// Sets how the client secret is sent to all endpoints of the identity provider.
    ///
    /// Default: the method from discovery if the provider allows only one, otherwise in the form. If the provider responds to the form with
    /// `invalid_client`, the secret is sent once in the header, and the client keeps using the method that works.
    ///
    /// ```
    /// # fn main() -> documine::Result<()> {
    /// use documine::{Client, Credentials, auth::ClientAuthMethod};
    /// let client = Client::builder("https://acme.example")
    ///     .workspace("acme")
    ///     .client_auth_method(ClientAuthMethod::SecretBasic)
    ///     .credentials(Credentials::password("my-client", "robot", "s3cret").client_secret("p&ss"))
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn client_auth_method(mut self, method: ClientAuthMethod) -> Self {
        self.paths.client_auth = Some(method);
        self
    }

    /// Sets the revocation endpoint (RFC 7009) for logout: a path relative to the base URL, or a whole URL.
    ///
    /// Default: Keycloak's, if the token endpoint has Keycloak's form; otherwise none.
    pub fn revocation_path(mut self, path: impl Into<String>) -> Self {
        self.paths.revocation = Some(path.into());
        self
    }

    /// Sets the end session endpoint (OpenID Connect RP-Initiated Logout) for logout: a path relative to the base URL, or a whole URL.
    ///
    /// Default: as [`revocation_path`](Self::revocation_path).
    pub fn end_session_path(mut self, path: impl Into<String>) -> Self {
        self.paths.end_session = Some(path.into());
        self
    }

    /// Sets the issuer as the identity provider writes it in its responses (`iss`, RFC 9207).
    ///
    /// Required if a Keycloak with a fixed public host name is reached by another name, because its responses contain the public name.
    /// [`discover`](Self::discover) sets the issuer as well.
    ///
    /// ```
    /// # fn main() -> documine::Result<()> {
    /// let login = documine::Client::builder("https://keycloak.internal.example")
    ///     .workspace("acme")
    ///     .issuer("https://login.acme.example/auth/realms/acme")
    ///     .login("my-program")?;
    /// # Ok(()) }
    /// ```
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.paths.issuer = Some(issuer.into());
        self
    }

    /// Discovers the endpoints of the identity provider from `<issuer>/.well-known/openid-configuration`.
    ///
    /// Reads the endpoints, the client authentication method, and whether responses name their issuer (OpenID Connect Discovery 1.0 section 4;
    /// RFC 9207). Explicit settings take precedence, so call `discover` after the other setters and after the connection settings (proxy,
    /// certificates). A trailing slash of the issuer is ignored.
    ///
    /// The document must name the same issuer. Endpoints on a different origin than the issuer are rejected, because the document decides where
    /// passwords and tokens are sent; set such an endpoint explicitly, for example with [`token_path`](Self::token_path).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sim = documine_sim::Simulator::start().await?;
    /// # let issuer = format!("{}/auth/realms/{}", sim.base_url(), sim.workspace_id());
    /// # let who = documine::Credentials::password(sim.client_id(), sim.username(), sim.password()).client_secret(sim.client_secret());
    /// let builder = documine::Client::builder(sim.base_url()).workspace(sim.workspace_id()).discover(&issuer).await?;
    /// let client = builder.credentials(who).build()?;
    /// client.license().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The issuer is not a safe URL, has no such document or cannot be reached; or the document names another issuer or an endpoint on another
    /// origin.
    pub async fn discover(mut self, issuer: &str) -> Result<Self> {
        const OPERATION: &str = "discovery of the identity provider";
        let issuer = Issuer::new(issuer)?;
        let http = self.http(issuer.document(), &user_agent(self.app.as_deref())?)?;
        let outcome = issuer.fill(http.as_ref(), self.clock.as_ref(), &mut self.paths).await;
        outcome.map(|()| self).map_err(|error| error.with_operation(OPERATION))
    }

    /// Sets the timeout for establishing a connection, including the TLS handshake. Default: 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.connect = limit;
        self
    }

    /// Sets the per-attempt timeout: from sending the request to receiving the response headers. Default: 60 s.
    ///
    /// Exports of large dossiers may take long. Upload progress resets the timeout. Per call: `with_timeout`.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.attempt = limit;
        self
    }

    /// Sets the timeout between two chunks of a body. Default: 60 s.
    ///
    /// There is no limit on the total time of a transfer: a slow transfer that makes progress is never cut off.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.idle = limit;
        self
    }

    /// Sets the deadline of a call with all attempts and delays. Default: 5 minutes, enough for four attempts that each time out.
    ///
    /// Does not apply to uploads and packages. Per call, transfers included: `with_deadline`.
    pub fn operation_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.operation = limit;
        self
    }

    /// Sets the retry policy. Default: [`RetryPolicy::default`]. Per call: `with_retry_mode`, `with_retry_policy`.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the retry budget that the client and its clones share. Default: 50; `None`: unlimited.
    ///
    /// Each retry withdraws one, every ten successful calls deposit one. When the budget is exhausted, a failure is final, so retries do not
    /// multiply the load on a failing service.
    pub fn retry_budget(mut self, retries: Option<u32>) -> Self {
        self.retry_budget = retries;
        self
    }

    /// Enables the rate limit for all calls of the client and its clones. Default: single calls are not rate limited.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }

    /// Sets the observer of calls, retries and logins.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Sets the proxy for all requests, for example `http://user:password@proxy.example:3128`.
    ///
    /// Default: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`; no proxy for a service on this machine (http on loopback).
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.connection.proxy = ProxyConfig::Url(url.into());
        self
    }

    /// Disables the proxy of the environment.
    pub fn no_proxy(mut self) -> Self {
        self.connection.proxy = ProxyConfig::None;
        self
    }

    /// Adds trusted root certificates in PEM, for example of a company authority or a TLS-inspecting proxy.
    ///
    /// The authorities of the platform stay trusted.
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.connection.root_certificates.push(pem.into());
        self
    }

    /// Sets the client certificate for mutual TLS: certificate and key (PKCS #8) in one PEM text.
    ///
    /// The certificate is presented to the service and to the identity provider, also if the provider is on another origin, but not to another
    /// origin to which a package download is redirected.
    pub fn client_identity(mut self, pem: impl Into<Secret>) -> Self {
        self.connection.identity = Some(pem.into());
        self
    }

    /// Sets whether package downloads follow redirects to another origin, for example to an object store. Default: `true`.
    ///
    /// Only packages follow such redirects, over https only (http only from and to this machine), at most 5 in a row. The other origin receives
    /// neither the token nor `X-TENANT-ID`, no header of the caller except `Range` and `If-Range`, and no client certificate. Other reads follow
    /// redirects on the origin of the service only.
    pub fn follow_download_redirects(mut self, follow: bool) -> Self {
        self.follow_download_redirects = follow;
        self
    }

    /// Sets the limit on a JSON or XML response body in bytes after decompression. Default: 128 MiB. Packages are streamed without a limit.
    ///
    /// The limit also bounds the memory of parsed values. Models and unknown members take several times the memory of their text (an object of
    /// seven bytes takes up to 768), so the size is estimated before parsing: 768 bytes for an object, 192 for an array, 96 for any other value,
    /// 32 for a member name, plus the length of the text. A response estimated at more than 8 times the limit is an error (512 KiB are always
    /// accepted); with its text no response takes more than 9 times the limit.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Adds the name and version of the program to the `User-Agent` header.
    pub fn app_info(mut self, name: &str, version: &str) -> Self {
        self.app = Some(format!("{name}/{version}"));
        self
    }

    /// Sets the clock, for tests: waits, backoff and token ages follow it.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the transport that answers all requests in place of the network, for unit tests: see [`testing`](crate::testing).
    ///
    /// Token requests to the identity provider and redirected downloads pass the transport as well. Proxy, certificates and the connect timeout have
    /// no effect, and the certificates of the platform are not read.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(FakeHttp::new(transport)));
        self
    }
}

pub(super) fn user_agent(app: Option<&str>) -> Result<HeaderValue> {
    let own = concat!("documine-rust/", env!("CARGO_PKG_VERSION"));
    let text = app.map_or_else(|| own.to_owned(), |app| format!("{own} {app}"));
    HeaderValue::from_str(&text)
        .map_err(|_| Error::config("invalid app_info: characters not allowed in a header; use ASCII"))
}
