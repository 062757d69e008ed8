//! The interface between the generated client and the HTTP stack.
//!
//! The generated client builds a request and passes it to the [`Transport`] in [`Inner`]; this crate opens no connection. The
//! transport is responsible for token, tenant, retries and timeouts.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::Url;

use crate::generated::Client;
use crate::operations::{self, Operation};
use crate::unsupported;

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A boxed future, the return type of the object-safe traits [`Transport`] and [`Clock`](crate::clock::Clock).
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An HTTP stack for the requests of the generated client.
pub trait Transport: Send + Sync {
    /// Sends a request of `operation`. All generated methods for one operation of the document share the same `operation`.
    ///
    /// The caller of the raw client gets an error as `CommunicationError` with the returned error in the chain of sources.
    fn send<'a>(
        &'a self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<reqwest::Response, BoxError>>;
}

/// The state of the generated client: the transport and the parsed base URL.
#[derive(Clone)]
pub struct Inner {
    transport: Arc<dyn Transport>,
    base: Option<Arc<Url>>,
}

impl Inner {
    /// Creates the state with a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, base: None }
    }

    /// Sets the parsed base URL, so that a client created for each call does not parse it again. It must be the base URL of the client.
    #[must_use]
    pub fn with_base(mut self, base: Arc<Url>) -> Self {
        self.base = Some(base);
        self
    }
}

/// Joins `path`, which starts with a slash, to the base URL of the client.
pub(crate) fn address(client: &Client, path: &str) -> Result<Url, String> {
    let base = client.inner().base.as_deref().filter(|_| !path.starts_with("//"));
    let address = match base {
        Some(base) if base.path() == "/" => base.join(path),
        Some(base) => base.join(&[base.path().trim_end_matches('/'), path].concat()),
        None => Url::parse(&[client.baseurl(), path].concat()),
    };
    address.map_err(|error| format!("invalid base URL or path: {error}"))
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The transport holds secrets.
        f.write_str("Inner")
    }
}

impl ClientHooks<Inner> for Client {
    async fn exec(&self, mut request: reqwest::Request, info: &OperationInfo) -> reqwest::Result<reqwest::Response> {
        let sent = match operations::method(info.operation_id).map(|method| unsupported::check(method, &mut request)) {
            Some(Ok(operation)) => self.inner().transport.send(request, operation).await,
            Some(Err(unsupported)) => Err(unsupported.into()),
            None => Err(format!("unknown operation {}", info.operation_id).into()),
        };
        match sent {
            Ok(response) => Ok(response),
            Err(error) => into_reqwest_error(error).await,
        }
    }
}

/// Converts an error into the error type of reqwest, which has no public constructor, by reading a body that fails with `error`.
async fn into_reqwest_error(error: BoxError) -> reqwest::Result<reqwest::Response> {
    let failing = futures_util::stream::iter([Err::<bytes::Bytes, BoxError>(error)]);
    let body = reqwest::Body::wrap_stream(failing);
    if let Err(error) = reqwest::Response::from(http::Response::new(body)).bytes().await {
        return Err(error.without_url());
    }
    // Unreachable, because the body contains only an error; an error status makes sure that a failed send is never a success.
    let mut response = http::Response::new(reqwest::Body::default());
    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
    reqwest::Response::from(response).error_for_status()
}

#[cfg(test)]
mod tests {
    use super::{Arc, BoxError, BoxFuture, Client, Inner, Operation, Transport, Url, address};

    struct Offline;

    impl Transport for Offline {
        fn send<'a>(
            &'a self,
            _: reqwest::Request,
            _: &'static Operation,
        ) -> BoxFuture<'a, Result<reqwest::Response, BoxError>> {
            Box::pin(async { Err("offline".into()) })
        }
    }

    #[test]
    fn joins_paths_to_parsed_and_unparsed_base_urls_alike() {
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
            let inner = Inner::new(Arc::new(Offline));
            let (plain, known) = (client(inner.clone()), client(inner.with_base(read)));
            assert_eq!(address(&known, path), address(&plain, path), "{base} {path}");
            let expected = format!("{}{path}", base.trim_end_matches('/'));
            assert_eq!(address(&plain, path).map(String::from), Ok(expected));
        }
        let broken = Client::new_with_client("not a URL", reqwest::Client::new(), Inner::new(Arc::new(Offline)));
        let error = address(&broken, "/api").expect_err("invalid");
        assert_eq!(error, "invalid base URL or path: relative URL without a base");
    }
}
