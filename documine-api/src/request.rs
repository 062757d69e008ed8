//! Requests that are made and not sent.

use std::fmt;
use std::marker::PhantomData;

use progenitor_client::OperationInfo;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

use crate::operations::{self, Method, Operation};
use crate::unsupported::Unsupported;

/// A request as the document describes it, whose answer is an `A`: what each builder's `prepare` makes, and its `send` sends.
///
/// ```
/// # use std::sync::Arc;
/// # use documine_api::{BoxError, BoxFuture, Client, Inner, Transport, operations::Operation};
/// # struct Nobody;
/// # impl Transport for Nobody {
/// #     fn send<'a>(&'a self, _: reqwest::Request, _: &'static Operation) -> BoxFuture<'a, Result<reqwest::Response, BoxError>> {
/// #         Box::pin(async { Err("nobody is there".into()) })
/// #     }
/// # }
/// # let client = Client::new_with_client("https://documine.example", reqwest::Client::new(), Inner::new(Arc::new(Nobody)));
/// let prepared = client.get_license().prepare()?;
/// let (request, operation) = prepared.into_parts()?;
/// assert_eq!((request.method().as_str(), operation.id), ("GET", "getLicense"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PreparedRequest<A> {
    request: reqwest::Request,
    method: &'static Method,
    /// Made by nobody here; only whoever reads the answer makes one.
    answer: PhantomData<fn() -> A>,
}

impl<A> PreparedRequest<A> {
    /// Brings the headers to what the document says: with `Accept` on every request, and with the media type of a body that the generator
    /// knows as mere JSON or bytes.
    pub(crate) fn new(mut request: reqwest::Request, info: &OperationInfo) -> Result<Self, String> {
        let method = operations::method(info.operation_id);
        let method = method.ok_or_else(|| format!("no operation is called {}", info.operation_id))?;
        let has_body = request.body().is_some();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(method.accept));
        if let Some(content_type) = method.content_type.filter(|_| has_body) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Ok(Self { request, method, answer: PhantomData })
    }

    /// The request and its operation. Query parameters that the document lacks are gone where that changes nothing.
    ///
    /// # Errors
    /// [`Unsupported`]: the document does not offer this.
    pub fn into_parts(mut self) -> Result<(reqwest::Request, &'static Operation), Unsupported> {
        let operation = self.method.supported(&mut self.request)?;
        Ok((self.request, operation))
    }

    /// For the generated `send`, which leaves the check to the hook that it runs next.
    pub(crate) fn unchecked(self) -> (reqwest::Request, OperationInfo) {
        (self.request, OperationInfo { operation_id: self.method.name })
    }
}

impl<A> fmt::Debug for PreparedRequest<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRequest").field("request", &self.request).finish_non_exhaustive()
    }
}
