//! A program on a person's own machine hears of the answer by itself (RFC 8252 section 7.3): it listens on the loopback addresses, and the
//! browser is sent there.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
use url::{Host, Url};

use super::flow::code::Authorization;
use super::token::{Secret, TokenSet};
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};
use crate::timeout::within;

/// Who connects has to ask in this time.
const ASK_TIME: Duration = Duration::from_secs(10);
/// How much of a request is read: an address with a code in it is far below this.
const LARGEST_HEAD: usize = 32 * 1024;
/// The largest number of open connections. A further connection replaces the oldest one that has not sent a request.
const MOST_VISITORS: usize = 32;
/// How long the closing page may take to reach the browser.
const FAREWELL: Duration = Duration::from_secs(1);
/// The limits of the pause after a failed `accept`: a process without free file descriptors fails again at once.
const ACCEPT_PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// The number of free ports that are tried until one is free on both loopback addresses.
const PORTS_TRIED: u32 = 16;
/// The port that a redirect URI without one means.
const DEFAULT_PORT: u16 = 80;

/// The listening address and the time limit of a login by browser. Default: `http://127.0.0.1` with any free port and `/callback`, five minutes.
///
/// ```
/// use documine::Loopback;
/// let fixed = Loopback::default().port(8400).path("/login/done");
/// let registered = Loopback::default().redirect_uri("http://localhost:8400/login/done");
/// ```
#[derive(Debug, Clone)]
#[must_use = "it does nothing by itself"]
pub struct Loopback {
    /// Host name as it is registered, with the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// The redirect URI shows the port even when it is the default one of http.
    shows_default_port: bool,
    /// None: the redirect URI ends with the host.
    path: Option<String>,
    /// With its `?`.
    query: String,
    limit: Duration,
    /// A redirect URI that could not be read.
    unreadable: Option<String>,
}

impl Default for Loopback {
    fn default() -> Self {
        Self {
            // Not `localhost`: that name may mean another machine, or another address of this one (RFC 8252 section 8.3).
            host: "127.0.0.1".into(),
            port: 0,
            shows_default_port: false,
            path: Some("/callback".into()),
            query: String::new(),
            limit: Duration::from_secs(300),
            unreadable: None,
        }
    }
}

impl Loopback {
    /// Sets the redirect URI as it is registered with the identity provider: `http://` with `localhost`, `127.0.0.1` or `[::1]`.
    ///
    /// The provider is sent the same spelling. A URI without a port gets any free one (RFC 8252 section 7.3); for a provider that takes no other port
    /// than the registered 80, add [`port(80)`](Self::port). For `localhost` the login listens on 127.0.0.1 and on `::1`, as far as the machine has
    /// them, because browsers may take either; other machines never reach it.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        let uri = uri.into();
        self.unreadable = None;
        let Some((host, port, rest)) = split(&uri) else {
            self.unreadable = Some(uri);
            return self;
        };
        (self.host, self.port, self.shows_default_port) = (host.to_owned(), port.unwrap_or(0), port.is_some());
        let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        (self.path, self.query) = (Some(path.to_owned()).filter(|path| !path.is_empty()), query.to_owned());
        self
    }

    /// Sets the port, where the identity provider knows the redirect URI with one. 0: any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the path of the redirect URI, as it is registered.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        (self.path, self.query) = (Some(path.into()), String::new());
        self
    }

    /// Sets how long the person may take. Default: five minutes.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Listens from now on.
    pub(super) async fn open(self) -> Result<Listening> {
        let addresses = self.addresses()?;
        let (listeners, port) = listen(&addresses, self.port).await.map_err(|(address, error)| {
            let port = self.port;
            Error::config(format!(
                "port {port} of {address} can't be listened on: {error}; take another one, or 0 for any"
            ))
        })?;
        let redirect_uri = self.uri(port);
        let url = Url::parse(&redirect_uri).map_err(|_| self.unusable())?;
        let expected =
            Expected { host: url.host_str().unwrap_or_default().to_owned(), port, path: url.path().to_owned() };
        Ok(Listening { listeners: Listeners(listeners), redirect_uri, expected, limit: self.limit })
    }

    /// The addresses that the host name leads to, after a check of the whole redirect URI.
    fn addresses(&self) -> Result<Vec<IpAddr>> {
        let is_path =
            |path: &str| path.starts_with('/') && !path.contains(['?', '#']) && !path.contains(char::is_whitespace);
        if let Some(path) = self.path.as_ref().filter(|path| !is_path(path)) {
            let text =
                format!("{path:?} is no path for a redirect URI; begin with `/`, and leave out `?`, `#` and blanks");
            return Err(Error::config(text));
        }
        let url = match &self.unreadable {
            None => Url::parse(&self.uri(DEFAULT_PORT)).map_err(|_| self.unusable())?,
            Some(_) => return Err(self.unusable()),
        };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        match url.host() {
            Some(Host::Ipv4(address)) if plain && address.is_loopback() => Ok(vec![address.into()]),
            Some(Host::Ipv6(address)) if plain && address.is_loopback() => Ok(vec![address.into()]),
            // Names below `localhost` lead to this machine as well (RFC 6761 section 6.3).
            Some(Host::Domain(name)) if plain && (name == "localhost" || name.ends_with(".localhost")) => {
                Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
            }
            _ => Err(self.unusable()),
        }
    }

    fn uri(&self, port: u16) -> String {
        let (host, path, query) = (&self.host, self.path.as_deref().unwrap_or_default(), &self.query);
        if port == DEFAULT_PORT && !self.shows_default_port {
            format!("http://{host}{path}{query}")
        } else {
            format!("http://{host}:{port}{path}{query}")
        }
    }

    fn unusable(&self) -> Error {
        let uri = self.unreadable.clone().unwrap_or_else(|| self.uri(self.port));
        Error::config(format!(
            "the redirect URI {uri:?} can't be listened on; give one with http, localhost, 127.0.0.1 or [::1], and no fragment, \
             for example http://localhost:8400/callback"
        ))
    }
}

/// Host, port and the rest of an http address, as they are written.
fn split(uri: &str) -> Option<(&str, Option<u16>, &str)> {
    const SCHEME: &str = "http://";
    let (scheme, after) = uri.split_at_checked(SCHEME.len())?;
    let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    if !scheme.eq_ignore_ascii_case(SCHEME) || uri.contains(['#', '@']) || uri.contains(char::is_whitespace) {
        return None;
    }
    match authority.rsplit_once(':') {
        // The colon of `[::1]` is none of a port.
        Some((host, port)) if !port.ends_with(']') => Some((host, Some(port.parse().ok()?), rest)),
        _ => Some((authority, None, rest)),
    }
}

/// Listens on the same port of all addresses that the machine has; the port is another one than 0. An error comes with its address.
async fn listen(addresses: &[IpAddr], port: u16) -> Result<(Vec<TcpListener>, u16), (IpAddr, io::Error)> {
    let mut tries = 0;
    'ports: loop {
        tries += 1;
        let (mut listeners, mut chosen, mut missing) = (Vec::new(), port, None);
        for address in addresses {
            let bound = TcpListener::bind((*address, chosen)).await;
            match bound.and_then(|listener| Ok((listener.local_addr()?.port(), listener))) {
                Ok((given, listener)) => {
                    chosen = given;
                    listeners.push(listener);
                }
                // Another program has it. If it kept that address, a browser might bring it the answer.
                Err(error) if matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
                    if port == 0 && tries < PORTS_TRIED {
                        continue 'ports;
                    }
                    return Err((*address, error));
                }
                // A machine without IPv6, or without IPv4.
                Err(error) => missing = Some((*address, error)),
            }
        }
        return match missing {
            Some(missing) if listeners.is_empty() => Err(missing),
            _ => Ok((listeners, chosen)),
        };
    }
}

/// A source of connections.
trait Accept {
    type Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Connection>> + Send;
}

struct Listeners(Vec<TcpListener>);

impl Accept for Listeners {
    type Connection = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let accepts = self.0.iter().map(|listener| Box::pin(listener.accept()));
        select_all(accepts).await.0.map(|(stream, _)| stream)
    }
}

/// The connections, with growing pauses while none can be accepted.
fn connections<A: Accept>(listener: A, clock: &dyn Clock) -> impl Stream<Item = A::Connection> {
    stream::unfold(listener, move |listener| async move {
        let mut pauses = Backoff::new(ACCEPT_PAUSES.0, ACCEPT_PAUSES.1);
        loop {
            match listener.accept().await {
                Ok(connection) => return Some((connection, listener)),
                Err(_) => clock.sleep(pauses.next_delay()).await,
            }
        }
    })
}

/// A listener on its port.
pub(super) struct Listening {
    listeners: Listeners,
    redirect_uri: String,
    expected: Expected,
    limit: Duration,
}

impl Listening {
    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The tokens that the first answer to this login brings. Whatever else connects in the meantime is turned away.
    pub(super) async fn tokens(self, login: Authorization, clock: &dyn Clock) -> Result<TokenSet> {
        let desk = Desk { expected: self.expected, state: login.state().clone() };
        let (limit, phase) = (self.limit, TimeoutPhase::Login);
        let answer = within(Box::pin(answer(self.listeners, desk, clock)), limit, phase).await.map_err(|_| {
            let text = format!("nobody logged in within {limit:?}; begin again");
            Error::new(ErrorKind::Timeout, text).with_phase(phase).with_operation("login by browser")
        })?;
        login.redirected(answer.expose()).await
    }
}

/// The first answer to this login that a connection brings.
async fn answer<A: Accept>(listener: A, desk: Desk, clock: &dyn Clock) -> Secret {
    let desk = Arc::new(desk);
    let (sender, mut answers) = mpsc::channel(1);
    let mut visitors = Visitors::default();
    let answer = {
        let mut connections = pin!(connections(listener, clock));
        loop {
            tokio::select! {
                Some(answer) = answers.recv() => break answer,
                Some(connection) = connections.next() => visitors.admit(connection, &desk, &sender),
                Some(_) = visitors.tasks.join_next() => {}
            }
        }
    };
    visitors.dismiss().await;
    answer
}

/// The connections that are open.
#[derive(Default)]
struct Visitors {
    tasks: JoinSet<()>,
    /// In the order of their arrival, each with whether it has sent a request.
    open: VecDeque<(AbortHandle, Arc<AtomicBool>)>,
}

impl Visitors {
    fn admit(
        &mut self,
        connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        desk: &Arc<Desk>,
        answers: &mpsc::Sender<Secret>,
    ) {
        self.open.retain(|(task, _)| !task.is_finished());
        if self.open.len() >= MOST_VISITORS {
            // One that sends nothing keeps nobody out. The others are done as soon as their page is written.
            let oldest = self.open.iter().position(|(_, has_asked)| !has_asked.load(Ordering::Relaxed)).unwrap_or(0);
            if let Some((task, _)) = self.open.remove(oldest) {
                task.abort();
            }
        }
        let has_asked = Arc::new(AtomicBool::new(false));
        let task = self.tasks.spawn(serve(connection, Arc::clone(desk), answers.clone(), Arc::clone(&has_asked)));
        self.open.push_back((task, has_asked));
    }

    /// Lets the pages under way reach the browser, for a moment.
    async fn dismiss(mut self) {
        for (task, _) in self.open.iter().filter(|(_, has_asked)| !has_asked.load(Ordering::Relaxed)) {
            task.abort();
        }
        let _ = tokio::time::timeout(FAREWELL, async { while self.tasks.join_next().await.is_some() {} }).await;
    }
}

/// The host, port and path that a request is compared with.
struct Expected {
    /// Lower case, with the brackets of an IPv6 address.
    host: String,
    port: u16,
    path: String,
}

impl Expected {
    /// Returns whether a `Host` names this listener. The default port may be left out (RFC 9110 section 7.2).
    fn is_host(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        !host.contains('@')
            && authority.host().eq_ignore_ascii_case(&self.host)
            && authority.port_u16().unwrap_or(DEFAULT_PORT) == self.port
    }
}

/// The expected address and the `state` by which a visitor's request is judged.
struct Desk {
    expected: Expected,
    state: Secret,
}

async fn serve(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    desk: Arc<Desk>,
    answers: mpsc::Sender<Secret>,
    has_asked: Arc<AtomicBool>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        has_asked.store(true, Ordering::Relaxed);
        let (answer, response) = desk.judge(&request);
        if let Some(answer) = answer {
            // Full: there is one already, and one is all that is taken.
            let _ = answers.try_send(answer);
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ASK_TIME)
        .max_buf_size(LARGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(connection), service);
    // A visitor who says nothing sensible, or goes away, is no trouble of ours.
    let _ = tokio::time::timeout(2 * ASK_TIME, connection).await;
}

impl Desk {
    /// The answer in a request, if it is one to this login, and what the browser is shown.
    fn judge<B>(&self, request: &Request<B>) -> (Option<Secret>, Response<Full<Bytes>>) {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        // A name that leads here is not the address that was given (DNS rebinding).
        if !host.is_some_and(|host| self.expected.is_host(host)) || request.uri().path() != self.expected.path {
            return (None, page(StatusCode::NOT_FOUND, "Nothing is here."));
        }
        if request.method() != Method::GET {
            return (None, page(StatusCode::METHOD_NOT_ALLOWED, "This page is only looked at."));
        }
        let query = request.uri().query().unwrap_or_default();
        if !self.is_ours(query) {
            let text =
                "This is not the login that the program waits for. Go back to it, and take the address that it shows.";
            return (None, page(StatusCode::BAD_REQUEST, text));
        }
        let refused = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "error");
        let text = if refused {
            "The login did not succeed. The program says why; you can close this page."
        } else {
            "The program has the answer. You can close this page and go back to it."
        };
        (Some(Secret::new(query)), page(StatusCode::OK, text))
    }

    fn is_ours(&self, query: &str) -> bool {
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "state" && self.state.is(&value))
    }
}

/// A page of one sentence, which loads nothing, is kept nowhere, and tells its address to nobody.
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

#[cfg(test)]
mod tests;
