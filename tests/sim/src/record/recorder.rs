//! The recorder: forwards requests to a service and appends each exchange to a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, HeaderName, LINK, LOCATION, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;
use url::Url;

use super::format::{BASE_URL, Header, RecordError, RecordedBodies, RecordedBody, RecordedExchange, VERSION};
use super::local_server::LocalServer;
use super::redact::Redactor;
use crate::idp;
use crate::service::{RouteMatch, Routes};

/// The largest body that is forwarded: the largest upload of the service and its form.
const MAX_BODY_BYTES: usize = 1100 * 1024 * 1024;
/// Headers of one connection (RFC 9110, 7.6.1), and those that follow from the body or the connection to the service.
const NOT_FORWARDED: [HeaderName; 10] = [
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// A proxy that records the exchanges with a service in a file. Dropping it stops the proxy; the file is complete after every response.
///
/// Tokens, passwords, client secrets, codes and cookies are removed before anything is written. The file has the mode 0600.
///
/// ```
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use documine_sim::{Recorder, Replay, Simulator};
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("recording.jsonl");
///
/// let sim = Simulator::start().await?;
/// let recorder = Recorder::start(sim.base_url(), &file).await?;
/// // … the code under test, with the base URL recorder.base_url() …
/// # let url = format!("{}/auth/realms/acme/.well-known/openid-configuration", recorder.base_url());
/// # reqwest::get(url).await?;
/// drop((recorder, sim));
///
/// let replay = Replay::start(&file).await?;
/// // … the same code, with the base URL replay.base_url() …
/// # let url = format!("{}/auth/realms/acme/.well-known/openid-configuration", replay.base_url());
/// # let document = reqwest::get(url).await?.text().await?;
/// # assert!(document.contains(replay.base_url()));
/// replay.verify()?;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
pub struct Recorder {
    server: LocalServer,
}

/// Settings of a [`Recorder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until start() is called"]
pub struct RecorderBuilder {
    upstream: String,
    file: PathBuf,
    bodies: RecordedBodies,
    listen: String,
}

impl Recorder {
    /// Starts a recorder of the service at `upstream` with the default settings. An existing file is replaced.
    pub async fn start(upstream: impl Into<String>, file: impl AsRef<Path>) -> Result<Self, RecordError> {
        Self::builder(upstream, file).start().await
    }

    /// Returns a builder with the default settings.
    pub fn builder(upstream: impl Into<String>, file: impl AsRef<Path>) -> RecorderBuilder {
        RecorderBuilder {
            upstream: upstream.into(),
            file: file.as_ref().to_owned(),
            bodies: RecordedBodies::default(),
            listen: "127.0.0.1:0".to_owned(),
        }
    }

    /// Returns the base URL for clients, without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.server.base_url()
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

impl RecorderBuilder {
    /// Sets which bodies are recorded. Default: JSON and forms. Replaying uploads and packages needs all bodies.
    pub fn bodies(mut self, bodies: RecordedBodies) -> Self {
        self.bodies = bodies;
        self
    }

    /// Sets the address to listen on. Default: `127.0.0.1:0`, a free port.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Starts the recorder on the current tokio runtime.
    ///
    /// # Errors
    /// `upstream` is not an http or https URL; the file or the address cannot be used.
    pub async fn start(self) -> Result<Recorder, RecordError> {
        let upstream = upstream(&self.upstream)?;
        let failed = |error: &dyn std::fmt::Display| {
            RecordError(format!("recording {}: cannot be written: {error}", self.file.display()))
        };
        let mut file = create(&self.file).map_err(|error| failed(&error))?;
        write_line(&mut file, &Header { documine_recording: VERSION, bodies: self.bodies }, |line| line)
            .map_err(|error| failed(&error))?;
        // Bodies are recorded uncompressed, and redirects are for the client to follow.
        let mut http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_gzip().no_brotli().no_zstd();
        if is_loopback(&upstream) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| RecordError(format!("recorder: no HTTP client: {error}")))?;
        let upstream = upstream.as_str().trim_end_matches('/').to_owned();
        let redactor = Redactor::new(self.bodies);
        let server = LocalServer::start(&self.listen, |base_url| {
            Router::new().fallback(forward).with_state(Arc::new(RecorderState {
                upstream,
                base_url: base_url.to_owned(),
                http,
                redactor,
                routes: Routes::of_document(),
                file: Mutex::new(file),
            }))
        });
        Ok(Recorder { server: server.await? })
    }
}

struct RecorderState {
    /// The base URL of the service, without a trailing slash.
    upstream: String,
    base_url: String,
    http: reqwest::Client,
    redactor: Redactor,
    routes: Routes,
    file: Mutex<File>,
}

async fn forward(State(recorder): State<Arc<RecorderState>>, request: Request) -> Response {
    recorder.exchange(request).await.unwrap_or_else(|(status, message)| {
        let mut response = Response::new(Body::from(json!({"message": format!("recorder: {message}")}).to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    })
}

impl RecorderState {
    async fn exchange(&self, request: Request) -> Result<Response, (StatusCode, String)> {
        let bad_gateway = |message: String| (StatusCode::BAD_GATEWAY, message);
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| {
            (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the request body cannot be read, or has more than 1100 MiB: {error}"),
            )
        })?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let no_response = |error: reqwest::Error| {
            bad_gateway(format!("no response from the service: {}", chain(&error.without_url())))
        };
        let sent = self
            .http
            .request(parts.method.clone(), format!("{}{target}", self.upstream))
            .headers(forwarded(&parts.headers))
            .header(ACCEPT_ENCODING, "identity")
            .body(body.clone());
        let response = sent.send().await.map_err(no_response)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let received = response.bytes().await.map_err(no_response)?;

        let api = match self.routes.find(parts.method.as_str(), parts.uri.path()) {
            RouteMatch::Operation { id, .. } => Some(id),
            RouteMatch::MethodNotAllowed(_) | RouteMatch::NotFound => None,
        };
        let operation = api.or_else(|| idp::operation(parts.uri.path()));
        let redactor = &self.redactor;
        let mut exchange = RecordedExchange {
            operation: operation.map(str::to_owned),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(|query| redactor.parameters(query)),
            request_headers: redactor.request_headers(&parts.headers),
            request_body: redactor.body(&parts.headers, &body, api.is_some()),
            status: status.as_u16(),
            response_headers: redactor.response_headers(&headers),
            response_body: redactor.body(&headers, &received, api.is_some()),
        };
        for (_, value) in &mut exchange.response_headers {
            *value = value.replace(&self.upstream, BASE_URL);
        }
        if let RecordedBody::Json(_) | RecordedBody::Text(_) = exchange.response_body {
            exchange.response_body = replaced(exchange.response_body, &self.upstream, BASE_URL);
        }
        let written = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            write_line(&mut file, &exchange, |line| redactor.scrub(line))
        };
        written.map_err(|error| bad_gateway(format!("the recording cannot be written: {error}")))?;
        Ok(self.response(status, &headers, received))
    }

    /// Returns the response for the client, in which the recorder stands in for the service.
    fn response(&self, status: StatusCode, headers: &HeaderMap, received: Bytes) -> Response {
        let mut forwarded = forwarded(headers);
        for name in [LOCATION, LINK] {
            let value = forwarded.get(&name).and_then(|value| value.to_str().ok());
            let value = value.map(|value| value.replace(&self.upstream, &self.base_url));
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                forwarded.insert(name, value);
            }
        }
        let body = match std::str::from_utf8(&received) {
            Ok(text) if text.contains(&self.upstream) => Body::from(text.replace(&self.upstream, &self.base_url)),
            _ => Body::from(received),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = forwarded;
        response
    }
}

/// Replaces a text in a body.
pub(super) fn replaced(body: RecordedBody, from: &str, to: &str) -> RecordedBody {
    match body {
        RecordedBody::Json(tree) => {
            // URLs have no characters that JSON escapes.
            let text = tree.to_string().replace(from, to);
            serde_json::from_str(&text).map_or(RecordedBody::Json(tree), RecordedBody::Json)
        }
        RecordedBody::Text(text) => RecordedBody::Text(text.replace(from, to)),
        other => other,
    }
}

fn upstream(text: &str) -> Result<Url, RecordError> {
    let url = Url::parse(text)
        .map_err(|error| RecordError(format!("recorder: the upstream is not a URL: {error}; write https://host")))?;
    let problem = match url.scheme() {
        _ if url.host().is_none() || !url.username().is_empty() || url.password().is_some() => {
            "the upstream must have a host and no user; write https://host"
        }
        _ if url.query().is_some() || url.fragment().is_some() => {
            "the upstream must not have a query; write https://host"
        }
        "http" | "https" => return Ok(url),
        _ => "the upstream must begin with http:// or https://",
    };
    Err(RecordError(format!("recorder: {problem}")))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = headers.clone();
    for name in &NOT_FORWARDED {
        forwarded.remove(name);
    }
    forwarded.remove("keep-alive");
    forwarded
}

/// Returns an error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Creates or replaces a file that only its owner can read.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // The mode of an existing file stays otherwise.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

/// Appends a line with one write, so that a killed recorder leaves at most one incomplete line.
fn write_line(file: &mut File, value: &impl Serialize, edit: impl FnOnce(String) -> String) -> io::Result<()> {
    let mut line = edit(serde_json::to_string(value)?);
    line.push('\n');
    file.write_all(line.as_bytes())?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_upstreams_are_rejected() {
        let error = |text| upstream(text).expect_err("refused").to_string();
        assert!(error("documine.example").contains("not a URL"));
        assert!(error("ftp://documine.example").contains("http:// or https://"));
        assert!(error("http://user:pw@documine.example").contains("no user"));
        assert!(upstream("http://127.0.0.1:4000/").is_ok());
        assert!(upstream("https://documine.example").is_ok());
    }
}
