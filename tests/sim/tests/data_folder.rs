//! One simulator at a time uses a data folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::io::Read;
use std::path::Path;
use std::process::Child;

use documine_sim::Simulator;
use support::{TestClient, pdf, program, ready_line};

fn spawn(folder: &Path) -> Child {
    program(&["--data", folder.to_str().unwrap()]).spawn().unwrap()
}

#[tokio::test]
async fn rejects_a_data_folder_in_use_by_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = spawn(folder.path());
    assert!(ready_line(&mut first).starts_with('{'));
    let holder = format!("in use by another simulator (process {})", first.id());

    let mut second = spawn(folder.path());
    assert_eq!(ready_line(&mut second), "", "no ready line");
    assert!(!second.wait().unwrap().success());
    let mut text = String::new();
    second.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    let place = format!("cannot use the data folder {}: ", folder.path().display());
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(&place) && (text.contains(&holder) || cfg!(windows)), "{text}");

    let error = Simulator::builder().data_dir(folder.path()).start().await.expect_err("in use").to_string();
    assert!(error.contains(&place) && (error.contains(&holder) || cfg!(windows)), "{error}");

    // After a kill the system releases the lock.
    first.kill().unwrap();
    first.wait().unwrap();
    Simulator::builder().data_dir(folder.path()).start().await.unwrap();
}

#[tokio::test]
async fn rejects_a_data_folder_in_use_by_this_process() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Simulator::builder().data_dir(folder.path()).start();
    let first = start().await.unwrap();
    // A different path to the same folder.
    let other = folder.path().join("..").join(folder.path().file_name().unwrap());
    for path in [folder.path().to_owned(), other] {
        let error = Simulator::builder().data_dir(path).start().await.expect_err("in use").to_string();
        assert!(error.contains("another simulator"), "{error}");
    }
    first.shutdown().await.unwrap();
    drop(start().await.unwrap());
    drop(start().await.unwrap());
}

#[tokio::test]
async fn rejected_second_simulator_keeps_the_files_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let Some(client) = TestClient::vendored_with(TestClient::builder().data_dir(folder.path())).await else { return };
    let dossier = client.dossier("d").await;
    client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    let begun = folder.path().join("blobs/part-begun");
    std::fs::write(&begun, "an upload in progress").unwrap();
    TestClient::builder().data_dir(folder.path()).start().await.expect_err("in use");
    assert!(begun.exists(), "temporary files of the first simulator remain");
    client.file(&dossier, "b.pdf", pdf(&[&["b"]])).await;
    drop(client);
    let client = TestClient::with(TestClient::builder().data_dir(folder.path())).await;
    assert_eq!(client.get(&format!("{dossier}/files")).await.json()["files"].as_array().unwrap().len(), 2);
    assert!(!begun.exists(), "leftovers of an earlier run are deleted");
}
