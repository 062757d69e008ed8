//! Packages that the service keeps in an object store: it answers with a redirect to a signed address, and the store gets no token.

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use documine::{ClientBuilder, Credentials, DownloadId, Package, Retry};
use futures_util::TryStreamExt;

use crate::canned::{Canned, answer, json};
use crate::downloads_resumed::{names, noise};
use crate::scripted::builder;
use crate::world::path;

/// The header of a request, from its text.
fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The package as an object store serves it, from where the request asks for it; of answer number `n` come `cuts[n]` bytes.
async fn store(package: Vec<u8>, cuts: Vec<usize>) -> Canned {
    let answers = AtomicUsize::new(0);
    Canned::answering(move |head| {
        let sent = cuts.get(answers.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or(usize::MAX);
        let condition = header(head, "if-range").is_none_or(|tag| tag == "\"one\"");
        let from = header(head, "range").filter(|_| condition).map_or(0, |range| {
            range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')).unwrap().parse().unwrap()
        });
        let (length, left) = (package.len(), &package[from..]);
        let status = if from == 0 { "200 OK".to_owned() } else { "206 Partial Content".to_owned() };
        let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"one\"\r\n", left.len());
        if from > 0 {
            write!(bytes, "Content-Range: bytes {from}-{}/{length}\r\n", length - 1).unwrap();
        }
        bytes.push_str("Connection: close\r\n\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&left[..sent.min(left.len())]);
        bytes
    })
    .await
}

/// A service that signs a new address below `target` for each request.
async fn service(target: String) -> Canned {
    let signed = AtomicUsize::new(0);
    Canned::answering(move |head| {
        if !head.starts_with(&format!("GET {} ", path("downloadPackage", &["d-1"]))) {
            return json(&documine_sim::wire::answer("getDownload", r#"{"downloadId":"d-1","status":"READY"}"#));
        }
        let number = signed.fetch_add(1, Ordering::Relaxed);
        answer("302 Found", &[&format!("Location: {target}/p?sig=s1gnature-{number}")], "")
    })
    .await
}

async fn package(service: &Canned, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Package {
    let builder = builder(&service.base).await.0.credentials(Credentials::access_token("t0ken"));
    let client = settings(builder).build().unwrap();
    client.download("d-1".parse::<DownloadId>().unwrap()).operation().wait().await.unwrap()
}

/// Holds the requests of the store against what it may get.
fn check(store: &Canned, wanted: &[(usize, Option<&str>)]) {
    let requests = store.requests();
    let got: Vec<_> = requests
        .iter()
        .map(|request| {
            let number = request.split_once("sig=s1gnature-").unwrap().1.split(' ').next().unwrap();
            (number.parse().unwrap(), header(request, "range"))
        })
        .collect();
    assert_eq!(got, wanted);
    for request in &requests {
        let lower = request.to_lowercase();
        for secret in ["authorization", "x-tenant-id", "t0ken", "acme", "x-department"] {
            assert!(!lower.contains(secret), "{request}");
        }
        assert_eq!(header(request, "accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn a_package_comes_from_another_origin_without_token_tenant_and_own_headers() {
    let zip = noise(100_000);
    let store = store(zip.clone(), vec![]).await;
    let service = service(store.base.clone()).await;
    let package = package(&service, |builder| builder).await;
    let folder = tempfile::tempdir().unwrap();
    let saved = package.save_to(folder.path().join("a.zip")).with_header("X-Department", "law").await.unwrap();
    assert!(std::fs::read(saved.path).unwrap() == zip);
    let streamed: Vec<_> = package.stream().await.unwrap().try_collect().await.unwrap();
    assert!(streamed.concat() == zip);
    assert!(package.save_into(Vec::new()).await.unwrap().writer == zip);
    check(&store, &[(0, None), (1, None), (2, None)]);
    let asked = service.requests().into_iter().filter(|request| request.contains(&path("downloadPackage", &["d-1"])));
    for request in asked {
        assert_eq!(header(&request, "authorization"), Some("Bearer t0ken"));
    }
}

#[tokio::test]
async fn a_redirected_package_that_breaks_off_goes_on_at_a_newly_signed_address() {
    let zip = noise(300_000);
    let store = store(zip.clone(), vec![100_000, 50_000]).await;
    let service = service(store.base.clone()).await;
    let package = package(&service, |builder| builder).await;
    let folder = tempfile::tempdir().unwrap();
    let saved = package.save_to(folder.path().join("a.zip")).await.unwrap();
    assert!(std::fs::read(saved.path).unwrap() == zip);
    check(&store, &[(0, None), (1, Some("bytes=100000-")), (2, Some("bytes=150000-"))]);
    assert!(store.requests()[1..].iter().all(|request| header(request, "if-range") == Some("\"one\"")));
}

#[tokio::test]
async fn a_later_call_goes_on_with_a_redirected_package() {
    let zip = noise(300_000);
    let store = store(zip.clone(), vec![100_000]).await;
    let service = service(store.base.clone()).await;
    let package = package(&service, |builder| builder).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let error = package.save_to(&target).resumable().with_retry(Retry::Never).await.unwrap_err();
    assert!(error.is_transient() && !format!("{error} {error:?}").contains("s1gnature"), "{error:?}");
    let saved = package.save_to(&target).resumable().await.unwrap();
    assert_eq!((saved.bytes, saved.resumed_at), (zip.len() as u64, 100_000));
    assert!(std::fs::read(saved.path).unwrap() == zip);
    assert_eq!(names(folder.path()), ["a.zip"]);
    check(&store, &[(0, None), (1, Some("bytes=100000-"))]);
}

#[tokio::test]
async fn an_expired_signature_is_an_error_without_the_signature() {
    let store = Canned::answering(|_| {
        let body = "<Error><Code>AccessDenied</Code><StringToSign>sig=s1gnature-0</StringToSign></Error>";
        answer("403 Forbidden", &["Content-Type: application/xml"], body)
    })
    .await;
    let service = service(store.base.clone()).await;
    let package = package(&service, |builder| builder).await;
    let error = package.stream().await.map(drop).unwrap_err();
    let origin = &store.base;
    assert_eq!(
        error.to_string(),
        format!("downloadPackage: 403 Forbidden without a message; the service redirected the download to {origin}")
    );
    let shown = format!("{error:?}");
    assert!(!shown.contains("s1gnature") && shown.contains("AccessDenied"), "{shown}");
}

#[tokio::test]
async fn other_calls_stay_on_the_services_own_origin_and_downloads_where_they_are_told_to() {
    let zip = noise(1000);
    let store = store(zip, vec![]).await;
    let service = service(store.base.clone()).await;
    let package = package(&service, |builder| builder.follow_download_redirects(false)).await;
    let error = package.stream().await.map(drop).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("302 Found") && text.contains(&store.base) && !text.contains("s1gnature"), "{text}");
    let location = format!("Location: {}/p?sig=s1gnature-0", store.base);
    let lists = Canned::answering(move |_| answer("302 Found", &[&location], "")).await;
    let client = crate::scripted::client(&lists.base).await;
    let error = client.dossier_templates().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(302));
    assert!(!format!("{error} {error:?}").contains("s1gnature"), "{error:?}");
    assert_eq!(store.requests(), Vec::<String>::new());
}
