//! One simulator at a time uses a data folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use documine_sim::Simulator;
use support::{Desk, pdf};

fn spawn(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_documine-sim"))
        .arg("--data")
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The first line on standard output; empty if the process ended without one.
fn ready_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line
}

#[tokio::test]
async fn refuses_a_data_folder_that_another_process_uses() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = spawn(folder.path());
    assert!(ready_line(&mut first).starts_with('{'));
    let holder = format!("in use by another simulator (process {})", first.id());

    let mut second = spawn(folder.path());
    assert_eq!(ready_line(&mut second), "", "nothing is announced");
    assert!(!second.wait().unwrap().success());
    let mut text = String::new();
    second.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    let place = format!("can't use the data folder {}: ", folder.path().display());
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(&place) && (text.contains(&holder) || cfg!(windows)), "{text}");

    let error = Simulator::builder().data_dir(folder.path()).start().await.expect_err("in use").to_string();
    assert!(error.contains(&place) && (error.contains(&holder) || cfg!(windows)), "{error}");

    // Killed without warning: the system releases the lock.
    first.kill().unwrap();
    first.wait().unwrap();
    Simulator::builder().data_dir(folder.path()).start().await.unwrap();
}

#[tokio::test]
async fn refuses_a_data_folder_twice_in_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Simulator::builder().data_dir(folder.path()).start();
    let first = start().await.unwrap();
    // Another spelling of the same folder.
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
async fn the_first_simulator_keeps_its_files_when_a_second_one_is_refused() {
    if support::other_document() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::with(Desk::builder().data_dir(folder.path())).await;
    let dossier = desk.dossier("d").await;
    desk.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    let begun = folder.path().join("blobs/part-begun");
    std::fs::write(&begun, "an upload in progress").unwrap();
    Desk::builder().data_dir(folder.path()).start().await.expect_err("in use");
    assert!(begun.exists(), "temporary files of the first one stay");
    desk.file(&dossier, "b.pdf", pdf(&[&["b"]])).await;
    drop(desk);
    let desk = Desk::with(Desk::builder().data_dir(folder.path())).await;
    assert_eq!(desk.get(&format!("{dossier}/files")).await.json()["files"].as_array().unwrap().len(), 2);
    assert!(!begun.exists(), "left over from an earlier run");
}
