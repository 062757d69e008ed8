//! Destinations of downloads: suggested names stay inside the folder, existing files are respected, full writers are reported.

use documine::{ErrorKind, retry::RetryMode, transfer::IfExists};

use crate::harness::messages::write_error;
use crate::harness::package_server::{ETAG, PackageServer, full_response, incompressible_zip, partial_response};
use crate::harness::{file_names, zip_target};

/// Starts a server whose package has this suggested name.
async fn server_with_disposition(zip: &[u8], disposition: &'static str) -> PackageServer {
    let zip = zip.to_vec();
    PackageServer::start(move |request| match request.from {
        Some(from) => partial_response(&zip, from, &[ETAG], usize::MAX),
        None => full_response(&zip, &[ETAG, disposition], if request.number == 0 { 60_000 } else { usize::MAX }),
    })
    .await
}

#[tokio::test]
async fn keeps_suggested_name_inside_the_folder() {
    let zip = incompressible_zip(100_000);
    for (disposition, name) in [
        ("Content-Disposition: attachment; filename=\"Q3 filings.zip\"", "Q3 filings.zip"),
        ("Content-Disposition: attachment; filename=x.zip; filename*=UTF-8''Pr%C3%BCfung.zip", "Prüfung.zip"),
        ("Content-Disposition: attachment; filename=\"../../../etc/cron.d/job\"", "job"),
        ("Content-Disposition: attachment; filename*=UTF-8''..%2F..%5Cevil.zip", "evil.zip"),
        ("Content-Disposition: attachment; filename=nul.zip", "_nul.zip"),
        ("Content-Disposition: attachment; filename=\"..\"", "package-d-1.zip"),
        ("X-Nothing: 1", "package-d-1.zip"),
    ] {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("in");
        std::fs::create_dir(&folder).unwrap();
        let server = server_with_disposition(&zip, disposition).await;
        let saved = server.package().await.save_in(&folder).await.unwrap();
        assert_eq!(saved.path, folder.join(name), "{disposition}");
        assert!(std::fs::read(&saved.path).unwrap() == zip);
        // The sidecar keeps the name, because the partial response does not repeat it.
        let server = server_with_disposition(&zip, disposition).await;
        let call = server.package().await.save_in(&folder).resumable(true).with_retry_mode(RetryMode::Never);
        call.await.unwrap_err();
        assert_eq!(
            file_names(&folder).into_iter().filter(|name| name.contains(".part")).collect::<Vec<_>>(),
            ["package-d-1.zip.part", "package-d-1.zip.part.json"]
        );
        let saved = server.package().await.save_in(&folder).resumable(true).if_exists(IfExists::Replace).await.unwrap();
        assert_eq!((saved.path, saved.resume_offset), (folder.join(name), 60_000), "{disposition}");
        assert_eq!(file_names(&folder), [name]);
        assert_eq!(file_names(outside.path()), ["in"]);
    }
}

#[tokio::test]
async fn applies_if_exists_policy() {
    let zip = incompressible_zip(1_000);
    let server = PackageServer::interrupted_after(&zip, vec![]).await;
    let package = server.package().await;
    let (folder, target) = zip_target();
    std::fs::write(&target, "mine").unwrap();
    let error = package.save_to(&target).if_exists(IfExists::Refuse).await.unwrap_err();
    let line = write_error(&target, "file exists");
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::File, line.clone()));
    assert_eq!(server.range_starts(), [], "no request is sent");
    for name in ["a (2).zip", "a (3).zip"] {
        let saved = package.save_to(&target).if_exists(IfExists::Number).await.unwrap();
        assert_eq!(saved.path, folder.path().join(name));
        assert!(std::fs::read(&saved.path).unwrap() == zip);
    }
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    let saved = package.save_in(folder.path()).await.unwrap();
    assert_eq!(saved.path, folder.path().join("package-d-1.zip"));
    assert_eq!(package.save_in(folder.path()).await.unwrap().path, folder.path().join("package-d-1 (2).zip"));
    package.save_to(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);

    // A file created during the download is not replaced either.
    std::fs::remove_file(&target).unwrap();
    let concurrent_target = target.clone();
    let call = package.save_to(&target).if_exists(IfExists::Refuse);
    let call = call.with_progress(move |_, _| std::fs::write(&concurrent_target, "theirs").unwrap());
    assert_eq!(call.await.unwrap_err().to_string(), line);
    assert_eq!(std::fs::read(&target).unwrap(), b"theirs");
    assert_eq!(
        file_names(folder.path()),
        ["a (2).zip", "a (3).zip", "a.zip", "package-d-1 (2).zip", "package-d-1.zip"]
    );
    let error = package.save_in(&target).await.unwrap_err();
    assert_eq!(error.to_string(), write_error(&target, "not a folder"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn reports_full_writer() {
    let server = PackageServer::interrupted_after(&incompressible_zip(1_000), vec![]).await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = server.package().await.save_into(full).await.unwrap_err();
    let line = "downloadPackage: cannot write the package: No space left on device (os error 28)";
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (ErrorKind::File, line));
}

#[tokio::test]
async fn reads_suggested_name_in_any_spelling() {
    let zip = incompressible_zip(1_000);
    for (disposition, name) in [
        ("attachment; filename=Q3 filings.zip", "Q3 filings.zip"),
        ("attachment; filename=Q3 filings.zip; size=1234", "Q3 filings.zip"),
        ("attachment; size=1234; filename=Q3 filings.zip", "Q3 filings.zip"),
        ("attachment; filename = \"a.zip\"", "a.zip"),
        ("filename=a.zip", "a.zip"),
        ("attachment; filename=\"=?UTF-8?B?UHLDvGZ1bmcuemlw?=\"", "Prüfung.zip"),
        ("attachment; filename=Q3%20filings.zip", "Q3 filings.zip"),
        ("attachment; filename*=ISO-8859-1''Pr%C3%BCfung.zip", "Prüfung.zip"),
        ("attachment; filename=\"C:\\reports\\a.zip\"", "a.zip"),
        ("attachment; filename=..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("attachment; filename==?UTF-8?Q?..=2F..=2Fevil.zip?=", "evil.zip"),
        ("attachment; filename=../../evil.zip", "evil.zip"),
        ("attachment; filename=", "package-d-1.zip"),
    ] {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("in");
        std::fs::create_dir(&folder).unwrap();
        let package = zip.clone();
        let header = format!("Content-Disposition: {disposition}");
        let server = PackageServer::start(move |_| full_response(&package, &[&header], usize::MAX)).await;
        let saved = server.package().await.save_in(&folder).await.unwrap();
        assert_eq!(saved.path, folder.join(name), "{disposition}");
        assert_eq!((file_names(&folder), file_names(outside.path())), (vec![name.to_owned()], vec!["in".to_owned()]));
    }
}
