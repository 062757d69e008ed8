//! A disk that is full, and places that can't be written: one line that says where and what to do, nothing half under a final name, and what may stay
//! can be gone on with.
//!
//! No disk is filled for it. In a process of its own, files get no larger than half a MiB.

use std::path::Path;

use documine::{Contents, Error, ErrorKind, Retry};

use crate::alone::is_alone;
use crate::downloads_resumed::{Shop, names, noise};
use crate::paper::zip;

/// A line of `sh`, whose unit is 512 bytes. What ends a process at such a write is switched off, so that the write fails.
const FULL: &str = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\"";
const WHY: &str = "File too large (os error 27); choose a location that supports files of this size";
const READ_ONLY: &str = "; choose a writable folder";

fn is_about_a_file(error: &Error, line: &str) {
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::File, line));
}

#[tokio::test]
async fn a_package_that_has_no_room_leaves_nothing() {
    if !is_alone("full_disk::a_package_that_has_no_room_leaves_nothing", FULL, &[]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    std::fs::write(&target, "what was there before").unwrap();
    let package = Shop::breaking_off(&noise(1_000_000), vec![]).await.package().await;
    let error = package.save_to(&target).await.unwrap_err();
    is_about_a_file(&error, &format!("downloadPackage: {} can't be written: {WHY}", target.display()));
    let error = package.save_in(folder.path()).await.unwrap_err();
    is_about_a_file(&error, &format!("downloadPackage: {} can't be written: {WHY}", folder.path().display()));
    assert_eq!(names(folder.path()), ["a.zip"]);
    assert_eq!(std::fs::read(&target).unwrap(), b"what was there before");
}

#[tokio::test]
async fn a_part_that_has_no_room_is_gone_on_with_when_there_is_some() {
    const FOLDER: &str = "DOCUMINE_STORY_FOLDER";
    let zip = noise(1_000_000);
    let shop = Shop::breaking_off(&zip, vec![]).await;
    let fetch = async |folder: &Path| shop.package().await.save_to(folder.join("a.zip")).resumable().await;
    let folder = tempfile::tempdir().unwrap();
    let name = "full_disk::a_part_that_has_no_room_is_gone_on_with_when_there_is_some";
    if is_alone(name, FULL, &[(FOLDER, folder.path())]) {
        let shared = std::path::PathBuf::from(std::env::var_os(FOLDER).unwrap());
        // However often it is tried.
        for _ in 0..3 {
            let error = fetch(&shared).await.unwrap_err();
            let target = shared.join("a.zip");
            is_about_a_file(&error, &format!("downloadPackage: {} can't be written: {WHY}", target.display()));
            assert_eq!(names(&shared), ["a.zip.part", "a.zip.part.json"]);
        }
        return;
    }
    let noted = noted(folder.path());
    assert!((256 * 1024..=512 * 1024).contains(&noted), "{noted}");
    let saved = fetch(folder.path()).await.unwrap();
    assert_eq!((saved.resumed_at, shop.begins()), (noted as u64, vec![Some(noted)]));
    assert!(std::fs::read(&saved.path).unwrap() == zip);
    assert_eq!(names(folder.path()), ["a.zip"]);
}

/// How much of the part is safe, as it is noted; the part has no more.
fn noted(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join("a.zip.part.json")).unwrap();
    // The first line; those behind it told of what could not be made safe.
    let sidecar: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let bytes = sidecar["bytes"].as_u64().unwrap();
    assert_eq!(std::fs::metadata(folder.join("a.zip.part")).unwrap().len(), bytes);
    usize::try_from(bytes).unwrap()
}

#[tokio::test]
async fn what_was_safe_stays_safe_where_no_more_can_be_noted() {
    let zip = noise(8_000_000);
    let shop = Shop::breaking_off(&zip, vec![6_000_000]).await;
    let folder = tempfile::tempdir().unwrap();
    let (target, sidecar) = (folder.path().join("a.zip"), folder.path().join("a.zip.part.json"));
    let aside = folder.path().join("aside");
    let call = shop.package().await.save_to(&target).resumable().with_retry(Retry::Never);
    let (from, to) = (sidecar.clone(), aside.clone());
    let call = call.with_progress(move |moved, _| {
        // The first four MiB were noted by then.
        if moved > 5_000_000 && !to.exists() {
            std::fs::rename(&from, &to).unwrap();
            // No file takes the name of a folder.
            std::fs::create_dir(&from).unwrap();
        }
    });
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Interrupted);
    std::fs::remove_dir(&sidecar).unwrap();
    std::fs::rename(&aside, &sidecar).unwrap();
    let noted = noted(folder.path());
    assert!((4 << 20..5_000_000).contains(&noted), "{noted}");
    let saved = shop.package().await.save_to(&target).resumable().await.unwrap();
    assert_eq!((saved.resumed_at, shop.begins()), (noted as u64, vec![None, Some(noted)]));
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn a_folder_that_has_no_room_for_what_is_unpacked_is_not_there() {
    if !is_alone("full_disk::a_folder_that_has_no_room_for_what_is_unpacked_is_not_there", FULL, &[]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("a.zip"), folder.path().join("out"));
    std::fs::write(&path, zip(&[("small", b"small"), ("Originals/large", &vec![b'-'; 1_000_000])])).unwrap();
    let error = Contents::open(&path).await.unwrap().unpack_to(&target).await.unwrap_err();
    let what = format!("entry \"Originals/large\" can't be written to {}", target.display());
    is_about_a_file(&error, &format!("{}: {what}: {WHY}", path.display()));
    assert_eq!(names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn a_folder_that_is_none_is_told_before_anything_is_fetched() {
    let shop = Shop::breaking_off(&noise(1_000), vec![]).await;
    let package = shop.package().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, zip(&[("a", b"bytes")])).unwrap();
    let (in_file, nowhere) = (file.join("a.zip"), folder.path().join("nowhere/a.zip"));
    for (target, why) in [
        (&in_file, "Not a directory (os error 20); choose a writable folder"),
        (&nowhere, "No such file or directory (os error 2); create the folder first"),
    ] {
        let error = package.save_to(target).await.unwrap_err();
        is_about_a_file(&error, &format!("downloadPackage: {} can't be written: {why}", target.display()));
        let error = package.save_to(target).resumable().await.unwrap_err();
        is_about_a_file(&error, &format!("downloadPackage: {}.part can't be written: {why}", target.display()));
    }
    let error = Contents::open(&file).await.unwrap().unpack_to(&nowhere).await.unwrap_err();
    let why = "No such file or directory (os error 2); create the folder first";
    is_about_a_file(&error, &format!("{}: {} can't be made: {why}", file.display(), nowhere.display()));
    assert_eq!((names(folder.path()), shop.begins()), (vec!["file".to_owned()], vec![]));
}

/// What the kernel shows of itself takes no files, not even root's.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_takes_no_files_is_told_before_anything_is_fetched() {
    let shop = Shop::breaking_off(&noise(1_000), vec![]).await;
    let package = shop.package().await;
    let target = Path::new("/sys/documine.zip");
    for (error, path) in [
        (package.save_to(target).await.unwrap_err(), "/sys/documine.zip"),
        (package.save_to(target).resumable().await.unwrap_err(), "/sys/documine.zip.part"),
        (package.save_in("/sys").await.unwrap_err(), "/sys"),
    ] {
        let line = error.to_string();
        assert!(line.starts_with(&format!("downloadPackage: {path} can't be written: ")), "{line}");
        assert!(line.ends_with(READ_ONLY) && error.kind() == ErrorKind::File, "{line}");
    }
    assert_eq!(shop.begins(), []);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, zip(&[("a", b"bytes")])).unwrap();
    let error = Contents::open(&path).await.unwrap().unpack_to("/sys/documine").await.unwrap_err();
    let line = error.to_string();
    assert!(line.starts_with(&format!("{}: /sys/documine can't be made: ", path.display())), "{line}");
    assert!(line.ends_with(READ_ONLY) && !line.contains(".part"), "{line}");
}
