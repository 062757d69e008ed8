//! The seam between the generated client and whoever sends its requests.
//!
//! The generated client makes a request and hands it to the [`Transport`] in its [`Inner`]; nothing in this crate opens a
//! connection. Token, tenant, retries and timeouts are the transport's business.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use progenitor_client::{ClientHooks, ClientInfo, Error, OperationInfo};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

use crate::generated::Client;
use crate::operations::{self, Operation};
use crate::unsupported::Unsupported;

/// Any error of a transport.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What [`Transport::send`] gives back.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends requests.
pub trait Transport: Send + Sync {
    /// Sends one request of `operation`. The operation is the document's: all forms of its answer share one.
    ///
    /// An error reaches the caller of the raw client as `CommunicationError`, with the error given here in its chain of sources.
    fn send<'a>(
        &'a self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<reqwest::Response, BoxError>>;
}

/// What the generated client carries along: its transport.
#[derive(Clone)]
pub struct Inner(Arc<dyn Transport>);

impl Inner {
    /// Wraps a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A transport holds secrets.
        f.write_str("Inner")
    }
}

impl ClientHooks<Inner> for Client {
    /// Brings the headers to what the document says: without `api-version`, which the generator invented, with `Accept` on every
    /// request, and with the media type of a body that the generator knows as mere JSON or bytes.
    async fn pre<E>(&self, request: &mut reqwest::Request, info: &OperationInfo) -> Result<(), Error<E>> {
        let has_body = request.body().is_some();
        let headers = request.headers_mut();
        headers.remove("api-version");
        if let Some(method) = operations::method(info.operation_id) {
            headers.entry(ACCEPT).or_insert(HeaderValue::from_static(method.accept));
            if let Some(content_type) = method.content_type.filter(|_| has_body) {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            }
        }
        Ok(())
    }

    async fn exec(&self, mut request: reqwest::Request, info: &OperationInfo) -> reqwest::Result<reqwest::Response> {
        let method = operations::method(info.operation_id);
        let sent = match method.and_then(|method| Some((method.missing, method.operation()?))) {
            Some((missing, operation)) => {
                let unsupported =
                    Unsupported::form(operation, missing).or_else(|| Unsupported::query(operation, &mut request));
                match unsupported {
                    Some(unsupported) => Err(unsupported.into()),
                    None => self.inner().0.send(request, operation).await,
                }
            }
            None => Err(format!("no operation is called {}", info.operation_id).into()),
        };
        match sent {
            Ok(response) => Ok(response),
            Err(error) => failed(error).await,
        }
    }
}

/// The hooks may fail with the HTTP library's own error only, which can't be made from outside. Reading a body that fails makes
/// one, with our error in its chain of sources.
async fn failed(error: BoxError) -> reqwest::Result<reqwest::Response> {
    let failing = futures_util::stream::iter([Err::<bytes::Bytes, BoxError>(error)]);
    let body = reqwest::Body::wrap_stream(failing);
    if let Err(error) = reqwest::Response::from(http::Response::new(body)).bytes().await {
        return Err(error.without_url());
    }
    // Not reached, for the body holds an error only; a failed send must not become an answer all the same.
    let mut response = http::Response::new(reqwest::Body::default());
    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
    reqwest::Response::from(response).error_for_status()
}
