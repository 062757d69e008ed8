//! The seam between the generated client and whoever sends its requests.
//!
//! The generated client makes a request and hands it to the [`Transport`] in its [`Inner`]; nothing in this crate opens a
//! connection. Token, tenant, retries and timeouts are the transport's business.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::Url;

use crate::generated::Client;
use crate::operations::{self, Operation};

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
pub struct Inner {
    transport: Arc<dyn Transport>,
    base: Option<Arc<Url>>,
}

impl Inner {
    /// Wraps a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, base: None }
    }

    /// The same, with the base URL read already: a client that is made for each call need not read it for each. It must be the one
    /// that the client is given as a text.
    #[must_use]
    pub fn with_base(mut self, base: Arc<Url>) -> Self {
        self.base = Some(base);
        self
    }
}

/// The address of `path`, which begins with a slash, below the client's base URL.
pub(crate) fn address(client: &Client, path: &str) -> Result<Url, String> {
    let base = client.inner().base.as_deref().filter(|_| !path.starts_with("//"));
    let address = match base {
        Some(base) if base.path() == "/" => base.join(path),
        Some(base) => base.join(&[base.path().trim_end_matches('/'), path].concat()),
        None => Url::parse(&[client.baseurl(), path].concat()),
    };
    address.map_err(|error| format!("the address can't be made: {error}"))
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A transport holds secrets.
        f.write_str("Inner")
    }
}

impl ClientHooks<Inner> for Client {
    async fn exec(&self, mut request: reqwest::Request, info: &OperationInfo) -> reqwest::Result<reqwest::Response> {
        let sent = match operations::method(info.operation_id).map(|method| method.supported(&mut request)) {
            Some(Ok(operation)) => self.inner().transport.send(request, operation).await,
            Some(Err(unsupported)) => Err(unsupported.into()),
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

#[cfg(test)]
mod tests {
    use super::{Arc, BoxError, BoxFuture, Client, Inner, Operation, Transport, Url, address};

    struct Nobody;

    impl Transport for Nobody {
        fn send<'a>(
            &'a self,
            _: reqwest::Request,
            _: &'static Operation,
        ) -> BoxFuture<'a, Result<reqwest::Response, BoxError>> {
            Box::pin(async { Err("nobody is there".into()) })
        }
    }

    #[test]
    fn an_address_is_the_same_whether_the_base_was_read_before_or_not() {
        for (base, path) in [
            ("https://acme.example", "/api/license"),
            ("https://acme.example/documine", "/api/users"),
            ("https://acme.example/documine/", "/api/files/a%2Fb%20c"),
            ("http://127.0.0.1:81", "/api/bulk/components#xml"),
            ("http://[::1]:8080", "/api//twice"),
            ("https://acme.example", "//other.example/api"),
        ] {
            let client = |inner| Client::new_with_client(base, reqwest::Client::new(), inner);
            let read = Arc::new(Url::parse(base).expect("a URL"));
            let inner = Inner::new(Arc::new(Nobody));
            let (plain, known) = (client(inner.clone()), client(inner.with_base(read)));
            assert_eq!(address(&known, path), address(&plain, path), "{base} {path}");
            let expected = format!("{}{path}", base.trim_end_matches('/'));
            assert_eq!(address(&plain, path).map(String::from), Ok(expected));
        }
        let broken = Client::new_with_client("no address", reqwest::Client::new(), Inner::new(Arc::new(Nobody)));
        let error = address(&broken, "/api").expect_err("no URL");
        assert_eq!(error, "the address can't be made: relative URL without a base");
    }
}
