//! The client: cheap to clone, safe to share. What it offers stands with the handles it returns, one file a tag of the API.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use documine_api::ResponseValue;
use documine_api::operations::UNLISTED;
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use crate::auth::Endpoints;
use crate::call::Call;
use crate::clock::Clock;
use crate::config::ClientBuilder;
use crate::error::{Error, Result, Sent};
use crate::page::Page;
use crate::transport::{self, CallOptions, Facts, Stack, classify};

/// A client of one DocuMine workspace.
///
/// Cloning shares everything: connections, the token, the settings. See the [crate's front page](crate) for a tour.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    stack: Arc<Stack>,
    workspace: String,
    endpoints: Endpoints,
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

    pub(crate) fn from_stack(stack: Stack, workspace: String, endpoints: Endpoints) -> Self {
        Self(Arc::new(Inner { stack: Arc::new(stack), workspace, endpoints }))
    }

    /// The workspace this client works in.
    pub fn workspace(&self) -> &str {
        &self.0.workspace
    }

    /// The service's address.
    pub fn base_url(&self) -> &str {
        self.0.stack.base.as_str().trim_end_matches('/')
    }

    /// How many requests this client and its clones have sent to the service so far, repeated ones counted, logins not.
    pub fn requests_sent(&self) -> u64 {
        self.0.stack.sent.load(Ordering::Relaxed)
    }

    /// The generated client, on the same stack: every operation of the document, with its own names and types.
    ///
    /// It brings progenitor's error type; [`Error::find`] gets ours out of it.
    pub fn raw(&self) -> documine_api::Client {
        self.prepare(CallOptions::default()).raw
    }

    /// Any request to the service, for what neither the facade nor the document knows: with token, tenant header, time limits and
    /// errors like every other call.
    ///
    /// `path` is a path below the base URL, with its query. The answer's body comes back as it is.
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// let body = client.request(http::Method::GET, "/api/license", None).await?;
    /// # Ok(()) }
    /// ```
    pub fn request(
        &self,
        method: Method,
        path: impl Into<String>,
        json: Option<serde_json::Value>,
    ) -> Call<(Method, String, Option<serde_json::Value>), Bytes> {
        Call::new(self, (method, path.into(), json), |client, params, options| {
            Box::pin(async move { client.send_request(params, options).await })
        })
    }

    async fn send_request(
        self,
        (method, path, json): (Method, String, Option<serde_json::Value>),
        options: CallOptions,
    ) -> Result<Bytes> {
        let stack = &self.0.stack;
        if !is_plain_path(&path) {
            return Err(Error::input(format!(
                "{path:?} is no path: begin with `/`, and leave out `.` and `..`, backslashes and control characters"
            )));
        }
        let mut request = stack.http.request(method, format!("{}{path}", self.base_url()));
        if let Some(json) = &json {
            request = request.json(json);
        }
        let request =
            request.build().map_err(|error| Error::input(format!("{path:?}: {}", classify::root_cause(&error))))?;
        let facts = Arc::new(Mutex::new(Facts::default()));
        let call = transport::Call::new(Arc::clone(stack), options, facts);
        let response = call.run(request, &UNLISTED).await?;
        response.bytes().await.map_err(|error| classify::no_answer(&error))
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.stack.clock
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.0.stack
    }

    /// A raw client for one call, with the place where the call's facts will be found.
    pub(crate) fn prepare(&self, options: CallOptions) -> Prepared {
        let facts = Arc::new(Mutex::new(Facts::default()));
        let call = transport::Call::new(Arc::clone(&self.0.stack), options, Arc::clone(&facts));
        let raw = documine_api::Client::new_with_client(
            self.base_url(),
            self.0.stack.http.clone(),
            documine_api::Inner::new(Arc::new(call)),
        );
        Prepared { raw, facts, base: self.0.stack.base.clone() }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .field("workspace", &self.0.workspace)
            .field("authorization_endpoint", &self.0.endpoints.authorization.as_str())
            .field("token_endpoint", &self.0.endpoints.token.as_str())
            .field("device_endpoint", &self.0.endpoints.device.as_str())
            .finish_non_exhaustive()
    }
}

/// Whether the URL built from `path` leads where `path` says: URL parsing drops `.` and `..` in any spelling, takes `\` for `/`, and skips control characters.
fn is_plain_path(path: &str) -> bool {
    let (path, rest) = path.split_once(['?', '#']).unwrap_or((path, ""));
    let dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    path.starts_with('/')
        && !path.split('/').any(dots)
        && !path.contains('\\')
        && !path.chars().chain(rest.chars()).any(char::is_control)
}

/// A generated client for one call, and the call's facts once it is over.
pub(crate) struct Prepared {
    pub(crate) raw: documine_api::Client,
    facts: Arc<Mutex<Facts>>,
    base: Url,
}

impl Prepared {
    /// A page of a list, with the address of the next one where the answer links it.
    pub(crate) fn page<T>(&self, items: Vec<T>, rest: &serde_json::Map<String, serde_json::Value>) -> Result<Page<T>> {
        Page::new(items, rest, &self.base, &self.facts())
    }

    pub(crate) fn facts(&self) -> Facts {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Turns what the generated client says into this crate's result. The one place where progenitor's error is seen.
    pub(crate) async fn finish<T: DeserializeOwned>(
        &self,
        result: std::result::Result<ResponseValue<T>, documine_api::Error<()>>,
    ) -> Result<T> {
        match result {
            Ok(value) => Ok(value.into_inner()),
            // A success that the document does not list, such as 200 for 201: the body means the same.
            Err(documine_api::Error::UnexpectedResponse(response)) if response.status().is_success() => {
                let body = response.bytes().await.map_err(|error| classify::no_answer(&error))?;
                self.decode(&body)
            }
            Err(documine_api::Error::InvalidResponsePayload(body, _)) => self.decode(&body),
            Err(error) => Err(self.error(error)),
        }
    }

    pub(crate) fn error(&self, error: documine_api::Error<()>) -> Error {
        let facts = self.facts();
        if let Some(error) = facts.error {
            return error;
        }
        match error {
            documine_api::Error::CommunicationError(error)
            | documine_api::Error::InvalidUpgrade(error)
            | documine_api::Error::ResponseBodyError(error) => classify::no_answer(&error),
            // Built from settings and ids that were checked before, so this is what a caller gave that no request can hold.
            documine_api::Error::InvalidRequest(text) | documine_api::Error::Custom(text) => Error::input(text),
            other => {
                let status = other.status().unwrap_or(StatusCode::OK);
                classify::unexpected_answer(
                    status,
                    &facts.headers,
                    b"",
                    "the answer is none that the document describes",
                )
            }
        }
        .with_operation(facts.operation)
        .with_effort(facts.attempts, facts.elapsed)
    }

    /// Decodes with the path to the field that does not fit.
    fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T> {
        let mut json = serde_json::Deserializer::from_slice(body);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let facts = self.facts();
            let why = format!("the body does not fit at `{}`: {}", error.path(), error.inner());
            classify::unexpected_answer(facts.status.unwrap_or(StatusCode::OK), &facts.headers, body, &why)
                .with_operation(facts.operation)
                .with_effort(facts.attempts, facts.elapsed)
                .with_sent(Sent::Maybe)
        })
    }
}

#[cfg(test)]
const _: () = {
    const fn is<T: Clone + Send + Sync + 'static>() {}
    is::<Client>();
    is::<Error>();
    is::<crate::ErrorKind>();
};
