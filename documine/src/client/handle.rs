//! [`Client`] and the state that its clones share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use documine_api::PreparedRequest;
use documine_api::operations::Operation;
use serde::de::DeserializeOwned;

use super::decode::decode;
use crate::auth::{Authenticator, Credentials, Endpoints, IdentityProvider, Login, LoginListener, TokenProvider};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::WaitContext;
use crate::transport::classify::{ResponseFailure, classify};
use crate::transport::{
    CallExecutor, CallOptions, Observer, Pipeline, RawResponse, RawTransport, RequestOptions, ResponseMeta,
};

/// A client of one DocuMine workspace.
///
/// Clones share connections, tokens and settings. The [crate documentation](crate) has a tour.
#[derive(Clone)]
pub struct Client(Arc<ClientState>);

struct ClientState {
    pipeline: Arc<Pipeline>,
    generated: documine_api::Client,
    workspace: Arc<WorkspaceContext>,
    waits: WaitContext,
    /// The defaults of every operation.
    options: RequestOptions,
}

/// The workspace and its identity provider, shared by the clients of all accounts.
pub(crate) struct WorkspaceContext {
    pub(super) id: String,
    pub(super) endpoints: Endpoints,
    pub(super) provider: Arc<IdentityProvider>,
}

impl Client {
    pub(super) fn new(pipeline: Arc<Pipeline>, workspace: Arc<WorkspaceContext>, options: RequestOptions) -> Self {
        let transport = Arc::new(RawTransport { pipeline: Arc::clone(&pipeline), options: options.clone() });
        let inner = documine_api::Inner::new(transport).with_base(Arc::clone(&pipeline.base_url));
        let base_url = pipeline.base_url.as_str();
        let generated = documine_api::Client::new_with_client(base_url, pipeline.client.clone(), inner);
        let waits = WaitContext::new(Arc::clone(&pipeline.clock), options.call.deadline);
        Self(Arc::new(ClientState { pipeline, generated, workspace, waits, options }))
    }

    /// Creates a client of another account, with the connections and settings of this one: for a service with many users.
    ///
    /// Takes microseconds and sends nothing; [`build`](crate::ClientBuilder::build) takes milliseconds. Keep the client as long as the user's session,
    /// because it holds the refreshed tokens, or give the credentials a [store](Credentials::store).
    ///
    /// | shared | separate |
    /// |---|---|
    /// | connections, proxy and certificates | tokens and token store |
    /// | workspace and endpoints | waits: lists of one account are never shown to another |
    /// | timeouts, retry policy, [options](Self::with_options), response limit, clock, observer | the count of [`requests_sent`](Self::requests_sent) |
    /// | rate limit and retry budget, which protect the service | |
    ///
    /// The shared observer receives the [login events](crate::observe::LoginEvent) of all accounts, and the events do not name the account.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sim = documine_sim::Simulator::start().await?;
    /// # let robot = documine::Credentials::password(sim.client_id(), sim.username(), sim.password()).client_secret(sim.client_secret());
    /// use documine::{Client, Credentials};
    /// // Once: no account of its own.
    /// let service = Client::builder(sim.base_url()).workspace(sim.workspace_id()).credentials(Credentials::none()).build()?;
    /// // For each user, here with a password; a web service passes the tokens of a login.
    /// let client = service.with_credentials(robot)?;
    /// client.license().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): the credentials are incomplete.
    pub fn with_credentials(&self, credentials: Credentials) -> Result<Self> {
        credentials.check()?;
        let (pipeline, workspace) = (&self.0.pipeline, &self.0.workspace);
        let auth = authenticator(credentials, &workspace.provider, &pipeline.clock, pipeline.observer.as_ref());
        Ok(Self::new(Arc::new(pipeline.with_auth(auth)), Arc::clone(workspace), self.0.options.clone()))
    }

    /// Creates a client with the account, connections and settings of this one, and with defaults for the options of all its operations.
    ///
    /// Takes microseconds and sends nothing. The options apply to every call, list, wait and transfer of the client and its handles, and to
    /// [`raw`](Self::raw). An option of a single operation takes precedence; its headers are added, and replace headers of the same name. Options that
    /// this client has from an earlier `with_options` remain, unless `options` sets them.
    ///
    /// A deadline limits each operation, including transfers, which have none otherwise, and whole waits. Requests to the identity provider have
    /// none of these options. Waits share list requests with waits of the same client and its clones only.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = documine_sim::connect().await?;
    /// # let (client, template_id) = (&service.client, service.template().id().clone());
    /// use std::time::Duration;
    /// use documine::RequestOptions;
    ///
    /// let nightly = RequestOptions::new().with_header("X-Request-Source", "nightly").with_timeout(Duration::from_secs(120));
    /// let client = client.with_options(nightly);
    /// client.dossier_template(template_id).get().await?;                  // 120 s per attempt
    /// client.license().with_timeout(Duration::from_secs(5)).await?;       // 5 s per attempt, the same header
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// With an invalid or [reserved](RequestOptions::with_header) header, each operation of the client fails before anything is sent.
    #[must_use = "this client stays unchanged"]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        let mut merged = self.0.options.clone();
        merged.merge(options);
        Self::new(Arc::clone(&self.0.pipeline), Arc::clone(&self.0.workspace), merged)
    }

    /// Starts an interactive login of a user with the endpoints and connections of this client: see [`Login`].
    ///
    /// The login does not change this client. Pass the tokens to [`with_credentials`](Self::with_credentials).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): the client id is empty.
    pub fn login(&self, client_id: impl Into<String>) -> Result<Login> {
        Login::new(client_id.into(), Arc::clone(&self.0.workspace.provider), None)
    }

    /// Returns the id of the workspace.
    pub fn workspace(&self) -> &str {
        &self.0.workspace.id
    }

    /// Returns the base URL of the service.
    pub fn base_url(&self) -> &str {
        self.0.pipeline.base_url.as_str().trim_end_matches('/')
    }

    /// Returns the number of requests that this client and its clones have sent to the service, retries included, token requests excluded.
    pub fn requests_sent(&self) -> u64 {
        self.0.pipeline.requests_sent.load(Ordering::Relaxed)
    }

    /// Returns the generated client on the same transport: every operation of the document, with its own names and types.
    ///
    /// Its methods return progenitor's error type; [`Error::find`] finds the error of this crate in it.
    pub fn raw(&self) -> documine_api::Client {
        self.0.generated.clone()
    }

    /// Returns the generated client, whose builders prepare the requests of operations.
    pub(crate) fn requests(&self) -> &documine_api::Client {
        &self.0.generated
    }

    /// Sends a request through the transport.
    pub(crate) async fn send_request(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
        options: &CallOptions,
    ) -> Result<RawResponse> {
        CallExecutor::new(&self.0.pipeline, options).execute(request, operation).await
    }

    /// Sends a prepared request of an operation through the transport.
    pub(crate) async fn send<A>(&self, request: Prepared<A>, options: &CallOptions) -> Result<RawResponse> {
        let (request, operation) = build_request(request)?;
        CallExecutor::new(&self.0.pipeline, options).execute(request, operation).await
    }

    /// Sends a prepared request and decodes the response.
    pub(crate) async fn fetch_with_meta<A: DeserializeOwned>(
        &self,
        request: Prepared<A>,
        options: &CallOptions,
    ) -> Result<(A, ResponseMeta)> {
        let (request, operation) = build_request(request)?;
        let response = CallExecutor::new(&self.0.pipeline, options).execute(request, operation).await?;
        let (body, meta) = response.into_bytes().await?;
        Ok((decode(&body, &meta)?, meta))
    }

    /// Sends a prepared request and decodes the response, without its metadata.
    pub(crate) async fn fetch<A: DeserializeOwned>(&self, request: Prepared<A>, options: &CallOptions) -> Result<A> {
        Ok(self.fetch_with_meta(request, options).await?.0)
    }

    /// Sends a prepared request and decodes the response; `None` for a response without content.
    pub(crate) async fn fetch_optional<A: DeserializeOwned>(
        &self,
        request: Prepared<A>,
        options: &CallOptions,
    ) -> Result<Option<A>> {
        let (body, meta) = self.send(request, options).await?.into_bytes().await?;
        if body.trim_ascii().is_empty() { Ok(None) } else { decode(&body, &meta).map(Some) }
    }

    /// Sends a prepared request whose response has no content.
    pub(crate) async fn execute(&self, request: Prepared<()>, options: &CallOptions) -> Result<()> {
        self.send(request, options).await.map(drop)
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.pipeline.clock
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    /// Returns the options of an operation that sets none.
    pub(crate) fn default_options(&self) -> RequestOptions {
        self.0.options.clone()
    }

    pub(crate) fn waits(&self) -> &WaitContext {
        &self.0.waits
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints = &self.0.workspace.endpoints;
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .field("workspace", &self.workspace())
            .field("authorization_endpoint", &endpoints.authorization.as_str())
            .field("token_endpoint", &endpoints.token.as_str())
            .field("device_endpoint", &endpoints.device.as_str())
            .finish_non_exhaustive()
    }
}

/// Returns the authenticator of an account.
pub(super) fn authenticator(
    credentials: Credentials,
    provider: &IdentityProvider,
    clock: &Arc<dyn Clock>,
    observer: Option<&Arc<dyn Observer>>,
) -> Authenticator {
    let listener = observer.cloned().map(|observer| -> LoginListener { Arc::new(move |event| observer.login(event)) });
    let provider = TokenProvider::new(credentials, Arc::clone(&provider.token), Arc::clone(clock));
    Authenticator::new(provider, Arc::clone(clock), listener)
}

/// A request as the generated client prepares it. No other type of this crate shows progenitor's error.
pub(crate) type Prepared<A> = std::result::Result<PreparedRequest<A>, documine_api::Error<()>>;

/// Builds a prepared request, if its values are valid and the document has the operation.
pub(crate) fn build_request<A>(request: Prepared<A>) -> Result<(reqwest::Request, &'static Operation)> {
    let request = request.map_err(|error| match error {
        // Settings and ids were validated before, so another value of the caller cannot be part of a request.
        documine_api::Error::InvalidRequest(text) | documine_api::Error::Custom(text) => Error::input(text),
        documine_api::Error::CommunicationError(error) => classify(ResponseFailure::Transport(&error)),
        other => Error::input(other.to_string()),
    })?;
    request.into_parts().map_err(|unsupported| {
        Error::new(ErrorKind::UnsupportedByDocument, unsupported.to_string()).with_operation(unsupported.operation())
    })
}

#[cfg(test)]
const _: () = {
    const fn assert_shareable<T: Clone + Send + Sync + 'static>() {}
    assert_shareable::<Client>();
    assert_shareable::<Error>();
    assert_shareable::<ErrorKind>();
};
