//! Full disks and unwritable targets: one error line with path and remedy, no partial file under a final name, and resumable parts stay
//! resumable.
//!
//! No disk is filled: a subprocess limits its file size to half a MiB.

use std::path::Path;

use documine::{Error, ErrorKind, package::PackageArchive, retry::RetryMode};

use crate::harness::messages::{MISSING_FOLDER, NOT_A_FOLDER, write_error};
use crate::harness::package_server::{PackageServer, incompressible_zip};
use crate::harness::pdf_fixtures::zip;
use crate::harness::subprocess::runs_in_subprocess;
use crate::harness::{file_names, zip_target};

/// Shell command with a file size limit in units of 512 bytes. It ignores SIGXFSZ, so a write fails instead of ending the process.
const LIMITED_FILE_SIZE: &str = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\"";
const TOO_LARGE: &str = "File too large (os error 27); choose a location that supports files of this size";
const CHOOSE_WRITABLE_FOLDER: &str = "; choose a writable folder";

fn assert_file_error(error: &Error, line: &str) {
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (ErrorKind::File, line));
}

#[tokio::test]
async fn full_disk_leaves_no_partial_package() {
    if !runs_in_subprocess("full_disk::full_disk_leaves_no_partial_package", LIMITED_FILE_SIZE, &[]) {
        return;
    }
    let (folder, target) = zip_target();
    std::fs::write(&target, "previous content").unwrap();
    let package = PackageServer::interrupted_after(&incompressible_zip(1_000_000), vec![]).await.package().await;
    let error = package.save_to(&target).await.unwrap_err();
    assert_file_error(&error, &write_error(&target, TOO_LARGE));
    let error = package.save_in(folder.path()).await.unwrap_err();
    assert_file_error(&error, &write_error(folder.path(), TOO_LARGE));
    assert_eq!(file_names(folder.path()), ["a.zip"]);
    assert_eq!(std::fs::read(&target).unwrap(), b"previous content");
}

#[tokio::test]
async fn resumes_part_after_disk_space_is_freed() {
    const FOLDER: &str = "DOCUMINE_TEST_FOLDER";
    let zip = incompressible_zip(1_000_000);
    let server = PackageServer::interrupted_after(&zip, vec![]).await;
    let fetch = async |folder: &Path| server.package().await.save_to(folder.join("a.zip")).resumable(true).await;
    let folder = tempfile::tempdir().unwrap();
    let name = "full_disk::resumes_part_after_disk_space_is_freed";
    if runs_in_subprocess(name, LIMITED_FILE_SIZE, &[(FOLDER, folder.path())]) {
        let shared = std::path::PathBuf::from(std::env::var_os(FOLDER).unwrap());
        // Repeated attempts give the same error.
        for _ in 0..3 {
            let error = fetch(&shared).await.unwrap_err();
            let target = shared.join("a.zip");
            assert_file_error(&error, &write_error(&target, TOO_LARGE));
            assert_eq!(file_names(&shared), ["a.zip.part", "a.zip.part.json"]);
        }
        return;
    }
    let safe_bytes = safe_bytes(folder.path());
    assert!((256 * 1024..=512 * 1024).contains(&safe_bytes), "{safe_bytes}");
    let saved = fetch(folder.path()).await.unwrap();
    assert_eq!((saved.resume_offset, server.range_starts()), (safe_bytes as u64, vec![Some(safe_bytes)]));
    assert!(std::fs::read(&saved.path).unwrap() == zip);
    assert_eq!(file_names(folder.path()), ["a.zip"]);
}

/// Returns the number of safe bytes in the sidecar, which is the length of the part.
fn safe_bytes(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join("a.zip.part.json")).unwrap();
    // Later lines describe bytes that could not be synced.
    let sidecar: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let bytes = sidecar["bytes"].as_u64().unwrap();
    assert_eq!(std::fs::metadata(folder.join("a.zip.part")).unwrap().len(), bytes);
    usize::try_from(bytes).unwrap()
}

#[tokio::test]
async fn keeps_safe_bytes_when_sidecar_cannot_be_updated() {
    let zip = incompressible_zip(8_000_000);
    let server = PackageServer::interrupted_after(&zip, vec![6_000_000]).await;
    let folder = tempfile::tempdir().unwrap();
    let (target, sidecar) = (folder.path().join("a.zip"), folder.path().join("a.zip.part.json"));
    let moved = folder.path().join("aside");
    let call = server.package().await.save_to(&target).resumable(true).with_retry_mode(RetryMode::Never);
    let (from, to) = (sidecar.clone(), moved.clone());
    let call = call.with_progress(move |moved, _| {
        // The first four MiB are recorded by then.
        if moved > 5_000_000 && !to.exists() {
            std::fs::rename(&from, &to).unwrap();
            // A file cannot replace a folder of the same name.
            std::fs::create_dir(&from).unwrap();
        }
    });
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Interrupted);
    std::fs::remove_dir(&sidecar).unwrap();
    std::fs::rename(&moved, &sidecar).unwrap();
    let safe_bytes = safe_bytes(folder.path());
    assert!((4 << 20..5_000_000).contains(&safe_bytes), "{safe_bytes}");
    let saved = server.package().await.save_to(&target).resumable(true).await.unwrap();
    assert_eq!((saved.resume_offset, server.range_starts()), (safe_bytes as u64, vec![None, Some(safe_bytes)]));
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(file_names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn full_disk_leaves_no_unpacked_folder() {
    if !runs_in_subprocess("full_disk::full_disk_leaves_no_unpacked_folder", LIMITED_FILE_SIZE, &[]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("a.zip"), folder.path().join("out"));
    std::fs::write(&path, zip(&[("small", b"small"), ("Originals/large", &vec![b'-'; 1_000_000])])).unwrap();
    let error = PackageArchive::open(&path).await.unwrap().unpack_to(&target).await.unwrap_err();
    let subject = format!("cannot write entry \"Originals/large\" to {}", target.display());
    assert_file_error(&error, &format!("{}: {subject}: {TOO_LARGE}", path.display()));
    assert_eq!(file_names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn rejects_missing_target_folder_before_fetching() {
    let server = PackageServer::interrupted_after(&incompressible_zip(1_000), vec![]).await;
    let package = server.package().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, zip(&[("a", b"bytes")])).unwrap();
    let (in_file, nowhere) = (file.join("a.zip"), folder.path().join("nowhere/a.zip"));
    for (target, reason) in [(&in_file, NOT_A_FOLDER), (&nowhere, MISSING_FOLDER)] {
        let error = package.save_to(target).await.unwrap_err();
        assert_file_error(&error, &write_error(target, reason));
        let error = package.save_to(target).resumable(true).await.unwrap_err();
        assert_file_error(&error, &write_error(&target.with_extension("zip.part"), reason));
    }
    let error = PackageArchive::open(&file).await.unwrap().unpack_to(&nowhere).await.unwrap_err();
    let reason = MISSING_FOLDER;
    assert_file_error(&error, &format!("{}: cannot create {}: {reason}", file.display(), nowhere.display()));
    assert_eq!((file_names(folder.path()), server.range_starts()), (vec!["file".to_owned()], vec![]));
}

/// The kernel's sysfs accepts no files, not even from root.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn rejects_unwritable_target_folder_before_fetching() {
    let server = PackageServer::interrupted_after(&incompressible_zip(1_000), vec![]).await;
    let package = server.package().await;
    let target = Path::new("/sys/documine.zip");
    for (error, path) in [
        (package.save_to(target).await.unwrap_err(), "/sys/documine.zip"),
        (package.save_to(target).resumable(true).await.unwrap_err(), "/sys/documine.zip.part"),
        (package.save_in("/sys").await.unwrap_err(), "/sys"),
    ] {
        let line = error.to_string();
        assert!(line.starts_with(&format!("downloadPackage: cannot write {path}: ")), "{line}");
        assert!(line.ends_with(CHOOSE_WRITABLE_FOLDER) && error.kind() == ErrorKind::File, "{line}");
    }
    assert_eq!(server.range_starts(), []);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, zip(&[("a", b"bytes")])).unwrap();
    let error = PackageArchive::open(&path).await.unwrap().unpack_to("/sys/documine").await.unwrap_err();
    let line = error.to_string();
    assert!(line.starts_with(&format!("{}: cannot create /sys/documine: ", path.display())), "{line}");
    assert!(line.ends_with(CHOOSE_WRITABLE_FOLDER) && !line.contains(".part"), "{line}");
}
