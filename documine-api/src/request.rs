//! Requests that are built but not sent.

use std::fmt;
use std::marker::PhantomData;

use progenitor_client::OperationInfo;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

use crate::operations::{self, Method, Operation};
use crate::unsupported::{self, Unsupported};

/// A request with a response of type `A`, built by `prepare` of each builder and sent by `send`.
///
/// ```
/// # use std::sync::Arc;
/// # use documine_api::{BoxError, BoxFuture, Client, Inner, Transport, operations::Operation};
/// # struct Offline;
/// # impl Transport for Offline {
/// #     fn send<'a>(&'a self, _: reqwest::Request, _: &'static Operation) -> BoxFuture<'a, Result<reqwest::Response, BoxError>> {
/// #         Box::pin(async { Err("offline".into()) })
/// #     }
/// # }
/// # let client = Client::new_with_client("https://documine.example", reqwest::Client::new(), Inner::new(Arc::new(Offline)));
/// let prepared = client.get_license().prepare()?;
/// let (request, operation) = prepared.into_parts()?;
/// assert_eq!((request.method().as_str(), operation.id), ("GET", "getLicense"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PreparedRequest<A> {
    request: reqwest::Request,
    method: &'static Method,
    response: PhantomData<fn() -> A>,
}

impl<A> PreparedRequest<A> {
    /// Sets the `Accept` header, and the media type of the body where the generator only knows JSON or bytes.
    pub(crate) fn new(mut request: reqwest::Request, info: &OperationInfo) -> Result<Self, String> {
        let method = operations::method(info.operation_id);
        let method = method.ok_or_else(|| format!("unknown operation {}", info.operation_id))?;
        let has_body = request.body().is_some();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(method.accept));
        if let Some(content_type) = method.content_type.filter(|_| has_body) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Ok(Self { request, method, response: PhantomData })
    }

    /// Returns the request and the operation, without query parameters that the document lacks and whose value is the default.
    ///
    /// # Errors
    /// [`Unsupported`] if the document lacks the operation, the form of the response or a query parameter.
    pub fn into_parts(mut self) -> Result<(reqwest::Request, &'static Operation), Unsupported> {
        let operation = unsupported::check(self.method, &mut self.request)?;
        Ok((self.request, operation))
    }

    /// Returns the parts without the check, for the generated `send`, whose hook checks the request.
    pub(crate) fn unchecked(self) -> (reqwest::Request, OperationInfo) {
        (self.request, OperationInfo { operation_id: self.method.name })
    }
}

impl<A> fmt::Debug for PreparedRequest<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRequest").field("request", &self.request).finish_non_exhaustive()
    }
}
