//! The client: cheap to clone, safe to share. What it offers stands with the handles it returns, one file a tag of the API.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use documine_api::ResponseValue;
use documine_api::operations::Operation;
use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::auth::Endpoints;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::text;
use crate::transport::classify::{self, Evidence, classify};
use crate::transport::{self, CallOptions, Facts, Stack};

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

    /// Sends a request that was built by hand through the stack.
    pub(crate) async fn send(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
        options: CallOptions,
    ) -> Result<reqwest::Response> {
        transport::Call::new(Arc::clone(&self.0.stack), options).run(request, operation).await
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.stack.clock
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.0.stack
    }

    /// A raw client for one call, with the place where the call's facts will be found.
    pub(crate) fn prepare(&self, options: CallOptions) -> Prepared {
        let stack = &self.0.stack;
        let call = Arc::new(transport::Call::new(Arc::clone(stack), options));
        let inner = documine_api::Inner::new(Arc::clone(&call) as _).with_base(Arc::clone(&stack.base));
        let raw = documine_api::Client::new_with_client(self.base_url(), stack.client.clone(), inner);
        Prepared { raw, call }
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

/// A generated client for one call, and the call's facts once it is over.
pub(crate) struct Prepared {
    pub(crate) raw: documine_api::Client,
    call: Arc<transport::Call>,
}

impl Prepared {
    pub(crate) fn facts(&self) -> Facts {
        self.call.facts()
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
                let body = response.bytes().await.map_err(|error| classify(Evidence::NoAnswer(&error)))?;
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
        if let Some(unsupported) = unsupported(&error) {
            let text = unsupported.to_string();
            return Error::new(ErrorKind::UnsupportedByDocument, text).with_operation(unsupported.operation());
        }
        match error {
            documine_api::Error::CommunicationError(error)
            | documine_api::Error::InvalidUpgrade(error)
            | documine_api::Error::ResponseBodyError(error) => classify(Evidence::NoAnswer(&error)),
            // Built from settings and ids that were checked before, so this is what a caller gave that no request can hold.
            documine_api::Error::InvalidRequest(text) | documine_api::Error::Custom(text) => Error::input(text),
            other => {
                let status = other.status().unwrap_or(StatusCode::OK);
                let why = "the answer is none that the document describes";
                classify(Evidence::Misfit { status, headers: &facts.headers, body: b"", why })
            }
        }
        .with_operation(facts.operation)
        .with_effort(facts.attempts, facts.elapsed)
        .repeatable(facts.idempotent)
    }

    /// Decodes with the path to the field that does not fit.
    fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let value = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| format!("the body does not fit at `{}`: {}", error.path(), error.inner()));
        let whole = value.and_then(|value| match json.end() {
            Ok(()) => Ok(value),
            Err(error) => Err(format!("something follows the JSON of the body: {error}")),
        });
        whole.map_err(|why| {
            let facts = self.facts();
            let clean = |text: &str| text::without(text, facts.tokens.iter().map(|tokens| tokens.access.expose()));
            // Only the beginning is shown. What does not fit is told with the value that stands there.
            let body = &body[..body.len().min(classify::ERROR_BODY_LIMIT)];
            let (body, why) = (clean(&String::from_utf8_lossy(body)), clean(&why));
            let (status, headers) = (facts.status.unwrap_or(StatusCode::OK), &facts.headers);
            classify(Evidence::Misfit { status, headers, body: body.as_bytes(), why: &why })
                .with_operation(facts.operation)
                .with_effort(facts.attempts, facts.elapsed)
                .repeatable(facts.idempotent)
        })
    }
}

/// What the document lacks, where the raw client refused the call for that.
fn unsupported(error: &documine_api::Error<()>) -> Option<&documine_api::Unsupported> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        next = current.source();
    }
    None
}

#[cfg(test)]
const _: () = {
    const fn is<T: Clone + Send + Sync + 'static>() {}
    is::<Client>();
    is::<Error>();
    is::<crate::ErrorKind>();
};
