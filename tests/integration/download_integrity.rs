//! Integrity of downloads: a package of the wrong length, without a ZIP structure or with a damaged entry is never saved.

use documine::{ErrorKind, package::PackageLimits};
use documine_sim::Fault;

use crate::harness::package_server::{ETAG, PackageServer, full_response, incompressible_zip};
use crate::harness::test_env::TestEnv;
use crate::harness::{file_names, zip_target};

#[tokio::test]
async fn never_saves_package_of_wrong_length() {
    for (delta, kind) in [(-10, ErrorKind::Integrity), (10, ErrorKind::Interrupted)] {
        let env = TestEnv::new().await;
        let (_, package) = env.originals_package().await;
        let (folder, target) = zip_target();
        // Each call uses a new client, because surplus bytes corrupt the next response on the connection.
        let of = async || {
            let client = env.builder().build().unwrap();
            client.download(package.id().clone()).job().wait().await.unwrap()
        };
        env.add_fault(Fault::on("downloadPackage").content_length(delta));
        let error = of().await.save_to(&target).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{delta}: {error:?}");
        let error = of().await.save_to(&target).resumable(true).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{delta}: {error:?}");
        assert_eq!(file_names(folder.path()), [""; 0], "{delta}");
        env.sim.faults().clear();
        of().await.save_to(&target).resumable(true).await.unwrap();
        assert_eq!(file_names(folder.path()), ["a.zip"], "{delta}");
    }
}

#[tokio::test]
async fn fetches_invalid_zip_once_more() {
    let zip = incompressible_zip(50_000);
    let package = zip.clone();
    let server = PackageServer::start(move |request| {
        full_response(if request.number == 0 { &package[1..] } else { &package }, &[ETAG], usize::MAX)
    });
    let server = server.await;
    let (folder, target) = zip_target();
    server.package().await.save_to(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(server.range_starts(), [None, None]);

    let package = zip.clone();
    let server =
        PackageServer::start(move |_| full_response(&package[..package.len() - 30], &[ETAG], usize::MAX)).await;
    let error = server.package().await.save_to(&target).await.unwrap_err();
    let length = zip.len() - 30;
    let line =
        format!("downloadPackage: invalid ZIP archive ({length} bytes) after two attempts; create the package again");
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Integrity, line));
    assert_eq!((error.attempts(), server.range_starts()), (2, vec![None, None]));
    assert!(std::fs::read(&target).unwrap() == zip, "the existing file is unchanged");
    assert_eq!(file_names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn fetches_package_with_damaged_entry_once_more_when_checked() {
    let zip = incompressible_zip(50_000);
    let mut damaged = zip.clone();
    // A byte of the first entry's data changes; length and end record stay valid.
    damaged[1_000] ^= 1;
    let (first, then) = (damaged.clone(), zip.clone());
    let server = PackageServer::start(move |request| {
        full_response(if request.number == 0 { &first } else { &then }, &[ETAG], usize::MAX)
    })
    .await;
    let (folder, target) = zip_target();
    server.package().await.save_to(&target).checked(PackageLimits::default()).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(server.range_starts(), [None, None]);

    let always = damaged.clone();
    let server = PackageServer::start(move |_| full_response(&always, &[ETAG], usize::MAX)).await;
    for resumable in [false, true] {
        let call = server.package().await.save_to(&target).checked(PackageLimits::default());
        let error = if resumable { call.resumable(true).await } else { call.await }.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        let line = error.to_string();
        assert!(line.starts_with("downloadPackage: the downloaded package: entry \"noise\" is damaged: "), "{line}");
        assert!(std::fs::read(&target).unwrap() == zip, "the existing file is unchanged");
        assert_eq!(file_names(folder.path()), ["a.zip"], "no part remains");
    }
    let limits = PackageLimits::default().entries(1);
    let error = server.package().await.save_to(&target).checked(limits).await.unwrap_err();
    assert!(error.to_string().contains("2 entries exceed the limit of 1"), "{error}");
    // A call without a check saves the package as received.
    server.package().await.save_to(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == damaged);
}
