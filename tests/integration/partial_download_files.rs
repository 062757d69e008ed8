//! Part and sidecar of a resumable download: only this user's own unchanged download is resumed or written to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use documine::{Error, ErrorKind, Package};
use tokio::sync::Notify;

use crate::harness::messages::write_error;
use crate::harness::package_server::{
    ETAG, PackageServer, full_response, incompressible_zip, interrupt_download, start_resumable,
};
use crate::harness::{file_names, zip_target};

const SIZE: usize = 300_000;

/// Returns a folder that holds the part of `a.zip` after 100,000 bytes.
async fn interrupted_download(zip: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    interrupt_download(zip, folder.path()).await;
    let target = folder.path().join("a.zip");
    (folder, target)
}

async fn package(zip: &[u8]) -> (PackageServer, Package) {
    let server = PackageServer::interrupted_after(zip, vec![]).await;
    let package = server.package().await;
    (server, package)
}

fn assert_refused(error: &Error, path: &Path, reason: &str) {
    let line = write_error(path, reason);
    assert_eq!((error.kind(), error.attempts(), error.to_string()), (ErrorKind::File, 0, line));
}

#[tokio::test]
async fn restarts_when_bytes_of_part_changed() {
    let zip = incompressible_zip(SIZE);
    for at in [0, 1, 50_000, 99_999] {
        let (folder, target) = interrupted_download(&zip).await;
        let part = folder.path().join("a.zip.part");
        let mut bytes = std::fs::read(&part).unwrap();
        bytes[at] ^= 1;
        std::fs::write(&part, bytes).unwrap();
        let (server, package) = package(&zip).await;
        let saved = package.save_to(&target).resumable(true).await.unwrap();
        assert!(std::fs::read(&target).unwrap() == zip, "byte {at}");
        assert_eq!((saved.resume_offset, server.range_starts()), (0, vec![None]), "byte {at}");
        assert_eq!(file_names(folder.path()), ["a.zip"]);
    }
}

#[tokio::test]
async fn restarts_when_sidecar_has_no_checksum() {
    let zip = incompressible_zip(SIZE);
    let (folder, target) = interrupted_download(&zip).await;
    let sidecar = folder.path().join("a.zip.part.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&sidecar).unwrap()).unwrap();
    assert!(json.as_object_mut().unwrap().remove("crc32").is_some());
    std::fs::write(&sidecar, json.to_string()).unwrap();
    let (server, package) = package(&zip).await;
    package.save_to(&target).resumable(true).await.unwrap();
    assert_eq!(server.range_starts(), [None]);
    assert!(std::fs::read(&target).unwrap() == zip);
}

#[cfg(unix)]
#[tokio::test]
async fn does_not_follow_links() {
    let zip = incompressible_zip(SIZE);
    let other_folder = tempfile::tempdir().unwrap();
    let victim = other_folder.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    // Names that a temporary file of the sidecar had, or that an attacker could guess.
    for name in ["a.zip.part.json.new", "a.zip.part.json.tmp", "a.zip.part.new", ".a.zip.part.json"] {
        let (folder, target) = interrupted_download(&zip).await;
        std::os::unix::fs::symlink(&victim, folder.path().join(name)).unwrap();
        let (server, package) = package(&zip).await;
        package.save_to(&target).resumable(true).await.unwrap();
        assert_eq!(
            (std::fs::read(&victim).unwrap(), server.range_starts()),
            (b"precious".to_vec(), vec![Some(100_000)]),
            "{name}"
        );
    }
    for (name, to) in [
        ("a.zip.part", victim.clone()),
        ("a.zip.part.json", victim.clone()),
        ("a.zip.part", other_folder.path().join("nothing")),
        ("a.zip.part.json", other_folder.path().join("nothing")),
    ] {
        let (folder, target) = interrupted_download(&zip).await;
        let link = folder.path().join(name);
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&to, &link).unwrap();
        let (server, package) = package(&zip).await;
        let error = package.save_to(&target).resumable(true).await.unwrap_err();
        assert_refused(&error, &link, "file is a symbolic link, not a regular file; move it away");
        assert_eq!((std::fs::read(&victim).unwrap(), server.range_starts()), (b"precious".to_vec(), vec![]), "{name}");
        assert_eq!(file_names(other_folder.path()), ["victim"], "{name}");
        assert!(link.symlink_metadata().unwrap().is_symlink(), "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn rejects_hard_links_and_special_files() {
    let zip = incompressible_zip(SIZE);
    for name in ["a.zip.part", "a.zip.part.json"] {
        let (folder, target) = interrupted_download(&zip).await;
        let path = folder.path().join(name);
        let (server, package) = package(&zip).await;
        let error = async || package.save_to(&target).resumable(true).await.unwrap_err();

        let other = folder.path().join("other name");
        std::fs::hard_link(&path, &other).unwrap();
        let before = std::fs::read(&other).unwrap();
        assert_refused(&error().await, &path, "file has 2 names (hard links); move it away");
        assert_eq!(std::fs::read(&other).unwrap(), before);

        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_refused(&error().await, &path, "file is not a regular file; move it away");

        std::fs::remove_dir(&path).unwrap();
        // Opening a named pipe must not block.
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_refused(&error().await, &path, "file is not a regular file; move it away");
        assert_eq!(server.range_starts(), []);
    }
}

/// Only root can change the owner of a file.
#[cfg(unix)]
#[tokio::test]
async fn rejects_part_of_another_user() {
    let zip = incompressible_zip(SIZE);
    for name in ["a.zip.part", "a.zip.part.json"] {
        let (folder, target) = interrupted_download(&zip).await;
        let path = folder.path().join(name);
        if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
            return;
        }
        let (server, package) = package(&zip).await;
        let error = package.save_to(&target).resumable(true).await.unwrap_err();
        assert_refused(&error, &path, "file belongs to another user (12345); move it away, or choose another path");
        assert_eq!(
            (server.range_starts(), file_names(folder.path())),
            (vec![], vec!["a.zip.part".into(), "a.zip.part.json".into()])
        );
    }
}

/// Starts a resumable call and drops it after 100,000 bytes.
async fn drop_after_first_bytes(package: Package, target: &Path) {
    let started = Arc::new(Notify::new());
    let notifier = Arc::clone(&started);
    let call = package.save_to(target).resumable(true).with_progress(move |moved, _| {
        if moved == 100_000 {
            notifier.notify_one();
        }
    });
    tokio::select! {
        result = call.send() => panic!("{result:?}"),
        () = started.notified() => {}
    }
}

#[tokio::test]
async fn dropped_call_can_be_repeated_at_once() {
    let zip = incompressible_zip(SIZE);
    let head = full_response(&zip, &[ETAG], 100_000);
    for round in 0..10 {
        let stalling_server = PackageServer::stalling(head.clone()).await;
        let (folder, target) = zip_target();
        drop_after_first_bytes(stalling_server.package().await, &target).await;
        let (server, package) = package(&zip).await;
        let saved = package.save_to(&target).resumable(true).await.unwrap();
        assert_eq!((saved.resume_offset, server.range_starts()), (100_000, vec![Some(100_000)]), "round {round}");
        assert!(std::fs::read(&target).unwrap() == zip);
        assert_eq!(file_names(folder.path()), ["a.zip"]);
    }
}

#[tokio::test]
async fn aborted_task_can_be_repeated_at_once() {
    let zip = incompressible_zip(SIZE);
    let head = full_response(&zip, &[ETAG], 100_000);
    for round in 0..10 {
        let stalling_server = PackageServer::stalling(head.clone()).await;
        let (_folder, target) = zip_target();
        let task = start_resumable(stalling_server.package().await, &target, 100_000).await;
        let (server, package) = package(&zip).await;
        // `abort` only requests the end of the task; its future is dropped later by the runtime.
        task.abort();
        let saved = package.save_to(&target).resumable(true).await.unwrap();
        assert_eq!((saved.resume_offset, server.range_starts()), (100_000, vec![Some(100_000)]), "round {round}");
        assert!(std::fs::read(&target).unwrap() == zip);
    }
}

#[tokio::test]
async fn concurrent_calls_after_a_dropped_one_run_in_turn() {
    let zip = incompressible_zip(SIZE);
    let stalling_server = PackageServer::stalling(full_response(&zip, &[ETAG], 100_000)).await;
    let (folder, target) = zip_target();
    drop_after_first_bytes(stalling_server.package().await, &target).await;
    let (server, package) = package(&zip).await;
    let call = || package.save_to(&target).resumable(true);
    let (one, other) = tokio::join!(call(), call());
    let mut range_starts: Vec<_> = [one, other].into_iter().flatten().map(|saved| saved.resume_offset).collect();
    range_starts.sort_unstable();
    // The second call either waited for the first and downloaded the package again, or failed because the first was running.
    assert!(range_starts == [100_000] || range_starts == [0, 100_000], "{range_starts:?}");
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(file_names(folder.path()), ["a.zip"]);
    assert_eq!(server.range_starts()[0], Some(100_000));
}

#[tokio::test]
async fn reports_part_locked_by_another_process() {
    let zip = incompressible_zip(SIZE);
    let (folder, target) = interrupted_download(&zip).await;
    let part = folder.path().join("a.zip.part");
    // A lock that belongs to no call of this process.
    let other = std::fs::OpenOptions::new().read(true).write(true).open(&part).unwrap();
    other.try_lock().unwrap();
    let (server, package) = package(&zip).await;
    let error = package.save_to(&target).resumable(true).await.unwrap_err();
    assert_refused(&error, &part, "another process is downloading it; wait for that process, or choose another path");
    assert_eq!(server.range_starts(), []);
    // Unlock explicitly: a child process of another test may hold a copy of the handle, so closing is not enough.
    other.unlock().unwrap();
    package.save_to(&target).resumable(true).await.unwrap();
    assert_eq!(server.range_starts(), [Some(100_000)]);
}
