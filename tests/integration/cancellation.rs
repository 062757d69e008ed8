//! Dropping a future leaves no partial file, upload or wait behind.

use std::sync::Arc;
use std::time::Duration;

use documine::Source;
use tokio::sync::Notify;

use crate::harness::package_server::PackageServer;
use crate::harness::pdf_fixtures::{STUDY, big_pdf};
use crate::harness::test_env::{self, TestEnv};
use crate::harness::zip_target;

#[tokio::test]
async fn dropped_download_leaves_no_file() {
    let partial =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 1000\r\n\r\nthe beginning".to_vec();
    let server = PackageServer::stalling(partial).await;
    let package = server.package().await;
    let (folder, target) = zip_target();
    std::fs::write(&target, "previous content").unwrap();
    let count = || std::fs::read_dir(folder.path()).unwrap().count();

    let started = Arc::new(Notify::new());
    let notifier = Arc::clone(&started);
    let call = package.save_to(&target).with_progress(move |moved, total| {
        assert_eq!((moved, total), (13, Some(1000)));
        notifier.notify_one();
    });
    let saving = tokio::spawn(call.send());
    started.notified().await;
    assert_eq!(count(), 2, "the received bytes are in a temporary file");
    saving.abort();
    assert!(saving.await.unwrap_err().is_cancelled());
    // A write on the blocking thread pool may still finish; it cannot recreate the file.
    for _ in 0..24_000 {
        if count() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(count(), 1);
    assert_eq!(std::fs::read(&target).unwrap(), b"previous content");
}

#[tokio::test]
async fn dropped_upload_leaves_no_file_in_dossier() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.pdf");
    std::fs::write(&path, big_pdf("a page", 20_000_000)).unwrap();
    let started = Arc::new(Notify::new());
    let notifier = Arc::clone(&started);
    let call = dossier.upload(Source::path(&path)).with_progress(move |_, _| notifier.notify_one());
    tokio::select! {
        biased;
        () = started.notified() => {}
        result = call.send() => panic!("the upload completed before the drop: {result:?}"),
    }
    assert_eq!(dossier.files().await.unwrap(), []);
    // The client remains usable.
    test_env::upload_processed(&dossier, "study.pdf", STUDY).await;
}

#[tokio::test]
async fn dropped_wait_can_be_restarted() {
    let env = TestEnv::new().await;
    let uploaded = env.dossier().await.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
    {
        let mut states = std::pin::pin!(uploaded.wait_until_processed().states());
        futures_util::StreamExt::next(&mut states).await.unwrap().unwrap();
    }
    let polls = env.requests("getFile").len();
    env.time.advance(60);
    tokio::task::yield_now().await;
    assert_eq!(env.requests("getFile").len(), polls, "no polls after the drop");
    uploaded.wait_until_processed().await.unwrap();
}
