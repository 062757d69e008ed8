//! A scripted server with one package, with support for ranges, truncated responses and stalls.

use std::path::Path;
use std::sync::{Arc, Mutex};

use documine::transfer::Saved;
use documine::{ClientBuilder, Credentials, Package, models::DownloadId, retry::RetryMode};
use futures_util::TryStreamExt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::harness::canned_server::{CannedServer, json_response};
use crate::harness::file_names;
use crate::harness::pdf_fixtures::zip;
use crate::harness::scripted::builder;
use crate::harness::test_env::operation_path;

/// Returns an incompressible package of about `size` bytes.
pub fn incompressible_zip(size: usize) -> Vec<u8> {
    let mut state = 0x9110_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let bytes: Vec<u8> = std::iter::repeat_with(&mut next).take(size).collect();
    zip(&[("noise", bytes.as_slice()), ("small.txt", b"something small")])
}

/// The relevant parts of a package request.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeRequest {
    /// Index of the request, from 0.
    pub number: usize,
    /// Start of the requested range.
    pub from: Option<usize>,
    /// Value of `If-Range`.
    pub condition: Option<String>,
}

/// Builds a response whose connection closes after `body`, regardless of the announced length.
pub fn raw_response(head: &[String], body: &[u8]) -> Vec<u8> {
    let mut bytes = head.join("\r\n").into_bytes();
    bytes.extend_from_slice(b"\r\nConnection: close\r\n\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Builds a 200 response with these headers that sends only the first `sent` bytes of the package.
pub fn full_response(package: &[u8], headers: &[&str], sent: usize) -> Vec<u8> {
    let mut head = vec!["HTTP/1.1 200 OK".to_owned(), format!("Content-Length: {}", package.len())];
    head.extend(headers.iter().map(|line| (*line).to_owned()));
    raw_response(&head, &package[..sent.min(package.len())])
}

/// Builds a 206 response from byte `from` with these headers that sends only `sent` bytes.
pub fn partial_response(package: &[u8], from: usize, headers: &[&str], sent: usize) -> Vec<u8> {
    let (length, remaining) = (package.len(), package.len() - from);
    let range = format!("Content-Range: bytes {from}-{}/{length}", length - 1);
    let mut head = vec!["HTTP/1.1 206 Partial Content".to_owned(), format!("Content-Length: {remaining}"), range];
    head.extend(headers.iter().map(|line| (*line).to_owned()));
    raw_response(&head, &package[from..][..sent.min(remaining)])
}

/// The tag of the package.
pub const ETAG: &str = "ETag: \"one\"";

/// Returns true if a request head is for the content of package `d-1`.
pub fn is_package_request(head: &str) -> bool {
    head.starts_with(&format!("GET {} ", operation_path("downloadPackage", &["d-1"])))
}

/// Returns the status response of package `d-1`, which is ready.
pub fn ready_status() -> Vec<u8> {
    json_response(&documine_sim::wire::answer("getDownload", r#"{"downloadId":"d-1","status":"READY"}"#))
}

/// A server with one package.
pub struct PackageServer {
    /// The underlying server.
    pub service: CannedServer,
    recorded_requests: Arc<Mutex<Vec<RangeRequest>>>,
}

impl PackageServer {
    /// Starts a server that responds to each package request with the result of `respond`.
    pub async fn start(respond: impl Fn(&RangeRequest) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let recorded_requests = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&recorded_requests);
        let service = CannedServer::respond_with(move |head| {
            if !is_package_request(head) {
                return ready_status();
            }
            let value = |name: &str| {
                head.lines().find_map(|line| {
                    let (found, value) = line.split_once(": ")?;
                    found.eq_ignore_ascii_case(name).then(|| value.to_owned())
                })
            };
            let from = value("range").map(|range| {
                range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')).unwrap().parse().unwrap()
            });
            let mut recorded = recorded.lock().unwrap();
            let request = RangeRequest { number: recorded.len(), from, condition: value("if-range") };
            recorded.push(request.clone());
            respond(&request)
        })
        .await;
        Self { service, recorded_requests }
    }

    /// Starts a server that supports ranges and truncates the first responses after these byte counts; later responses are complete.
    pub async fn interrupted_after(package: &[u8], cut_points: Vec<usize>) -> Self {
        let package = package.to_vec();
        Self::start(move |request| {
            let sent = cut_points.get(request.number).copied().unwrap_or(usize::MAX);
            match request.from {
                Some(from) if request.condition.as_deref() == Some("\"one\"") => {
                    partial_response(&package, from, &[ETAG], sent)
                }
                _ => full_response(&package, &[ETAG], sent),
            }
        })
        .await
    }

    /// Starts a server that sends `head` and then stalls with the connection open.
    pub async fn stalling(head: Vec<u8>) -> Self {
        let service =
            CannedServer::respond_and_hold(
                move |request| {
                    if is_package_request(request) { head.clone() } else { ready_status() }
                },
            )
            .await;
        Self { service, recorded_requests: Arc::default() }
    }

    /// Returns the package through a new client.
    pub async fn package(&self) -> Package {
        self.package_with(|builder| builder).await
    }

    /// Returns the package through a new client with these settings.
    pub async fn package_with(&self, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Package {
        let (builder, _) = builder(&self.service.base).await;
        let client = settings(builder.credentials(Credentials::access_token("t"))).build().unwrap();
        client.download("d-1".parse::<DownloadId>().unwrap()).job().wait().await.unwrap()
    }

    /// Returns the package requests so far.
    pub fn range_requests(&self) -> Vec<RangeRequest> {
        self.recorded_requests.lock().unwrap().clone()
    }

    /// Returns the start of each range request; `None` for a request without a range.
    pub fn range_starts(&self) -> Vec<Option<usize>> {
        self.recorded_requests.lock().unwrap().iter().map(|request| request.from).collect()
    }
}

/// Downloads the package as a stream.
pub async fn read_stream(package: &Package) -> documine::Result<Vec<u8>> {
    let chunks: Vec<_> = package.stream().await?.try_collect().await?;
    Ok(chunks.concat())
}

/// Runs a resumable call for `a.zip` that fails after 100,000 bytes.
pub async fn interrupt_download(zip: &[u8], folder: &Path) {
    let server = PackageServer::interrupted_after(zip, vec![100_000]).await;
    let call = server.package().await.save_to(folder.join("a.zip")).resumable(true).with_retry_mode(RetryMode::Never);
    call.await.unwrap_err();
    assert_eq!(file_names(folder), ["a.zip.part", "a.zip.part.json"]);
}

/// Starts a resumable download in a task and returns after `bytes` bytes have arrived.
pub async fn start_resumable(package: Package, target: &Path, bytes: u64) -> JoinHandle<documine::Result<Saved>> {
    let started = Arc::new(Notify::new());
    let notifier = Arc::clone(&started);
    let call = package.save_to(target).resumable(true).with_progress(move |moved, _| {
        if moved == bytes {
            notifier.notify_one();
        }
    });
    let task = tokio::spawn(call.send());
    started.notified().await;
    task
}
