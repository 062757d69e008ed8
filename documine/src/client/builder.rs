//! The client's settings: checked once, in [`ClientBuilder::build`], each with a line that says what to do.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::HeaderValue;
use url::Url;

use crate::address;
use crate::auth::{
    Authenticator, ClientAuthMethod, Credentials, EndpointPaths, Endpoints, ExpectedIssuer, Issuer, Login,
    LoginListener, TokenEndpoint, TokenProvider, TokenSet,
};
use crate::client::Client;
use crate::client::profile::Profile;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::timeout::Timeouts;
use crate::transport::{Connection, Http, Observer, Pacer, Pacing, Pipeline, ProxyChoice, RetryBudget, RetryPolicy};

/// How large an answer may be, unpacked, unless a caller says otherwise: a list of a million files has room.
const MAX_ANSWER: usize = 128 * 1024 * 1024;
/// How many retries a client has in store.
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
#[must_use = "nothing happens until `build()`"]
pub struct ClientBuilder {
    base: String,
    workspace: Option<String>,
    credentials: Option<Credentials>,
    paths: EndpointPaths,
    /// Where settings came from, if from a profile.
    profile: Option<Profile>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    retry_budget: Option<u32>,
    pacing: Option<Pacing>,
    observer: Option<Arc<dyn Observer>>,
    connection: Connection,
    follow_download_redirects: bool,
    max_answer: usize,
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
            .field("retry", &self.retry)
            .field("connection", &self.connection)
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
            profile: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            retry_budget: Some(RETRY_BUDGET),
            pacing: None,
            observer: None,
            connection: Connection::default(),
            follow_download_redirects: true,
            max_answer: MAX_ANSWER,
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
            ..EndpointPaths::default()
        };
        let mut credentials = if let Some(tokens) = given_tokens(&get, get("DOCUMINE_CLIENT_ID"))? {
            tokens
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

    /// What a profile says beside base URL and credentials.
    pub(crate) fn with_profile(mut self, profile: Profile) -> Self {
        self.workspace.clone_from(&profile.workspace);
        self.paths.auth.clone_from(&profile.auth_path);
        self.paths.token.clone_from(&profile.token_path);
        self.paths.device.clone_from(&profile.device_path);
        self.paths.issuer.clone_from(&profile.issuer);
        self.profile = Some(profile);
        self
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
        // It was announced for the endpoint that was discovered.
        self.paths.announces_issuer = false;
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

    /// Sets how a client secret is sent to the identity provider, at all its endpoints. Default: as the provider's discovery says where it allows one
    /// way only, else in the form; a provider that answers `invalid_client` to the form gets the secret once in the header, and what works is
    /// remembered for as long as the client lives.
    ///
    /// ```
    /// # fn main() -> documine::Result<()> {
    /// use documine::{Client, ClientAuthMethod, Credentials};
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

    /// The revocation endpoint (RFC 7009), which a logout uses: a path below the base URL or a whole URL. Default: Keycloak's, beside a token
    /// endpoint of Keycloak's form; elsewhere none is known.
    pub fn revocation_path(mut self, path: impl Into<String>) -> Self {
        self.paths.revocation = Some(path.into());
        self
    }

    /// The end session endpoint (OpenID Connect RP-Initiated Logout), which a logout uses: a path below the base URL or a whole URL. Default: as
    /// [`revocation_path`](Self::revocation_path).
    pub fn end_session_path(mut self, path: impl Into<String>) -> Self {
        self.paths.end_session = Some(path.into());
        self
    }

    /// The issuer, as the identity provider spells it in its answers (`iss`, RFC 9207). Needed where a Keycloak has a fixed public name and this
    /// program reaches it by another one: then its answers name the public one. [`discover`](Self::discover) sets it by itself.
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

    /// Asks the identity provider where its endpoints are: reads `<issuer>/.well-known/openid-configuration` (OpenID Connect Discovery 1.0
    /// section 4), and takes from it what is not set yet: the endpoints, how a client secret is sent, and whether answers have to name
    /// their issuer (RFC 9207). Call it after the setters whose word shall count, and after those of the connection
    /// (proxy, certificates). A slash at the issuer's end makes no difference.
    ///
    /// The document has to name the same issuer, and every endpoint that is taken has to be of the issuer's own origin: the document decides
    /// where passwords and tokens go. An endpoint elsewhere is for the program to set, with [`token_path`](Self::token_path) and its like.
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
    /// The issuer is no safe address; it has no such document or can't be reached; the document names another issuer, or an endpoint elsewhere.
    pub async fn discover(mut self, issuer: &str) -> Result<Self> {
        const OPERATION: &str = "discovery of the identity provider";
        let issuer = Issuer::new(issuer)?;
        let http = self.connection.client(issuer.document(), &self.timeouts, &user_agent(self.app.as_deref())?)?;
        let filled = issuer.fill(&http, self.clock.as_ref(), &mut self.paths).await;
        filled.map(|()| self).map_err(|error| error.with_operation(OPERATION))
    }

    /// How long the making of a connection may take, with the TLS handshake. Default: 10 seconds; a service that does not even shake hands
    /// by then is not there.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.connect = limit;
        self
    }

    /// How long the service may take from the request to the beginning of its answer, in each attempt. Default: 60 seconds; exports of a
    /// large dossier take their time. While the bytes of an upload move, the time does not count. For one call: `with_timeout`.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.attempt = limit;
        self
    }

    /// How long an answer may stand still between two pieces. Default: 60 seconds; a slow line moves at least something. There is no limit on the
    /// whole of a transfer: a slow one that moves is never cut off.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.idle = limit;
        self
    }

    /// How long a call may take in all, with its attempts and the pauses between them. Default: 5 minutes, which is four attempts that each run
    /// into their own limit and a little more. It does not hold for uploads and packages. For one call, transfers included: `with_deadline`.
    pub fn operation_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.operation = limit;
        self
    }

    /// How failed attempts are repeated. Default: [`RetryPolicy::default`]. For one call: `with_retry`, `with_retry_policy`.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How many retries the client and its clones have in store: each retry takes one, every ten calls that succeed give one back, and when
    /// none is left a failure is final at once. So a service in trouble is not hit several times as hard as one that works. Default: 50;
    /// `None`: without end.
    pub fn retry_budget(mut self, retries: Option<u32>) -> Self {
        self.retry_budget = retries;
        self
    }

    /// Paces all calls of the client and its clones. Default: single calls are not paced.
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = Some(pacing);
        self
    }

    /// Is told of every call and every retry.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The proxy that all requests go through, for example `http://user:password@proxy.example:3128`. Default: what `HTTPS_PROXY`, `ALL_PROXY` and
    /// `NO_PROXY` say; for a service on this machine (http on loopback) no proxy.
    pub fn proxy(mut self, address: impl Into<crate::auth::Secret>) -> Self {
        self.connection.proxy = ProxyChoice::Given(address.into());
        self
    }

    /// No proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.connection.proxy = ProxyChoice::None;
        self
    }

    /// Trusts the authorities in `pem` too: one or more certificates, as a company's own authority or a proxy that opens TLS needs them.
    /// The platform's authorities stay trusted.
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.connection.roots.push(pem.into());
        self
    }

    /// The client's own certificate, for services that ask for one: certificate and key (PKCS #8) in one PEM text.
    pub fn client_identity(mut self, pem: impl Into<crate::auth::Secret>) -> Self {
        self.connection.identity = Some(pem.into());
        self
    }

    /// Sets whether a download follows a redirect to another origin: services often keep packages in an object store. Default: `true`.
    ///
    /// Only packages are fetched so, over https only (http only from and to this machine), and at most 5 redirects are followed. The other origin gets
    /// neither the token nor `X-TENANT-ID`, no header of the caller's own but `Range` and `If-Range`, and no client certificate. Redirects of other
    /// calls are followed on the service's own origin alone.
    pub fn follow_download_redirects(mut self, follow: bool) -> Self {
        self.follow_download_redirects = follow;
        self
    }

    /// Sets the largest answer in JSON or XML that is taken into memory, in bytes after unpacking. Default: 128 MiB. Packages are streamed and
    /// have no limit.
    ///
    /// It bounds what is built, too. Models and unknown members take several times the memory of their text (a small object of seven bytes
    /// takes up to 768), so answers are counted before they are read: at 768 bytes for an object, 192 for an array, 96 for any other
    /// value, 32 for the name of a member and the length of the text. An answer that would take more than 8 times this limit is an error (512 KiB are always taken), so that with its
    /// text no answer takes more than 9 times the limit.
    pub fn max_answer_size(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
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
        let (pipeline, workspace, endpoints) = self.pipeline()?;
        Ok(Client::from_pipeline(pipeline, workspace, endpoints))
    }

    /// The settings checked, and what a client is made of.
    pub(crate) fn pipeline(self) -> Result<(Pipeline, String, Endpoints)> {
        let Place { base, workspace, tenant, endpoints, agent } = self.place()?;
        let credentials = self.credentials.ok_or_else(|| no_credentials(self.profile.as_ref()))?;
        credentials.check()?;
        let api_http = self.connection.client(&base, &self.timeouts, &agent)?;
        // One set-up serves both, unless only one of the two may use a proxy.
        let http = |target: &Url| {
            if target.scheme() == base.scheme() {
                return Ok(api_http.clone());
            }
            self.connection.client(target, &self.timeouts, &agent)
        };
        let endpoint = TokenEndpoint::new(&endpoints, http, Arc::clone(&self.clock))?;
        let elsewhere: Option<Arc<dyn Http>> = match (self.follow_download_redirects, &self.connection.identity) {
            (false, _) => None,
            (true, None) => Some(Arc::new(api_http.clone())),
            // The client's certificate is for the service alone.
            (true, Some(_)) => {
                let connection = Connection { identity: None, ..self.connection.clone() };
                Some(Arc::new(connection.client(&base, &self.timeouts, &agent)?))
            }
        };
        let listener =
            self.observer.clone().map(|observer| -> LoginListener { Arc::new(move |event| observer.login(event)) });
        let provider = TokenProvider::new(credentials, endpoint, Arc::clone(&self.clock));
        let auth = Authenticator::new(provider, Arc::clone(&self.clock), listener);
        let base = Arc::new(address::above(base, documine_api::document::SERVER_PATH));
        let pipeline = Pipeline {
            http: Arc::new(api_http.clone()),
            elsewhere,
            client: api_http,
            base,
            tenant,
            auth,
            clock: self.clock,
            timeouts: self.timeouts,
            retry: self.retry,
            retry_budget: RetryBudget::new(self.retry_budget),
            paced: self.pacing.is_some(),
            pacer: Pacer::new(self.pacing.unwrap_or_default()),
            observer: self.observer,
            max_answer: self.max_answer,
            sent: AtomicU64::new(0),
        };
        Ok((pipeline, workspace, endpoints))
    }

    /// Logs a person in, with this builder's addresses and connection: see [`Login`]. Credentials are not needed yet.
    ///
    /// # Errors
    /// As [`build`](Self::build), and an empty client id.
    pub fn login(&self, client_id: impl Into<String>) -> Result<Login> {
        let Place { endpoints, agent, .. } = self.place()?;
        let http = |target: &Url| self.connection.client(target, &self.timeouts, &agent);
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

    /// Logs a person in as the settings of [`from_env_or_profile`](Self::from_env_or_profile) say: with their client id, its secret, scopes, and the
    /// store that keeps the tokens. The next client made of these settings uses that login.
    ///
    /// ```
    /// # async fn f() -> documine::Result<()> {
    /// let settings = documine::ClientBuilder::from_env_or_profile()?;
    /// settings.configured_login()?.device(|code| println!("Open {} and type {}", code.verification_uri, code.user_code)).await?;
    /// let client = settings.build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`login`](Self::login); the settings name no client; the environment leads away from the addresses that the profile's secret and store
    /// are for.
    pub fn configured_login(&self) -> Result<Login> {
        let nobody = || Error::config("no client id; set `client_id` in the profile, or DOCUMINE_CLIENT_ID");
        let profile = self.profile.as_ref().ok_or_else(nobody)?;
        let login = self.login(profile.client_id.clone().ok_or_else(nobody)?)?;
        if let Some(variable) = profile.elsewhere.filter(|_| profile.withheld) {
            return Err(Error::config(format!(
                "client secret and store of the profile {:?} are not used, because {}; take `login(…)` to log in without them, or {WAY_OUT}",
                profile.name,
                leads_away(variable)
            )));
        }
        let login = profile.client_secret.iter().cloned().fold(login, Login::client_secret);
        let login = profile.scopes.iter().fold(login, Login::scope);
        Ok(profile.store()?.into_iter().fold(login, Login::store))
    }

    /// Where everything is, checked.
    fn place(&self) -> Result<Place> {
        let base = address::base_url(&self.base)?;
        let workspace = self.workspace.clone().unwrap_or_default();
        let tenant = workspace_header(&workspace)?;
        if base.scheme() == "https" && cfg!(not(any(feature = "rustls", feature = "native-tls"))) {
            return Err(Error::config(
                "the base URL is https, but this build has no TLS; switch on the feature `rustls` or `native-tls`",
            ));
        }
        for (name, limit) in self.timeouts.named() {
            if limit.is_zero() {
                return Err(Error::config(format!("the {name} timeout is zero; nothing could ever succeed")));
            }
        }
        let endpoints = Endpoints::new(&base, &workspace, &self.paths)?;
        let agent = user_agent(self.app.as_deref())?;
        Ok(Place { base, workspace, tenant, endpoints, agent })
    }
}

/// Tokens from the environment. They go before user name and password.
pub(crate) fn given_tokens(
    get: &impl Fn(&str) -> Option<String>,
    client: Option<String>,
) -> Result<Option<Credentials>> {
    let Some(token) = get("DOCUMINE_ACCESS_TOKEN") else {
        return match get("DOCUMINE_REFRESH_TOKEN") {
            Some(_) => Err(Error::config(
                "DOCUMINE_ACCESS_TOKEN is not set or empty; DOCUMINE_REFRESH_TOKEN works only together with it",
            )),
            None => Ok(None),
        };
    };
    match (get("DOCUMINE_REFRESH_TOKEN"), client) {
        (Some(refresh), Some(client)) => {
            Ok(Some(Credentials::tokens(client, TokenSet::new(token).refresh_token(refresh))))
        }
        (Some(_), None) => Err(Error::config(
            "DOCUMINE_CLIENT_ID is not set or empty; DOCUMINE_REFRESH_TOKEN works only together with it",
        )),
        (None, _) => Ok(Some(Credentials::access_token(token))),
    }
}

/// Ends the errors about secrets that are not for the address in use.
const WAY_OUT: &str = "name the address or workspace in a profile";

fn leads_away(variable: &str) -> String {
    match variable {
        "DOCUMINE_WORKSPACE_ID" => format!("{variable} names another workspace"),
        _ => format!("{variable} leads to an origin that the profile does not name"),
    }
}

fn no_credentials(profile: Option<&Profile>) -> Error {
    Error::config(match profile {
        Some(Profile { name, elsewhere: Some(variable), .. }) => format!(
            "no credentials: those of the profile {name:?} are not used, because {}; give some with `credentials(…)`, or {}",
            leads_away(variable),
            WAY_OUT
        ),
        Some(Profile { name, store: Some(_), .. }) => {
            format!("no credentials: the profile {name:?} has a store for tokens, but no `client_id` to use them with")
        }
        _ => "no credentials; give them with `credentials(…)`, for example Credentials::password".into(),
    })
}

/// What the addresses of a builder come to.
struct Place {
    base: Url,
    workspace: String,
    tenant: HeaderValue,
    endpoints: Endpoints,
    agent: HeaderValue,
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
