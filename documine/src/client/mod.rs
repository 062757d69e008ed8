//! The client: cheap to clone, safe to share. What it offers stands with the handles it returns, one file a tag of the API.

mod builder;
mod call;
mod identity;
mod profile;
mod request;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use documine_api::PreparedRequest;
use documine_api::operations::Operation;
use serde::de::DeserializeOwned;

use crate::auth::Endpoints;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::WaitContext;
use crate::text;
use crate::transport::classify::{self, ResponseFailure, classify};
use crate::transport::{self, CallOptions, Pipeline, RawResponse, ResponseMeta};

pub use builder::ClientBuilder;
pub use call::Call;
pub(crate) use call::Run;
pub use identity::Identity;

/// A client of one DocuMine workspace.
///
/// Cloning shares everything: connections, the token, the settings. See the [crate's front page](crate) for a tour.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    pipeline: Arc<Pipeline>,
    raw: documine_api::Client,
    workspace: String,
    endpoints: Endpoints,
    waits: WaitContext,
}

impl Client {
    pub(crate) fn from_pipeline(pipeline: Pipeline, workspace: String, endpoints: Endpoints) -> Self {
        let pipeline = Arc::new(pipeline);
        let transport = Arc::new(transport::Raw(Arc::clone(&pipeline)));
        let inner = documine_api::Inner::new(transport).with_base(Arc::clone(&pipeline.base));
        let raw = documine_api::Client::new_with_client(pipeline.base.as_str(), pipeline.client.clone(), inner);
        let waits = WaitContext::new(Arc::clone(&pipeline.clock));
        Self(Arc::new(Inner { pipeline, raw, workspace, endpoints, waits }))
    }

    /// The workspace this client works in.
    pub fn workspace(&self) -> &str {
        &self.0.workspace
    }

    /// The service's address.
    pub fn base_url(&self) -> &str {
        self.0.pipeline.base.as_str().trim_end_matches('/')
    }

    /// How many requests this client and its clones have sent to the service so far, repeated ones counted, logins not.
    pub fn requests_sent(&self) -> u64 {
        self.0.pipeline.sent.load(Ordering::Relaxed)
    }

    /// The generated client, on the same stack: every operation of the document, with its own names and types.
    ///
    /// It brings progenitor's error type; [`Error::find`] gets ours out of it.
    pub fn raw(&self) -> documine_api::Client {
        self.0.raw.clone()
    }

    /// Makes requests as the document describes them.
    pub(crate) fn requests(&self) -> &documine_api::Client {
        &self.0.raw
    }

    /// Sends a request that was built by hand through the stack.
    pub(crate) async fn send(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
        options: &CallOptions,
    ) -> Result<RawResponse> {
        transport::Call::new(&self.0.pipeline, options).run(request, operation).await
    }

    /// Sends a request of the document through the stack.
    pub(crate) async fn exchange<A>(&self, request: Prepared<A>, options: &CallOptions) -> Result<RawResponse> {
        let (request, operation) = build_request(request)?;
        transport::Call::new(&self.0.pipeline, options).run(request, operation).await
    }

    /// The same, and decodes the answer.
    pub(crate) async fn answer<A: DeserializeOwned>(
        &self,
        request: Prepared<A>,
        options: &CallOptions,
    ) -> Result<(A, ResponseMeta)> {
        let (request, operation) = build_request(request)?;
        let answered = transport::Call::new(&self.0.pipeline, options).run(request, operation).await?;
        let (body, facts) = answered.whole().await?;
        Ok((decode(&body, &facts)?, facts))
    }

    /// The same, where nothing but the answer is of interest.
    pub(crate) async fn fetch<A: DeserializeOwned>(&self, request: Prepared<A>, options: &CallOptions) -> Result<A> {
        Ok(self.answer(request, options).await?.0)
    }

    /// The same, where a response without content has a meaning of its own: `None`.
    pub(crate) async fn fetch_optional<A: DeserializeOwned>(
        &self,
        request: Prepared<A>,
        options: &CallOptions,
    ) -> Result<Option<A>> {
        let (body, facts) = self.exchange(request, options).await?.whole().await?;
        if body.trim_ascii().is_empty() { Ok(None) } else { decode(&body, &facts).map(Some) }
    }

    /// The same, where nothing but the success is of interest.
    pub(crate) async fn execute(&self, request: Prepared<()>, options: &CallOptions) -> Result<()> {
        self.exchange(request, options).await.map(drop)
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.pipeline.clock
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    pub(crate) fn waits(&self) -> &WaitContext {
        &self.0.waits
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

/// A request as the generated client makes it, or why it can't. The one place where progenitor's error is seen.
pub(crate) type Prepared<A> = std::result::Result<PreparedRequest<A>, documine_api::Error<()>>;

/// The request, if it was made and the document offers what it asks for.
pub(crate) fn build_request<A>(request: Prepared<A>) -> Result<(reqwest::Request, &'static Operation)> {
    let request = request.map_err(|error| match error {
        // Built from settings and ids that were checked before, so this is what a caller gave that no request can hold.
        documine_api::Error::InvalidRequest(text) | documine_api::Error::Custom(text) => Error::input(text),
        documine_api::Error::CommunicationError(error) => classify(ResponseFailure::Transport(&error)),
        other => Error::input(other.to_string()),
    })?;
    request.into_parts().map_err(|unsupported| {
        Error::new(ErrorKind::UnsupportedByDocument, unsupported.to_string()).with_operation(unsupported.operation())
    })
}

/// Decodes; what does not fit is told with the path to it.
pub(crate) fn decode<A: DeserializeOwned>(body: &[u8], facts: &ResponseMeta) -> Result<A> {
    // Keeping the path costs as much again as the reading, and most answers fit.
    serde_json::from_slice(body).or_else(|_| decode_with_path(body, facts))
}

#[cold]
fn decode_with_path<A: DeserializeOwned>(body: &[u8], facts: &ResponseMeta) -> Result<A> {
    if body.trim_ascii().is_empty() {
        return Err(decode_error(body, facts, "the body is empty, where the document describes content"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| format!("the body does not fit at `{}`: {}", error.path(), error.inner()));
    let whole = value.and_then(|value| match json.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(format!("something follows the JSON of the body: {error}")),
    });
    whole.map_err(|why| decode_error(body, facts, &why))
}

/// An answer, or a part of one, that is not what the document describes.
#[cold]
pub(crate) fn decode_error(body: &[u8], facts: &ResponseMeta, why: &str) -> Error {
    let clean = |text: &str| text::without(text, facts.tokens.iter().map(|tokens| tokens.access.expose()));
    // Only the beginning is shown. What does not fit is told with the value that stands there.
    let body = &body[..body.len().min(classify::ERROR_BODY_LIMIT)];
    let (body, why) = (clean(&String::from_utf8_lossy(body)), clean(why));
    let (status, headers) = (facts.status, &facts.headers);
    facts.of(classify(ResponseFailure::UnexpectedBody { status, headers, body: body.as_bytes(), why: &why }))
}

#[cfg(test)]
const _: () = {
    const fn is<T: Clone + Send + Sync + 'static>() {}
    is::<Client>();
    is::<Error>();
    is::<crate::error::ErrorKind>();
};
