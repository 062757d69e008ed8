//! Packages that change between two responses: the saved file is one complete version, however often the download resumes.

use std::path::Path;
use std::sync::{Arc, Mutex};

use documine::{
    ErrorKind,
    retry::{RetryMode, RetryPolicy},
};
use futures_util::TryStreamExt;

use crate::harness::canned_server::response;
use crate::harness::package_server::{PackageServer, RangeRequest, full_response, partial_response};
use crate::harness::pdf_fixtures::zip;
use crate::harness::properties::{random_numbers, seed};
use crate::harness::{file_names, zip_target};

/// Returns a valid package. All packages of one size have the same structure, so a mixture of two still ends like a ZIP.
fn package_version(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let bytes: Vec<u8> = std::iter::repeat_with(&mut next).take(size).collect();
    zip(&[("noise", bytes.as_slice())])
}

/// Returns the response of a replica that holds `package` as version `tag`, truncated after `sent` bytes.
fn replica(request: &RangeRequest, package: &[u8], tag: &str, sent: usize) -> Vec<u8> {
    let quoted = format!("\"{tag}\"");
    let (etag, name) = (format!("ETag: {quoted}"), format!("Content-Disposition: attachment; filename={tag}.zip"));
    match request.from {
        Some(from) if request.condition.as_ref() == Some(&quoted) && from < package.len() => {
            partial_response(package, from, &[&etag], sent)
        }
        _ => full_response(package, &[&etag, &name], sent),
    }
}

#[tokio::test]
async fn forgets_version_of_response_without_body_bytes() {
    let (a, b) = (package_version(1, 200_000), package_version(2, 200_000));
    assert_eq!(a.len(), b.len());
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (a.clone(), b.clone());
    // The first version ends before its first byte, the second after half, and then the service fails.
    let server = PackageServer::start(move |request| match request.number {
        0 => replica(request, &first, "a", 0),
        1 => replica(request, &second, "b", 100_000),
        _ => response("500 Internal Server Error", &[], ""),
    })
    .await;
    server.package().await.save_in(folder.path()).resumable(true).await.unwrap_err();
    let sidecar = std::fs::read_to_string(folder.path().join("package-d-1.zip.part.json")).unwrap();
    assert!(sidecar.contains(r#""etag":"\"b\"""#) && sidecar.contains(r#""name":"b.zip""#), "{sidecar}");

    // A replica that still holds the first version.
    let first = a.clone();
    let server = PackageServer::start(move |request| replica(request, &first, "a", usize::MAX)).await;
    let saved = server.package().await.save_in(folder.path()).resumable(true).await.unwrap();
    assert!(std::fs::read(&saved.path).unwrap() == a);
    assert_eq!((saved.resume_offset, saved.path), (0, folder.path().join("a.zip")));
    assert_eq!(server.range_starts(), [Some(100_000)]);
}

#[tokio::test]
async fn forgets_name_and_length_of_response_without_body_bytes() {
    let (a, b) = (package_version(1, 5_000), package_version(2, 90_000));
    let open = async || {
        let (a, b) = (a.clone(), b.clone());
        PackageServer::start(move |request| match request.number {
            0 => full_response(&a, &["ETag: \"a\"", "Content-Disposition: attachment; filename=a.zip"], 0),
            _ => full_response(&b, &["ETag: \"b\""], usize::MAX),
        })
        .await
    };
    for resumable in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let totals = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&totals);
        let call = open().await.package().await.save_in(folder.path());
        let call = call.with_progress(move |_, total| recorded.lock().unwrap().push(total));
        let saved = if resumable { call.resumable(true).await } else { call.await }.unwrap();
        assert_eq!(saved.path, folder.path().join("package-d-1.zip"), "the second response suggests no name");
        assert!(totals.lock().unwrap().iter().all(|total| *total == Some(b.len() as u64)));
    }
    let totals = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&totals);
    let call = open().await.package().await.save_into(Vec::new());
    let written = call.with_progress(move |_, total| recorded.lock().unwrap().push(total)).await.unwrap();
    assert!(written.writer == b);
    assert!(totals.lock().unwrap().iter().all(|total| *total == Some(b.len() as u64)));
    let mut stream = open().await.package().await.stream().await.unwrap();
    while stream.try_next().await.unwrap().is_some() {}
    assert_eq!((stream.length(), stream.suggested_name()), (Some(b.len() as u64), None));
}

/// Replaces the files in `to` by those in `from`.
fn copy(from: &Path, to: &Path) {
    for name in file_names(to) {
        std::fs::remove_file(to.join(name)).unwrap();
    }
    for name in file_names(from) {
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

#[tokio::test]
async fn never_mixes_alternating_versions() {
    let seed = seed();
    let mut random = random_numbers(seed);
    let size = 40_000;
    // Two versions that differ only in their tag, and a shorter one.
    let versions = [package_version(1, size), package_version(2, size), package_version(3, size / 2)];
    for case in 0..60 {
        let sent = |random: &mut dyn FnMut(usize) -> usize| match random(10) {
            0..4 => 0,
            4 => 1,
            5..9 => random(size),
            _ => usize::MAX,
        };
        let schedule: Vec<_> = (0..16).map(|_| (random(5) % 3, sent(&mut random))).collect();
        let shown = format!("case {case}, PROPTEST_RNG_SEED={seed}: {schedule:?}");
        let open = async || {
            let (schedule, versions) = (schedule.clone(), versions.clone());
            PackageServer::start(move |request| {
                let (number, sent) = schedule.get(request.number).copied().unwrap_or((request.number % 3, usize::MAX));
                replica(request, &versions[number], ["a", "b", "c"][number], sent)
            })
            .await
        };
        let server = open().await;
        let (folder, target) = zip_target();
        let mut calls = 0;
        while !target.exists() {
            calls += 1;
            assert!(calls < 40, "{shown}");
            let crash = tempfile::tempdir().unwrap();
            let (from, to, snapshot_at) = (folder.path().to_owned(), crash.path().to_owned(), random(4));
            let progress_calls = Mutex::new(0);
            let call = server.package().await.save_to(&target).resumable(true);
            let call =
                call.with_retry_policy(RetryPolicy::default().max_attempts(1 + u32::try_from(random(3)).unwrap()));
            // Copies the files as a process killed at this moment would leave them.
            let call = call.with_progress(move |_, _| {
                let mut progress_calls = progress_calls.lock().unwrap();
                *progress_calls += 1;
                if *progress_calls == snapshot_at {
                    copy(&from, &to);
                }
            });
            let saved = call.await;
            if saved.is_err() && random(2) == 0 && !file_names(crash.path()).is_empty() {
                copy(crash.path(), folder.path());
            }
        }
        let saved = std::fs::read(&target).unwrap();
        assert!(versions.contains(&saved), "mixed versions saved: {shown}");
        assert_eq!(file_names(folder.path()), ["a.zip"], "{shown}");

        let server = open().await;
        let package = server.package().await;
        let call = package.save_into(Vec::new()).with_retry_mode(if case % 2 == 0 {
            RetryMode::Never
        } else {
            RetryMode::IfSafe
        });
        match call.await {
            Ok(written) => assert!(versions.contains(&written.writer), "mixed versions written: {shown}"),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Interrupted), "{error}: {shown}");
            }
        }
    }
}
