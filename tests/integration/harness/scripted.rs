//! Clients of scripted servers: responses in sequence, and the requests received.

use std::sync::atomic::{AtomicUsize, Ordering};

use documine::{Client, ClientBuilder, Credentials, DossierHandle, DossierTemplateId, models::DossierId};

use crate::harness::canned_server::CannedServer;
use crate::harness::test_env::{SimulatedTime, TestEnv};

/// Returns a builder without credentials for the service at `base`, and its simulated time.
pub async fn builder(base: &str) -> (ClientBuilder, SimulatedTime) {
    let time = TestEnv::new().await.time.clone();
    (Client::builder(base).workspace("acme").clock(time.clone()), time)
}

/// Builds a client with an access token for the service at `base`.
pub async fn client(base: &str) -> Client {
    builder(base).await.0.credentials(Credentials::access_token("0wn-t0ken")).build().unwrap()
}

/// Returns the dossier `d` of template `t`.
pub fn dossier(client: &Client) -> DossierHandle {
    let template = client.dossier_template(DossierTemplateId::new("t").unwrap());
    template.dossier(DossierId::new("d").unwrap())
}

/// Starts a server that sends these responses in sequence and repeats the last one. An empty response closes the connection.
pub async fn scripted_server(responses: Vec<Vec<u8>>) -> CannedServer {
    let next = response_sequence(responses);
    CannedServer::respond_with(move |_| next()).await
}

/// Returns these responses in sequence and repeats the last one.
pub fn response_sequence(responses: Vec<Vec<u8>>) -> impl Fn() -> Vec<u8> + Send + Sync + 'static {
    let index = AtomicUsize::new(0);
    move || responses[index.fetch_add(1, Ordering::Relaxed).min(responses.len() - 1)].clone()
}

/// Returns the requests so far as `METHOD target`.
pub fn request_lines(service: &CannedServer) -> Vec<String> {
    let line = |request: &String| request.split(" HTTP/").next().unwrap_or_default().to_owned();
    service.requests().iter().map(line).collect()
}

/// Returns the body of a request.
pub fn request_body(request: &str) -> &str {
    request.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
