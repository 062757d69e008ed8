//! The part and the sidecar of a resumable download: what is not this user's own unchanged download is neither adopted nor written to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use documine::{Error, ErrorKind, Package};
use tokio::sync::Notify;

use crate::downloads_resumed::{Shop, TAG, names, noise, stopped, whole};

const SIZE: usize = 300_000;

/// A folder that holds the part of `a.zip` after 100 000 bytes.
async fn interrupted(zip: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    stopped(zip, folder.path()).await;
    let target = folder.path().join("a.zip");
    (folder, target)
}

async fn package(zip: &[u8]) -> (Shop, Package) {
    let shop = Shop::breaking_off(zip, vec![]).await;
    let package = shop.package().await;
    (shop, package)
}

fn is_refused(error: &Error, path: &Path, why: &str) {
    let line = format!("downloadPackage: cannot write {}: {why}", path.display());
    assert_eq!((error.kind(), error.attempts(), error.to_string()), (ErrorKind::File, 0, line));
}

#[tokio::test]
async fn a_part_whose_bytes_changed_is_begun_anew() {
    let zip = noise(SIZE);
    for at in [0, 1, 50_000, 99_999] {
        let (folder, target) = interrupted(&zip).await;
        let part = folder.path().join("a.zip.part");
        let mut bytes = std::fs::read(&part).unwrap();
        bytes[at] ^= 1;
        std::fs::write(&part, bytes).unwrap();
        let (shop, package) = package(&zip).await;
        let saved = package.save_to(&target).resumable().await.unwrap();
        assert!(std::fs::read(&target).unwrap() == zip, "byte {at}");
        assert_eq!((saved.resumed_at, shop.begins()), (0, vec![None]), "byte {at}");
        assert_eq!(names(folder.path()), ["a.zip"]);
    }
}

#[tokio::test]
async fn a_part_without_a_checksum_is_begun_anew() {
    let zip = noise(SIZE);
    let (folder, target) = interrupted(&zip).await;
    let sidecar = folder.path().join("a.zip.part.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&sidecar).unwrap()).unwrap();
    assert!(json.as_object_mut().unwrap().remove("crc32").is_some());
    std::fs::write(&sidecar, json.to_string()).unwrap();
    let (shop, package) = package(&zip).await;
    package.save_to(&target).resumable().await.unwrap();
    assert_eq!(shop.begins(), [None]);
    assert!(std::fs::read(&target).unwrap() == zip);
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_is_followed() {
    let zip = noise(SIZE);
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    // Whatever name a temporary file of the sidecar has had or could be guessed to have.
    for name in ["a.zip.part.json.new", "a.zip.part.json.tmp", "a.zip.part.new", ".a.zip.part.json"] {
        let (folder, target) = interrupted(&zip).await;
        std::os::unix::fs::symlink(&victim, folder.path().join(name)).unwrap();
        let (shop, package) = package(&zip).await;
        package.save_to(&target).resumable().await.unwrap();
        assert_eq!(
            (std::fs::read(&victim).unwrap(), shop.begins()),
            (b"precious".to_vec(), vec![Some(100_000)]),
            "{name}"
        );
    }
    for (name, to) in [
        ("a.zip.part", victim.clone()),
        ("a.zip.part.json", victim.clone()),
        ("a.zip.part", elsewhere.path().join("nothing")),
        ("a.zip.part.json", elsewhere.path().join("nothing")),
    ] {
        let (folder, target) = interrupted(&zip).await;
        let link = folder.path().join(name);
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&to, &link).unwrap();
        let (shop, package) = package(&zip).await;
        let error = package.save_to(&target).resumable().await.unwrap_err();
        is_refused(&error, &link, "file is a symbolic link, not a regular file; move it away");
        assert_eq!((std::fs::read(&victim).unwrap(), shop.begins()), (b"precious".to_vec(), vec![]), "{name}");
        assert_eq!(names(elsewhere.path()), ["victim"], "{name}");
        assert!(link.symlink_metadata().unwrap().is_symlink(), "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_regular_file_of_one_name_is_refused() {
    let zip = noise(SIZE);
    for name in ["a.zip.part", "a.zip.part.json"] {
        let (folder, target) = interrupted(&zip).await;
        let path = folder.path().join(name);
        let (shop, package) = package(&zip).await;
        let error = async || package.save_to(&target).resumable().await.unwrap_err();

        let other = folder.path().join("other name");
        std::fs::hard_link(&path, &other).unwrap();
        let before = std::fs::read(&other).unwrap();
        is_refused(&error().await, &path, "file has 2 names (hard links); move it away");
        assert_eq!(std::fs::read(&other).unwrap(), before);

        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        is_refused(&error().await, &path, "file is not a regular file; move it away");

        std::fs::remove_dir(&path).unwrap();
        // Opening a pipe must not wait for its other end.
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        is_refused(&error().await, &path, "file is not a regular file; move it away");
        assert_eq!(shop.begins(), []);
    }
}

/// Only root can give files away.
#[cfg(unix)]
#[tokio::test]
async fn a_part_of_another_user_is_not_adopted() {
    let zip = noise(SIZE);
    for name in ["a.zip.part", "a.zip.part.json"] {
        let (folder, target) = interrupted(&zip).await;
        let path = folder.path().join(name);
        if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
            return;
        }
        let (shop, package) = package(&zip).await;
        let error = package.save_to(&target).resumable().await.unwrap_err();
        is_refused(&error, &path, "file belongs to another user (12345); move it away, or choose another path");
        assert_eq!(
            (shop.begins(), names(folder.path())),
            (vec![], vec!["a.zip.part".into(), "a.zip.part.json".into()])
        );
    }
}

/// Begins a resumable call that gets its first 100 000 bytes, and drops it then.
async fn interrupt(package: Package, target: &Path) {
    let begun = Arc::new(Notify::new());
    let told = Arc::clone(&begun);
    let call = package.save_to(target).resumable().with_progress(move |moved, _| {
        if moved == 100_000 {
            told.notify_one();
        }
    });
    tokio::select! {
        result = call.send() => panic!("{result:?}"),
        () = begun.notified() => {}
    }
}

#[tokio::test]
async fn a_dropped_call_is_repeated_at_once() {
    let zip = noise(SIZE);
    let head = whole(&zip, &[TAG], 100_000);
    for round in 0..10 {
        let holding = Shop::holding(head.clone()).await;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        interrupt(holding.package().await, &target).await;
        let (shop, package) = package(&zip).await;
        let saved = package.save_to(&target).resumable().await.unwrap();
        assert_eq!((saved.resumed_at, shop.begins()), (100_000, vec![Some(100_000)]), "round {round}");
        assert!(std::fs::read(&target).unwrap() == zip);
        assert_eq!(names(folder.path()), ["a.zip"]);
    }
}

#[tokio::test]
async fn an_aborted_task_is_repeated_at_once() {
    let zip = noise(SIZE);
    let head = whole(&zip, &[TAG], 100_000);
    for round in 0..10 {
        let holding = Shop::holding(head.clone()).await;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        let begun = Arc::new(Notify::new());
        let told = Arc::clone(&begun);
        let call = holding.package().await.save_to(&target).resumable().with_progress(move |moved, _| {
            if moved == 100_000 {
                told.notify_one();
            }
        });
        let task = tokio::spawn(call.send());
        begun.notified().await;
        let (shop, package) = package(&zip).await;
        // The task is only told so; its future is dropped when the runtime comes to it.
        task.abort();
        let saved = package.save_to(&target).resumable().await.unwrap();
        assert_eq!((saved.resumed_at, shop.begins()), (100_000, vec![Some(100_000)]), "round {round}");
        assert!(std::fs::read(&target).unwrap() == zip);
    }
}

#[tokio::test]
async fn several_calls_that_wait_for_a_dropped_one_take_turns() {
    let zip = noise(SIZE);
    let holding = Shop::holding(whole(&zip, &[TAG], 100_000)).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    interrupt(holding.package().await, &target).await;
    let (shop, package) = package(&zip).await;
    let call = || package.save_to(&target).resumable();
    let (one, other) = tokio::join!(call(), call());
    let mut begins: Vec<_> = [one, other].into_iter().flatten().map(|saved| saved.resumed_at).collect();
    begins.sort_unstable();
    // The second one either waited for the first, and fetched all of it anew, or was told that the first is at it.
    assert!(begins == [100_000] || begins == [0, 100_000], "{begins:?}");
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(names(folder.path()), ["a.zip"]);
    assert_eq!(shop.begins()[0], Some(100_000));
}

#[tokio::test]
async fn a_part_that_another_process_writes_is_told_at_once() {
    let zip = noise(SIZE);
    let (folder, target) = interrupted(&zip).await;
    let part = folder.path().join("a.zip.part");
    // A lock that no call of this process has taken.
    let other = std::fs::OpenOptions::new().read(true).write(true).open(&part).unwrap();
    other.try_lock().unwrap();
    let (shop, package) = package(&zip).await;
    let error = package.save_to(&target).resumable().await.unwrap_err();
    is_refused(&error, &part, "another process is downloading it; wait for that process, or choose another path");
    assert_eq!(shop.begins(), []);
    // Not by closing: a child process that another test starts may hold a copy of the handle.
    other.unlock().unwrap();
    package.save_to(&target).resumable().await.unwrap();
    assert_eq!(shop.begins(), [Some(100_000)]);
}
