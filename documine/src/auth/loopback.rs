//! A program on a person's own machine hears of the answer by itself (RFC 8252 section 7.3): it listens on the loopback address, and the
//! browser is sent there.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::flow::code::Authorization;
use super::token::{Secret, TokenSet};
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};
use crate::transport::timeout::within;

/// Who connects has to ask in this time.
const ASK_TIME: Duration = Duration::from_secs(10);
/// How much of a request is read: an address with a code in it is far below this.
const LARGEST_HEAD: usize = 32 * 1024;
/// How many may be connected at a time; more have to wait.
const MOST_VISITORS: usize = 32;
/// How long the closing page may take to reach the browser.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where a login by browser listens, and how long. Usual: any free port, `/callback`, five minutes.
///
/// ```
/// let fixed = documine::Loopback::default().port(8400).path("/login/done");
/// ```
#[derive(Debug, Clone)]
#[must_use = "it does nothing by itself"]
pub struct Loopback {
    port: u16,
    path: String,
    limit: Duration,
}

impl Default for Loopback {
    fn default() -> Self {
        Self { port: 0, path: "/callback".into(), limit: Duration::from_secs(300) }
    }
}

impl Loopback {
    /// A port, where the identity provider knows the redirect URI with one. 0: any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The path of the redirect URI, as it is registered.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// How long the person may take.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Listens from now on.
    pub(super) async fn open(self) -> Result<Listening> {
        if !self.path.starts_with('/') || self.path.contains(['?', '#']) || self.path.contains(char::is_whitespace) {
            let text = format!(
                "{:?} is no path for a redirect URI; begin with `/`, and leave out `?`, `#` and blanks",
                self.path
            );
            return Err(Error::config(text));
        }
        let trouble = |error: std::io::Error| {
            Error::config(format!(
                "port {} of 127.0.0.1 can't be listened on: {error}; take another one, or 0 for any",
                self.port
            ))
        };
        // Not `localhost`: that name may mean another machine, or another address of this one (RFC 8252 section 8.3).
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.map_err(trouble)?;
        let host = listener.local_addr().map_err(trouble)?.to_string();
        Ok(Listening { listener, host, path: self.path, limit: self.limit })
    }
}

/// A listener on its port.
pub(super) struct Listening {
    listener: TcpListener,
    /// Address and port, as a browser names them.
    host: String,
    path: String,
    limit: Duration,
}

impl Listening {
    pub(super) fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }

    /// The tokens that the first answer to this login brings. Whatever else connects in the meantime is turned away.
    pub(super) async fn tokens(self, login: Authorization) -> Result<TokenSet> {
        let state = login.state().clone();
        let (limit, phase) = (self.limit, TimeoutPhase::Login);
        let answer = within(Box::pin(self.answer(state)), limit, phase).await.map_err(|_| {
            let text = format!("nobody logged in within {limit:?}; begin again");
            Error::new(ErrorKind::Timeout, text).with_phase(phase).with_operation("login by browser")
        })?;
        login.redirected(answer.expose()).await
    }

    async fn answer(self, state: Secret) -> Secret {
        let desk = Arc::new(Desk { host: self.host, path: self.path, state });
        let (sender, mut answers) = mpsc::channel(1);
        let mut visitors = JoinSet::new();
        let answer = loop {
            tokio::select! {
                Some(answer) = answers.recv() => break answer,
                // An error is the visitor's: gone again before it was taken in.
                accepted = self.listener.accept(), if visitors.len() < MOST_VISITORS => if let Ok((stream, _)) = accepted {
                    visitors.spawn(serve(stream, Arc::clone(&desk), sender.clone()));
                },
                Some(_) = visitors.join_next() => {}
            }
        };
        drop(self.listener);
        // The browser is still being told; whoever else is connected may keep us only a moment.
        let _ = tokio::time::timeout(FAREWELL, async { while visitors.join_next().await.is_some() {} }).await;
        answer
    }
}

/// What a visitor is judged by.
struct Desk {
    host: String,
    path: String,
    state: Secret,
}

async fn serve(stream: TcpStream, desk: Arc<Desk>, answers: mpsc::Sender<Secret>) {
    let service = service_fn(|request: Request<Incoming>| {
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
        .serve_connection(TokioIo::new(stream), service);
    // A visitor who says nothing sensible, or goes away, is no trouble of ours.
    let _ = tokio::time::timeout(2 * ASK_TIME, connection).await;
}

impl Desk {
    /// The answer in a request, if it is one to this login, and what the browser is shown.
    fn judge<B>(&self, request: &Request<B>) -> (Option<Secret>, Response<Full<Bytes>>) {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        // A name that leads here is not the address that was given (DNS rebinding).
        if host != Some(self.host.as_str()) || request.uri().path() != self.path {
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
