//! Resumable downloads: a later call continues the part of an earlier one, guarded by a sidecar and a lock.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{Error, ErrorKind, retry::RetryMode, transfer::Progress};

use crate::harness::canned_server::response;
use crate::harness::messages::write_error;
use crate::harness::package_server::{
    ETAG, PackageServer, full_response, incompressible_zip, interrupt_download, start_resumable,
};
use crate::harness::scripted::request_lines;
use crate::harness::zip_fixtures::crc32;
use crate::harness::{file_names, zip_target};

/// Records all progress events.
#[derive(Clone, Default)]
struct ProgressRecorder(Arc<Mutex<Vec<String>>>);

impl Progress for ProgressRecorder {
    fn moved(&self, moved: u64, total: Option<u64>) {
        let mut lines = self.0.lock().unwrap();
        let line = format!("{moved} of {}", total.unwrap_or_default());
        // Only the last move between two other events is kept.
        if lines.last().is_some_and(|line| line.contains(" of ")) {
            lines.pop();
        }
        lines.push(line);
    }

    fn resume_offset(&self, bytes: u64) {
        self.0.lock().unwrap().push(format!("resumed at {bytes}"));
    }
}

#[tokio::test]
async fn resumes_in_another_process() {
    let zip = incompressible_zip(300_000);
    let length = zip.len();
    let server = PackageServer::interrupted_after(&zip, vec![100_000, 50_000]).await;
    let (folder, target) = zip_target();
    std::fs::write(&target, "previous content").unwrap();
    for (at, length_so_far) in [(100_000, 100_000), (50_000, 150_000)] {
        // Each call uses a new client, as another process would.
        let error = server
            .package()
            .await
            .save_to(&target)
            .resumable(true)
            .with_retry_mode(RetryMode::Never)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{at}");
        assert_eq!(file_names(folder.path()), ["a.zip", "a.zip.part", "a.zip.part.json"]);
        assert!(std::fs::read(folder.path().join("a.zip.part")).unwrap() == zip[..length_so_far]);
        let sidecar = std::fs::read_to_string(folder.path().join("a.zip.part.json")).unwrap();
        let progress = format!(r#""bytes":{length_so_far},"crc32":{}"#, crc32(&zip[..length_so_far]));
        let expected = format!(
            r#"{{"version":1,"download_id":"d-1",{progress},"length":{length},"validator":{{"etag":"\"one\""}},"name":null}}"#
        );
        assert_eq!(sidecar, expected);
        assert_eq!(std::fs::read(&target).unwrap(), b"previous content");
    }
    let recorded = ProgressRecorder::default();
    let saved = server.package().await.save_to(&target).resumable(true).with_progress(recorded.clone()).await.unwrap();
    assert_eq!((saved.path, saved.bytes, saved.resume_offset), (target.clone(), length as u64, 150_000));
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(file_names(folder.path()), ["a.zip"]);
    assert_eq!(server.range_starts(), [None, Some(100_000), Some(150_000)]);
    assert_eq!(*recorded.0.lock().unwrap(), ["resumed at 150000".to_owned(), format!("{length} of {length}")]);
}

#[tokio::test]
async fn records_safe_bytes_in_sidecar_during_download() {
    let zip = incompressible_zip(6_000_000);
    let head = full_response(&zip, &[ETAG], 5_000_000);
    let stalling_server = PackageServer::stalling(head).await;
    let folder = tempfile::tempdir().unwrap();
    let saving = start_resumable(stalling_server.package().await, &folder.path().join("a.zip"), 5_000_000).await;
    // State of the files if the process is killed now.
    let [part, sidecar] =
        ["a.zip.part", "a.zip.part.json"].map(|name| std::fs::read(folder.path().join(name)).unwrap());
    let recorded = |line: &[u8]| {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap();
        usize::try_from(line["bytes"].as_u64().unwrap()).unwrap()
    };
    let safe = recorded(sidecar.split(|byte| *byte == b'\n').next().unwrap());
    assert!((4 * 1024 * 1024..5_000_000).contains(&safe), "{safe}");
    let written = safe + recorded(sidecar.rsplit(|byte| *byte == b'\n').next().unwrap());
    assert!((5_000_000 - 512 * 1024..=5_000_000).contains(&written), "{written}");
    // State after a power failure: bytes that were not synced are undefined.
    let lost = [&part[..safe], &vec![0; part.len() - safe]].concat();
    for (what, part, begin) in [
        ("process killed", &part, written),
        ("power failure", &lost, safe),
        ("part truncated", &part[..safe].to_vec(), safe),
    ] {
        let after = tempfile::tempdir().unwrap();
        std::fs::write(after.path().join("a.zip.part"), part).unwrap();
        std::fs::write(after.path().join("a.zip.part.json"), &sidecar).unwrap();
        let server = PackageServer::interrupted_after(&zip, vec![]).await;
        let saved = server.package().await.save_to(after.path().join("a.zip")).resumable(true).await.unwrap();
        assert_eq!((saved.resume_offset, server.range_starts()), (begin as u64, vec![Some(begin)]), "{what}");
        assert!(std::fs::read(&saved.path).unwrap() == zip, "{what}");
        assert_eq!(file_names(after.path()), ["a.zip"], "{what}");
    }
    saving.abort();
    saving.await.unwrap_err();
}

/// Description, modification of the part, and expected start of each request of the next call.
type DamagedPart<'a> = (&'a str, fn(&Path, &str), &'a [Option<usize>]);

#[tokio::test]
async fn restarts_when_part_does_not_match_sidecar() {
    let zip = incompressible_zip(300_000);
    let text = |folder: &Path| std::fs::read_to_string(folder.join("a.zip.part.json")).unwrap();
    let damage: [DamagedPart<'_>; 6] = [
        ("unchanged", |_, _| (), &[Some(100_000)]),
        ("damaged", |path, text| std::fs::write(path.with_extension("part.json"), &text[..40]).unwrap(), &[None]),
        (
            "sidecar of another package",
            |path, text| std::fs::write(path.with_extension("part.json"), text.replace("d-1", "d-2")).unwrap(),
            &[None],
        ),
        (
            "sidecar with another tag",
            |path, text| std::fs::write(path.with_extension("part.json"), text.replace("one", "two")).unwrap(),
            &[Some(100_000)],
        ),
        ("part too short", |path, _| std::fs::write(path.with_extension("part"), "part truncated").unwrap(), &[None]),
        (
            "part longer than its safe bytes",
            |path, _| {
                let mut bytes = std::fs::read(path.with_extension("part")).unwrap();
                bytes.extend_from_slice(b"unrecorded bytes");
                std::fs::write(path.with_extension("part"), bytes).unwrap();
            },
            &[Some(100_000)],
        ),
    ];
    for (what, damage, range_starts) in damage {
        let folder = tempfile::tempdir().unwrap();
        interrupt_download(&zip, folder.path()).await;
        // `with_extension` replaces the last extension of `a.zip.x`.
        damage(&folder.path().join("a.zip.x"), &text(folder.path()));
        let server = PackageServer::interrupted_after(&zip, vec![]).await;
        let saved = server.package().await.save_to(folder.path().join("a.zip")).resumable(true).await.unwrap();
        assert!(std::fs::read(&saved.path).unwrap() == zip, "{what}");
        assert_eq!(file_names(folder.path()), ["a.zip"], "{what}");
        assert_eq!(server.range_starts(), range_starts, "{what}");
    }
}

#[tokio::test]
async fn refuses_to_touch_foreign_or_newer_part() {
    let zip = incompressible_zip(300_000);
    let (folder, target) = zip_target();
    let part = folder.path().join("a.zip.part");
    let sidecar = folder.path().join("a.zip.part.json");
    let server = PackageServer::interrupted_after(&zip, vec![]).await;
    let package = server.package().await;
    let line = async || {
        let error: Error = package.save_to(&target).resumable(true).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::File, 0));
        error.to_string()
    };
    std::fs::write(&part, "foreign content").unwrap();
    let expected = write_error(&part, "file exists and is not a resumable download; move it away");
    assert_eq!(line().await, expected);
    assert_eq!(std::fs::read(&part).unwrap(), b"foreign content");

    std::fs::remove_file(&part).unwrap();
    interrupt_download(&zip, folder.path()).await;
    let text = std::fs::read_to_string(&sidecar).unwrap().replace("\"version\":1", "\"version\":2");
    std::fs::write(&sidecar, &text).unwrap();
    let expected = format!(
        "downloadPackage: {} has version 2, newer than the supported version 1; update the SDK, or delete the file",
        sidecar.display()
    );
    assert_eq!(line().await, expected);
    assert_eq!((std::fs::read_to_string(&sidecar).unwrap(), std::fs::metadata(&part).unwrap().len()), (text, 100_000));

    std::fs::remove_file(&part).unwrap();
    assert_eq!(line().await, expected);
    assert_eq!(file_names(folder.path()), ["a.zip.part.json"]);

    std::fs::create_dir(&part).unwrap();
    assert_eq!(line().await, write_error(&part, "file is not a regular file; move it away"));
    assert_eq!(server.range_starts(), [], "no request is sent");
}

#[tokio::test]
async fn rejects_second_call_on_same_part() {
    let zip = incompressible_zip(300_000);
    let stalling_server = PackageServer::stalling(full_response(&zip, &[ETAG], 100_000)).await;
    let (folder, target) = zip_target();
    let first = start_resumable(stalling_server.package().await, &target, 100_000).await;
    let server = PackageServer::interrupted_after(&zip, vec![]).await;
    let second = server.package().await;
    let error = second.save_to(&target).resumable(true).await.unwrap_err();
    let reason = "another call is downloading it; wait for that call, or choose another path";
    let line = write_error(&folder.path().join("a.zip.part"), reason);
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::File, line));
    // Dropping the first call syncs its bytes and releases the lock.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let saved = loop {
        match second.save_to(&target).resumable(true).await {
            Ok(saved) => break saved,
            Err(error) => assert_eq!(error.kind(), ErrorKind::File, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((saved.resume_offset, server.range_starts()), (100_000, vec![Some(100_000)]));
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(file_names(folder.path()), ["a.zip"]);
    assert_eq!(request_lines(&stalling_server.service).len(), 2);
}

#[tokio::test]
async fn removes_part_that_cannot_be_resumed() {
    let zip = incompressible_zip(100_000);
    for (what, headers) in [("no tag", &[][..]), ("weak tag", &["ETag: W/\"one\""])] {
        let package = zip.clone();
        let server = PackageServer::start(move |_| full_response(&package, headers, 50_000)).await;
        let folder = tempfile::tempdir().unwrap();
        let call = server.package().await.save_to(folder.path().join("a.zip")).resumable(true);
        call.await.unwrap_err();
        assert_eq!(file_names(folder.path()), [""; 0], "{what}");
    }
    let server = PackageServer::start(|_| response("404 Not Found", &[], "")).await;
    let (folder, target) = zip_target();
    assert!(server.package().await.save_to(&target).resumable(true).await.unwrap_err().is_not_found());
    assert_eq!(file_names(folder.path()), [""; 0], "nothing was received");
    interrupt_download(&zip, folder.path()).await;
    assert!(server.package().await.save_to(&target).resumable(true).await.unwrap_err().is_not_found());
    assert_eq!(file_names(folder.path()), [""; 0], "the package is gone");
}
