//! A package that is larger than its caller allows is refused: by its announced length before a byte is taken, else as soon as more has come.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use documine::{Error, ErrorKind};

use crate::downloads_resumed::{Shop, TAG, names, noise, raw, rest, whole};

const LIMIT: u64 = 50_000;

fn is_too_large(error: &Error, limit: u64) {
    let line = format!("downloadPackage: package exceeds the limit of {limit} bytes; raise the limit with `max_bytes`");
    assert_eq!((error.kind(), error.attempts(), error.to_string()), (ErrorKind::Integrity, 1, line));
    assert!(!error.is_transient(), "it is as large the next time");
}

/// Counts what it is given.
#[derive(Clone, Debug, Default)]
struct Counter(Arc<AtomicU64>);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_announced_length_is_refused_before_a_byte_is_taken() {
    let zip = noise(100_000);
    let shop = Shop::breaking_off(&zip, vec![]).await;
    let package = shop.package().await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let counter = Counter::default();
    is_too_large(&package.save_to(&target).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    is_too_large(&package.save_in(folder.path()).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    is_too_large(&package.save_to(&target).max_bytes(LIMIT).resumable().await.unwrap_err(), LIMIT);
    is_too_large(&package.save_into(counter.clone()).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    is_too_large(&package.open().max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert_eq!((counter.0.load(Ordering::Relaxed), shop.begins()), (0, vec![None; 5]));
    assert_eq!(names(folder.path()), [""; 0]);

    // As large as allowed is not too large.
    let exact = zip.len() as u64;
    assert_eq!(package.save_to(&target).max_bytes(exact).await.unwrap().bytes, exact);
    assert_eq!(package.save_into(counter).max_bytes(exact).await.unwrap().bytes, exact);
    assert_eq!(package.open().max_bytes(exact).await.unwrap().entries().len(), 2);
    is_too_large(&package.save_to(&target).max_bytes(exact - 1).await.unwrap_err(), exact - 1);
}

#[tokio::test]
async fn a_length_that_is_not_announced_is_counted() {
    let zip = noise(1_000_000);
    let package = zip.clone();
    let shop = Shop::open(move |_| raw(&["HTTP/1.1 200 OK".into(), TAG.into()], &package)).await;
    let package = shop.package().await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let counter = Counter::default();
    is_too_large(&package.save_to(&target).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    is_too_large(&package.save_to(&target).max_bytes(LIMIT).resumable().await.unwrap_err(), LIMIT);
    is_too_large(&package.save_into(counter.clone()).max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    is_too_large(&package.open().max_bytes(LIMIT).await.unwrap_err(), LIMIT);
    assert!(counter.0.load(Ordering::Relaxed) <= LIMIT);
    assert_eq!(names(folder.path()), [""; 0]);
    package.save_to(&target).max_bytes(zip.len() as u64).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);
}

#[tokio::test]
async fn an_opened_package_is_bounded_by_default() {
    // Nobody sends so much; the announcement is enough.
    for length in [(1_u64 << 30) + 1, 1 << 40, u64::MAX] {
        let shop = Shop::open(move |_| {
            raw(&["HTTP/1.1 200 OK".into(), TAG.into(), format!("Content-Length: {length}")], &[b'-'; 1_000])
        })
        .await;
        let result = shop.package().await.open().await;
        // A length that is none to the HTTP library is refused by it.
        match length {
            u64::MAX => drop(result.unwrap_err()),
            _ => is_too_large(&result.unwrap_err(), 1 << 30),
        }
    }
    let shop = Shop::breaking_off(&noise(1_000), vec![]).await;
    assert_eq!(shop.package().await.open().await.unwrap().entries().len(), 2);
}

#[tokio::test]
async fn a_version_that_grows_on_the_way_is_refused() {
    let (small, large) = (noise(40_000), noise(100_000));
    for sent in [0, 20_000] {
        let (small, large) = (small.clone(), large.clone());
        let shop = Shop::open(move |asked| match asked.number {
            0 => whole(&small, &[TAG], sent),
            _ => whole(&large, &["ETag: \"two\""], usize::MAX),
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let error = shop.package().await.save_to(folder.path().join("a.zip")).max_bytes(LIMIT).await.unwrap_err();
        assert!(error.to_string().contains("exceeds the limit of 50000 bytes"), "{error}");
        assert_eq!((error.attempts(), names(folder.path())), (2, vec![]));
    }
}

#[tokio::test]
async fn a_resumed_package_is_held_to_its_whole_length() {
    let zip = noise(100_000);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let shop = Shop::breaking_off(&zip, vec![40_000]).await;
    let call = shop.package().await.save_to(&target).resumable().with_retry(documine::Retry::Never);
    call.await.unwrap_err();
    let package = zip.clone();
    let shop = Shop::open(move |asked| rest(&package, asked.from.unwrap(), &[TAG], usize::MAX)).await;
    // What is left is within the limit, and the whole is not.
    let error = shop.package().await.save_to(&target).max_bytes(80_000).resumable().await.unwrap_err();
    is_too_large(&error, 80_000);
    // The part is good, and a call with another limit continues it.
    let saved = shop.package().await.save_to(&target).resumable().await.unwrap();
    assert!(saved.resumed_at > 0, "{saved:?}");
    assert_eq!(std::fs::read(&target).unwrap(), zip);
}
