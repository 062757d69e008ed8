//! Clients of servers that follow a script: what they are told in turn, and what they asked.

use std::sync::atomic::{AtomicUsize, Ordering};

use documine::{Client, ClientBuilder, Credentials};

use crate::harness::canned_server::CannedServer;
use crate::harness::test_env::{SimulatedTime, TestEnv};

/// A client for the service at `base`, still without credentials, and the time in which it waits.
pub async fn builder(base: &str) -> (ClientBuilder, SimulatedTime) {
    let time = TestEnv::new().await.time.clone();
    (Client::builder(base).workspace("acme").clock(time.clone()), time)
}

/// A client for the service at `base`, with a token of its own.
pub async fn client(base: &str) -> Client {
    builder(base).await.0.credentials(Credentials::access_token("0wn-t0ken")).build().unwrap()
}

/// A server that gives these answers one after another, the last one for ever. An answer of no bytes is a connection that closes.
pub async fn scripted_server(responses: Vec<Vec<u8>>) -> CannedServer {
    let next = response_sequence(responses);
    CannedServer::respond_with(move |_| next()).await
}

/// These answers one after another, the last one for ever.
pub fn response_sequence(responses: Vec<Vec<u8>>) -> impl Fn() -> Vec<u8> + Send + Sync + 'static {
    let index = AtomicUsize::new(0);
    move || responses[index.fetch_add(1, Ordering::Relaxed).min(responses.len() - 1)].clone()
}

/// The requests so far, each as `METHOD target`.
pub fn request_lines(service: &CannedServer) -> Vec<String> {
    let line = |request: &String| request.split(" HTTP/").next().unwrap_or_default().to_owned();
    service.requests().iter().map(line).collect()
}

/// The body of a request.
pub fn request_body(request: &str) -> &str {
    request.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
