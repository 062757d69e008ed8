//! Packages above the size limit: rejected by the announced length before reading, otherwise as soon as the limit is exceeded.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use documine::{Error, ErrorKind};

use crate::harness::package_server::{
    ETAG, PackageServer, full_response, incompressible_zip, partial_response, raw_response,
};
use crate::harness::{file_names, zip_target};

const LIMIT: u64 = 50_000;

fn assert_too_large(error: &Error, limit: u64) {
    let line = format!("downloadPackage: package exceeds the limit of {limit} bytes; raise the limit with `max_bytes`");
    assert_eq!((error.kind(), error.attempts(), error.to_string()), (ErrorKind::Integrity, 1, line));
    assert!(!error.is_transient(), "a retry would be as large");
}

/// Counts the bytes written to it.
#[derive(Clone, Debug, Default)]
struct ByteCounter(Arc<AtomicU64>);

impl io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn rejects_announced_length_above_limit_before_reading() {
    let zip = incompressible_zip(100_000);
    let server = PackageServer::interrupted_after(&zip, vec![]).await;
    let package = server.package().await;
    let (folder, target) = zip_target();
    let counter = ByteCounter::default();
    assert_too_large(&package.save_to(&target).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert_too_large(&package.save_in(folder.path()).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert_too_large(&package.save_to(&target).max_bytes(LIMIT).resumable(true).await.unwrap_err(), LIMIT);
    assert_too_large(&package.save_into(counter.clone()).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert_too_large(&package.open().max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert_eq!((counter.0.load(Ordering::Relaxed), server.range_starts()), (0, vec![None; 5]));
    assert_eq!(file_names(folder.path()), [""; 0]);

    // A package of exactly the limit is accepted.
    let exact = zip.len() as u64;
    assert_eq!(package.save_to(&target).max_bytes(exact).await.unwrap().bytes, exact);
    assert_eq!(package.save_into(counter).max_bytes(exact).await.unwrap().bytes, exact);
    assert_eq!(package.open().max_bytes(exact).await.unwrap().entries().len(), 2);
    assert_too_large(&package.save_to(&target).max_bytes(exact - 1).await.unwrap_err(), exact - 1);
}

#[tokio::test]
async fn counts_bytes_when_length_is_not_announced() {
    let zip = incompressible_zip(1_000_000);
    let package = zip.clone();
    let server = PackageServer::start(move |_| raw_response(&["HTTP/1.1 200 OK".into(), ETAG.into()], &package)).await;
    let package = server.package().await;
    let (folder, target) = zip_target();
    let counter = ByteCounter::default();
    assert_too_large(&package.save_to(&target).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert_too_large(&package.save_to(&target).max_bytes(LIMIT).resumable(true).await.unwrap_err(), LIMIT);
    assert_too_large(&package.save_into(counter.clone()).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert_too_large(&package.open().max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert!(counter.0.load(Ordering::Relaxed) <= LIMIT);
    assert_eq!(file_names(folder.path()), [""; 0]);
    package.save_to(&target).max_bytes(zip.len() as u64).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);
}

#[tokio::test]
async fn limits_opened_package_by_default() {
    // The announced length alone causes the error.
    for length in [(1_u64 << 30) + 1, 1 << 40, u64::MAX] {
        let server = PackageServer::start(move |_| {
            raw_response(&["HTTP/1.1 200 OK".into(), ETAG.into(), format!("Content-Length: {length}")], &[b'-'; 1_000])
        })
        .await;
        let result = server.package().await.open().await;
        // The HTTP library rejects this length itself.
        match length {
            u64::MAX => drop(result.unwrap_err()),
            _ => assert_too_large(&result.unwrap_err(), 1 << 30),
        }
    }
    let server = PackageServer::interrupted_after(&incompressible_zip(1_000), vec![]).await;
    assert_eq!(server.package().await.open().await.unwrap().entries().len(), 2);
}

#[tokio::test]
async fn rejects_replacement_version_above_limit() {
    let (small, large) = (incompressible_zip(40_000), incompressible_zip(100_000));
    for sent in [0, 20_000] {
        let (small, large) = (small.clone(), large.clone());
        let server = PackageServer::start(move |request| match request.number {
            0 => full_response(&small, &[ETAG], sent),
            _ => full_response(&large, &["ETag: \"two\""], usize::MAX),
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let error = server.package().await.save_to(folder.path().join("a.zip")).max_bytes(LIMIT).await.unwrap_err();
        assert!(error.to_string().contains("exceeds the limit of 50000 bytes"), "{error}");
        assert_eq!((error.attempts(), file_names(folder.path())), (2, vec![]));
    }
}

#[tokio::test]
async fn applies_limit_to_whole_length_of_resumed_package() {
    let zip = incompressible_zip(100_000);
    let (_folder, target) = zip_target();
    let server = PackageServer::interrupted_after(&zip, vec![40_000]).await;
    let call =
        server.package().await.save_to(&target).resumable(true).with_retry_mode(documine::retry::RetryMode::Never);
    call.await.unwrap_err();
    let package = zip.clone();
    let server =
        PackageServer::start(move |request| partial_response(&package, request.from.unwrap(), &[ETAG], usize::MAX))
            .await;
    // The remaining bytes are within the limit, the whole package is not.
    let error = server.package().await.save_to(&target).max_bytes(80_000).resumable(true).await.unwrap_err();
    assert_too_large(&error, 80_000);
    // The part stays valid: a call with another limit resumes it.
    let saved = server.package().await.save_to(&target).resumable(true).await.unwrap();
    assert!(saved.resume_offset > 0, "{saved:?}");
    assert_eq!(std::fs::read(&target).unwrap(), zip);
}
