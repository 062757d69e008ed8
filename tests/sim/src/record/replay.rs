//! The replay: serves a recording.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use super::format::{BASE_URL, RecordError, RecordedExchange, Recording};
use super::local_server::LocalServer;
use super::recorder::replaced;
use super::redact::comparable_query;
use crate::net;

/// The number of recorded requests that an unmatched request is compared with in its response.
const NEAREST: usize = 3;

/// A server of a recording. Dropping it stops the server.
///
/// A request gets the recorded responses to the same method, path and query in their order, and then the last one again. The order of parameters and
/// the values of secret ones do not matter; headers and bodies of requests are not compared. An unmatched request is answered with 501 and one line
/// that names the nearest recorded requests.
///
/// A client of a replay waits as long as it waited for the service, unless its clock is [`SimClock::auto`](crate::SimClock::auto).
pub struct Replay {
    server: LocalServer,
    state: Arc<ReplayState>,
}

struct ReplayState {
    /// The exchanges of each request.
    exchanges: BTreeMap<String, Vec<RecordedExchange>>,
    /// The number of requests answered so far, by request.
    answered: Mutex<BTreeMap<String, usize>>,
    unmatched: Mutex<Vec<String>>,
}

impl Replay {
    /// Serves the recording in a file on a free port of 127.0.0.1.
    pub async fn start(file: impl AsRef<Path>) -> Result<Self, RecordError> {
        Self::start_at(file, "127.0.0.1:0").await
    }

    /// Serves the recording in a file on an address.
    pub async fn start_at(file: impl AsRef<Path>, listen: &str) -> Result<Self, RecordError> {
        let recording = Recording::load(file)?;
        let mut exchanges: BTreeMap<String, Vec<RecordedExchange>> = BTreeMap::new();
        for exchange in recording.exchanges() {
            let key = key(&exchange.method, &exchange.path, exchange.query.as_deref());
            exchanges.entry(key).or_default().push(exchange.clone());
        }
        let state = Arc::new(ReplayState { exchanges, answered: Mutex::default(), unmatched: Mutex::default() });
        let router_state = Arc::clone(&state);
        let server = LocalServer::start(listen, |base_url| {
            let base_url: Arc<str> = base_url.into();
            Router::new().fallback(answer).with_state((router_state, base_url))
        });
        Ok(Self { server: server.await?, state })
    }

    /// Returns the base URL for clients, without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.server.base_url()
    }

    /// Returns the requests that had no recorded response, each as the line of its 501.
    pub fn unmatched(&self) -> Vec<String> {
        self.state.unmatched.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns an error that names the first request without a recorded response.
    pub fn verify(&self) -> Result<(), RecordError> {
        self.unmatched().into_iter().next().map_or(Ok(()), |line| Err(RecordError(line)))
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

async fn answer(State((replay, base_url)): State<(Arc<ReplayState>, Arc<str>)>, request: Request) -> Response {
    let key = key(request.method().as_str(), request.uri().path(), request.uri().query());
    net::drain(request.into_body()).await;
    let result = replay.next(&key).and_then(|exchange| {
        response(exchange, &base_url).ok_or_else(|| {
            format!("replay: the body of the response to {key} was not recorded; record with `--bodies all`")
        })
    });
    result.unwrap_or_else(|line| {
        replay.unmatched.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
        let mut response = Response::new(Body::from(json!({ "message": line }).to_string()));
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    })
}

impl ReplayState {
    fn next(&self, key: &str) -> Result<&RecordedExchange, String> {
        let Some(recorded) = self.exchanges.get(key) else { return Err(self.unmatched_line(key)) };
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let count = answered.entry(key.to_owned()).or_default();
        let exchange = recorded.get((*count).min(recorded.len() - 1)).ok_or_else(|| self.unmatched_line(key));
        *count += 1;
        exchange
    }

    fn unmatched_line(&self, key: &str) -> String {
        let mut nearest: Vec<&String> = self.exchanges.keys().collect();
        nearest.sort_by_key(|known| strsim::damerau_levenshtein(key, known));
        let nearest = nearest.into_iter().take(NEAREST).map(String::as_str).collect::<Vec<_>>().join(", ");
        let nearest = if nearest.is_empty() { "none" } else { &nearest };
        format!("replay: no recorded response to {key}; nearest recorded requests: {nearest}")
    }
}

/// Returns the recorded response. `None` if its body was left out.
fn response(exchange: &RecordedExchange, base_url: &str) -> Option<Response> {
    let bytes = replaced(exchange.response_body.clone(), BASE_URL, base_url).bytes()?;
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(exchange.status).ok()?;
    for (name, value) in &exchange.response_headers {
        let value = value.replace(BASE_URL, base_url);
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    Some(response)
}

/// Returns the text by which requests are compared.
fn key(method: &str, path: &str, query: Option<&str>) -> String {
    match query.filter(|query| !query.is_empty()) {
        Some(query) => format!("{method} {path}?{}", comparable_query(query)),
        None => format!("{method} {path}"),
    }
}
