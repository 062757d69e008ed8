//! A transport without sockets, for the unit tests of code that uses this crate.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ::http::{HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http_body_util::BodyExt;
use reqwest::ResponseBuilderExt;

use super::classify::{ResponseFailure, classify};
use crate::clock::BoxFuture;
use crate::error::{Error, Result};
use crate::http_util::Http;

/// The bottom layer of a client: sends one request and returns one response.
///
/// A client with a transport of your own opens no socket. Everything above the transport is real: authorization, retries, the rate limit, timeouts,
/// decoding, waits, uploads and downloads. See [`testing`](crate::testing) for examples.
///
/// A closure over `http::Request<Bytes>` whose future returns `documine::Result<http::Response<B>>` is a transport; `B` is any body that becomes a
/// [`ResponseBody`], for example a string. The future must not borrow from the closure, so an `async` closure is a transport only if
/// it captures no state. A closure that captures state clones the state for each request:
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use documine::http::{Request, Response};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> documine::Result<()> {
/// let paths = Arc::new(Mutex::new(Vec::new()));
/// let recorded = Arc::clone(&paths);
/// let client = documine::Client::with_transport(move |request: Request<bytes::Bytes>| {
///     let recorded = Arc::clone(&recorded);
///     async move {
///         recorded.lock().unwrap().push(request.uri().path().to_owned());
///         Ok(Response::new(r#"{"name": "Test"}"#))
///     }
/// })?;
/// client.license().await?;
/// assert_eq!(*paths.lock().unwrap(), ["/api/license"]);
/// # Ok(()) }
/// ```
///
/// # Errors
/// An error is treated like that of a connection: [`Error::builder`] with [`ErrorKind::Connect`](crate::ErrorKind::Connect) for a service that cannot
/// be reached, with [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) for a lost response.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request and returns its response.
    ///
    /// The URI is absolute. The headers include the token (`Authorization`) and the workspace (`X-TENANT-ID`). The body is complete: the form of an
    /// upload is `multipart/form-data` with all of its file.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<ResponseBody>>>;
}

impl<F, Fut, B> Transport for F
where
    F: Fn(Request<Bytes>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<B>>> + Send + 'static,
    B: Into<ResponseBody>,
{
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<ResponseBody>>> {
        let response = self(request);
        Box::pin(async move { Ok(response.await?.map(Into::into)) })
    }
}

/// The body of a response that a [`Transport`] returns: bytes or a text, or a stream of chunks that can fail.
///
/// Bytes and texts are announced with `Content-Length`, unless the response has that header.
pub struct ResponseBody(reqwest::Body);

impl ResponseBody {
    /// Creates a body that arrives in these chunks. An error interrupts the body at that point.
    pub fn chunks<C: Into<Bytes>>(chunks: impl IntoIterator<Item = Result<C>>) -> Self {
        let chunks: Vec<_> = chunks.into_iter().map(|chunk| chunk.map(Into::into)).collect();
        Self::from_stream(stream::iter(chunks))
    }

    /// Creates a body from a stream of chunks. An error interrupts the body at that point.
    pub fn from_stream(chunks: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self(reqwest::Body::wrap_stream(chunks))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("bytes", &self.0.as_bytes().map(<[u8]>::len)).finish()
    }
}

impl From<()> for ResponseBody {
    fn from((): ()) -> Self {
        Self(Bytes::new().into())
    }
}

macro_rules! body_from {
    ($($type:ty),+) => {$(
        impl From<$type> for ResponseBody {
            fn from(body: $type) -> Self {
                Self(body.into())
            }
        }
    )+};
}

body_from!(Bytes, Vec<u8>, String, &'static str, &'static [u8]);

/// Returns a response with a JSON body.
pub fn json(status: StatusCode, text: impl Into<String>) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::from(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A [`Transport`] as the bottom layer.
pub(crate) struct FakeHttp(Arc<dyn Transport>);

impl FakeHttp {
    pub(crate) fn new(transport: impl Transport) -> Self {
        Self(Arc::new(transport))
    }
}

impl Http for FakeHttp {
    fn execute(&self, mut request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response>> {
        Box::pin(async move {
            let body = match request.body_mut().take() {
                Some(body) => {
                    let body = body.collect().await;
                    body.map_err(|error| classify(ResponseFailure::Transport(&error)))?.to_bytes()
                }
                None => Bytes::new(),
            };
            let url = request.url().clone();
            let mut plain = Request::new(body);
            *plain.method_mut() = request.method().clone();
            *plain.uri_mut() = url.as_str().parse().map_err(|error| Error::input("invalid URL").with_source(error))?;
            *plain.headers_mut() = std::mem::take(request.headers_mut());
            let (mut parts, body) = self.0.send(plain).await?.into_parts();
            // As a server does for a body that it has as a whole; the resumption of a download relies on it.
            if let Some(length) = body.0.as_bytes().map(<[u8]>::len).filter(|length| *length > 0) {
                parts.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
            }
            let response = Response::builder().status(parts.status).url(url).body(body.0);
            let mut response = response.map_err(|error| Error::input("invalid response").with_source(error))?;
            *response.headers_mut() = parts.headers;
            Ok(reqwest::Response::from(response))
        })
    }
}
