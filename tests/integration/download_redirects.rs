//! Packages in an object store: the service redirects to a signed URL, and the store receives no token.

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use documine::{ClientBuilder, Credentials, Package, models::DownloadId, retry::RetryMode};
use futures_util::TryStreamExt;

use crate::harness::canned_server::{CannedServer, response};
use crate::harness::package_server::{incompressible_zip, is_package_request, ready_status};
use crate::harness::scripted::{self, builder};
use crate::harness::test_env::operation_path;
use crate::harness::{file_names, zip_target};

/// Returns a header of a request's text.
fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// Starts an object store that serves the package with range support; response number `n` sends `cuts[n]` bytes.
async fn object_store(package: Vec<u8>, cuts: Vec<usize>) -> CannedServer {
    let responses = AtomicUsize::new(0);
    CannedServer::respond_with(move |head| {
        let sent = cuts.get(responses.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or(usize::MAX);
        let condition = header(head, "if-range").is_none_or(|tag| tag == "\"one\"");
        let from = header(head, "range").filter(|_| condition).map_or(0, |range| {
            range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')).unwrap().parse().unwrap()
        });
        let (length, remaining) = (package.len(), &package[from..]);
        let status = if from == 0 { "200 OK".to_owned() } else { "206 Partial Content".to_owned() };
        let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"one\"\r\n", remaining.len());
        if from > 0 {
            write!(bytes, "Content-Range: bytes {from}-{}/{length}\r\n", length - 1).unwrap();
        }
        bytes.push_str("Connection: close\r\n\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&remaining[..sent.min(remaining.len())]);
        bytes
    })
    .await
}

/// Starts a service that signs a new URL below `target` for each request.
async fn redirecting_server(target: String) -> CannedServer {
    let signed = AtomicUsize::new(0);
    CannedServer::respond_with(move |head| {
        if !is_package_request(head) {
            return ready_status();
        }
        let number = signed.fetch_add(1, Ordering::Relaxed);
        response("302 Found", &[&format!("Location: {target}/p?sig=s1gnature-{number}")], "")
    })
    .await
}

async fn package(service: &CannedServer, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Package {
    let builder = builder(&service.base).await.0.credentials(Credentials::access_token("t0ken"));
    let client = settings(builder).build().unwrap();
    client.download("d-1".parse::<DownloadId>().unwrap()).job().wait().await.unwrap()
}

/// Asserts signature number and range of each request to the store, and that it received no secrets.
fn assert_store_requests(object_store: &CannedServer, expected: &[(usize, Option<&str>)]) {
    let requests = object_store.requests();
    let received: Vec<_> = requests
        .iter()
        .map(|request| {
            let number = request.split_once("sig=s1gnature-").unwrap().1.split(' ').next().unwrap();
            (number.parse().unwrap(), header(request, "range"))
        })
        .collect();
    assert_eq!(received, expected);
    for request in &requests {
        let lower = request.to_lowercase();
        for secret in ["authorization", "x-tenant-id", "t0ken", "acme", "x-department"] {
            assert!(!lower.contains(secret), "{request}");
        }
        assert_eq!(header(request, "accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn redirected_download_omits_token_tenant_and_own_headers() {
    let zip = incompressible_zip(100_000);
    let object_store = object_store(zip.clone(), vec![]).await;
    let service = redirecting_server(object_store.base.clone()).await;
    let package = package(&service, |builder| builder).await;
    let folder = tempfile::tempdir().unwrap();
    let saved = package.save_to(folder.path().join("a.zip")).with_header("X-Department", "law").await.unwrap();
    assert!(std::fs::read(saved.path).unwrap() == zip);
    let read_stream: Vec<_> = package.stream().await.unwrap().try_collect().await.unwrap();
    assert!(read_stream.concat() == zip);
    assert!(package.save_into(Vec::new()).await.unwrap().writer == zip);
    assert_store_requests(&object_store, &[(0, None), (1, None), (2, None)]);
    let service_requests =
        service.requests().into_iter().filter(|request| request.contains(&operation_path("downloadPackage", &["d-1"])));
    for request in service_requests {
        assert_eq!(header(&request, "authorization"), Some("Bearer t0ken"));
    }
}

#[tokio::test]
async fn redirected_download_resumes_at_newly_signed_url() {
    let zip = incompressible_zip(300_000);
    let object_store = object_store(zip.clone(), vec![100_000, 50_000]).await;
    let service = redirecting_server(object_store.base.clone()).await;
    let package = package(&service, |builder| builder).await;
    let folder = tempfile::tempdir().unwrap();
    let saved = package.save_to(folder.path().join("a.zip")).await.unwrap();
    assert!(std::fs::read(saved.path).unwrap() == zip);
    assert_store_requests(&object_store, &[(0, None), (1, Some("bytes=100000-")), (2, Some("bytes=150000-"))]);
    assert!(object_store.requests()[1..].iter().all(|request| header(request, "if-range") == Some("\"one\"")));
}

#[tokio::test]
async fn later_call_resumes_redirected_download() {
    let zip = incompressible_zip(300_000);
    let object_store = object_store(zip.clone(), vec![100_000]).await;
    let service = redirecting_server(object_store.base.clone()).await;
    let package = package(&service, |builder| builder).await;
    let (folder, target) = zip_target();
    let error = package.save_to(&target).resumable(true).with_retry_mode(RetryMode::Never).await.unwrap_err();
    assert!(error.is_transient() && !format!("{error} {error:?}").contains("s1gnature"), "{error:?}");
    let saved = package.save_to(&target).resumable(true).await.unwrap();
    assert_eq!((saved.bytes, saved.resume_offset), (zip.len() as u64, 100_000));
    assert!(std::fs::read(saved.path).unwrap() == zip);
    assert_eq!(file_names(folder.path()), ["a.zip"]);
    assert_store_requests(&object_store, &[(0, None), (1, Some("bytes=100000-"))]);
}

#[tokio::test]
async fn redacts_expired_signature_in_error() {
    let object_store = CannedServer::respond_with(|_| {
        let body = "<Error><Code>AccessDenied</Code><StringToSign>sig=s1gnature-0</StringToSign></Error>";
        response("403 Forbidden", &["Content-Type: application/xml"], body)
    })
    .await;
    let service = redirecting_server(object_store.base.clone()).await;
    let package = package(&service, |builder| builder).await;
    let error = package.stream().await.map(drop).unwrap_err();
    let origin = &object_store.base;
    assert_eq!(
        error.to_string(),
        format!("downloadPackage: 403 Forbidden without a message; the service redirected the download to {origin}")
    );
    let shown = format!("{error:?}");
    assert!(!shown.contains("s1gnature") && shown.contains("AccessDenied"), "{shown}");
}

#[tokio::test]
async fn follows_redirects_to_other_origins_only_for_downloads() {
    let zip = incompressible_zip(1000);
    let object_store = object_store(zip, vec![]).await;
    let service = redirecting_server(object_store.base.clone()).await;
    let package = package(&service, |builder| builder.follow_download_redirects(false)).await;
    let error = package.stream().await.map(drop).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("302 Found") && text.contains(&object_store.base) && !text.contains("s1gnature"), "{text}");
    let location = format!("Location: {}/p?sig=s1gnature-0", object_store.base);
    let lists = CannedServer::respond_with(move |_| response("302 Found", &[&location], "")).await;
    let client = scripted::client(&lists.base).await;
    let error = client.dossier_templates().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(302));
    assert!(!format!("{error} {error:?}").contains("s1gnature"), "{error:?}");
    assert_eq!(object_store.requests(), Vec::<String>::new());
}
