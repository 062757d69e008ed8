//! The HTTP server that receives the redirect of a login by browser.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::select_all;
use futures_util::{Stream, StreamExt, stream};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::DEFAULT_PORT;
use crate::auth::secret::Secret;
use crate::backoff::Backoff;
use crate::clock::Clock;

/// The time limit for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest head of a request that is read. A URL with a code is far smaller.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The largest number of open connections. A further connection replaces the oldest one that has not sent a request.
pub(super) const MAX_CONNECTIONS: usize = 32;
/// The time limit for sending the last page to the browser.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The first and the largest delay after a failed `accept`: without free file descriptors it fails again at once.
pub(super) const ACCEPT_DELAYS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// A source of connections.
pub(super) trait Accept {
    type Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Connection>> + Send;
}

pub(super) struct Listeners(pub(super) Vec<TcpListener>);

impl Accept for Listeners {
    type Connection = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let accepts = self.0.iter().map(|listener| Box::pin(listener.accept()));
        select_all(accepts).await.0.map(|(stream, _)| stream)
    }
}

/// Accepts connections, with backoff while `accept` fails.
fn accept_all<A: Accept>(listener: A, clock: &dyn Clock) -> impl Stream<Item = A::Connection> {
    stream::unfold(listener, move |listener| async move {
        let mut backoff = Backoff::new(ACCEPT_DELAYS.0, ACCEPT_DELAYS.1);
        loop {
            match listener.accept().await {
                Ok(connection) => return Some((connection, listener)),
                Err(_) => clock.sleep(backoff.next_delay()).await,
            }
        }
    })
}

/// The host, port and path of the redirect URI.
pub(super) struct CallbackAddress {
    /// Lower case, with the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
}

impl CallbackAddress {
    /// Returns true if a `Host` header names this address. The default port may be omitted (RFC 9110 section 7.2).
    pub(super) fn is_host(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        !host.contains('@')
            && authority.host().eq_ignore_ascii_case(&self.host)
            && authority.port_u16().unwrap_or(DEFAULT_PORT) == self.port
    }
}

/// The server for the response to one login, which it identifies by the `state`.
pub(super) struct CallbackServer {
    pub(super) address: CallbackAddress,
    pub(super) state: Secret,
}

impl CallbackServer {
    /// Serves connections until one of them delivers the response to the login, and returns its query.
    pub(super) async fn receive<A: Accept>(self, listener: A, clock: &dyn Clock) -> Secret {
        let server = Arc::new(self);
        let (sender, mut responses) = mpsc::channel(1);
        let mut connections = Connections::default();
        let response = {
            let mut accepted = pin!(accept_all(listener, clock));
            loop {
                tokio::select! {
                    Some(response) = responses.recv() => break response,
                    Some(connection) = accepted.next() => connections.serve(connection, &server, &sender),
                    Some(_) = connections.tasks.join_next() => {}
                }
            }
        };
        connections.close().await;
        response
    }

    /// Returns the query of a response to this login, and the page for the browser.
    fn respond<B>(&self, request: &Request<B>) -> (Option<Secret>, Response<Full<Bytes>>) {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        // Any other host name that resolves to this machine is rejected (DNS rebinding).
        if !host.is_some_and(|host| self.address.is_host(host)) || request.uri().path() != self.address.path {
            return (None, page(StatusCode::NOT_FOUND, "Not found."));
        }
        if request.method() != Method::GET {
            return (None, page(StatusCode::METHOD_NOT_ALLOWED, "This page supports GET only."));
        }
        let query = request.uri().query().unwrap_or_default();
        if !self.has_state(query) {
            let text =
                "This page belongs to another login. Go back to the program, and open the address that it shows.";
            return (None, page(StatusCode::BAD_REQUEST, text));
        }
        let is_error = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "error");
        let text = if is_error {
            "The login failed. The program shows the reason; you can close this page."
        } else {
            "The program has received the login. You can close this page and go back to the program."
        };
        (Some(Secret::new(query)), page(StatusCode::OK, text))
    }

    fn has_state(&self, query: &str) -> bool {
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "state" && self.state.is(&value))
    }
}

/// The open connections.
#[derive(Default)]
pub(super) struct Connections {
    tasks: JoinSet<()>,
    /// In the order of their arrival, each with a flag that is set by its first request.
    open: VecDeque<(AbortHandle, Arc<AtomicBool>)>,
}

impl Connections {
    pub(super) fn serve(
        &mut self,
        connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        server: &Arc<CallbackServer>,
        responses: &mpsc::Sender<Secret>,
    ) {
        self.open.retain(|(task, _)| !task.is_finished());
        if self.open.len() >= MAX_CONNECTIONS {
            // An idle connection must not block the browser. Connections with a request end as soon as their page is sent.
            let oldest = self.open.iter().position(|(_, is_active)| !is_active.load(Ordering::Relaxed)).unwrap_or(0);
            if let Some((task, _)) = self.open.remove(oldest) {
                task.abort();
            }
        }
        let is_active = Arc::new(AtomicBool::new(false));
        let task = serve(connection, Arc::clone(server), responses.clone(), Arc::clone(&is_active));
        self.open.push_back((self.tasks.spawn(task), is_active));
    }

    /// Closes idle connections, and waits a moment until the pages of the others are sent.
    async fn close(mut self) {
        for (task, _) in self.open.iter().filter(|(_, is_active)| !is_active.load(Ordering::Relaxed)) {
            task.abort();
        }
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, async { while self.tasks.join_next().await.is_some() {} }).await;
    }
}

async fn serve(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    server: Arc<CallbackServer>,
    responses: mpsc::Sender<Secret>,
    is_active: Arc<AtomicBool>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        is_active.store(true, Ordering::Relaxed);
        let (response, page) = server.respond(&request);
        if let Some(response) = response {
            // The channel holds one response: later ones are dropped.
            let _ = responses.try_send(response);
        }
        std::future::ready(Ok::<_, Infallible>(page))
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(connection), service);
    // An invalid request or a closed connection is not an error of the login.
    let _ = tokio::time::timeout(2 * HEAD_TIMEOUT, connection).await;
}

/// Returns a page of one paragraph, which loads nothing, is not cached, and sends no `Referer`.
fn page(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>DocuMine login</title></head>\
         <body style=\"font-family: sans-serif; margin: 4em auto; max-width: 30em\"><p>{text}</p></body></html>"
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
