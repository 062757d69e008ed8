//! Dropped waits, single and shared, and dropped cancellations.

use std::future::IntoFuture;

use documine::{
    BoxFuture, Client, Error, FileHandle, Source,
    models::{FileStatus, ProcessingStatus},
    wait::PackageJobRef,
};
use futures_util::future::try_join_all;

use super::{IsolatedSimulator, drop_after_each_poll, drop_after_each_poll_then, no_check};
use crate::harness::pdf_fixtures::INVOICE;
use crate::harness::test_env::originals;

/// Returns a function that opens `count` processed files with a given client.
fn processed_files(isolated: &IsolatedSimulator, count: usize) -> impl Fn(&Client) -> Vec<FileHandle> + Clone + use<> {
    let (client, dossier) = (isolated.client(), isolated.dossier());
    let ids: Vec<_> = isolated.runtime.block_on(async {
        let mut ids = Vec::new();
        for number in 0..count {
            let uploaded = dossier(&client).upload(Source::bytes(format!("{number}.pdf"), INVOICE)).await.unwrap();
            ids.push(uploaded.wait_until_processed().await.unwrap().id().clone());
        }
        ids
    });
    move |client| ids.iter().map(|id| dossier(client).file(id)).collect()
}

/// Starts another analysis of each file, so that there is something to wait for.
fn reanalyse_all(control: &documine_sim::Control, files: &[FileHandle]) {
    for file in files {
        control.reanalyse(file.id().as_str()).unwrap();
    }
}

#[test]
fn dropped_wait_for_file_leaves_nothing() {
    let isolated = IsolatedSimulator::start();
    let (files, control) = (processed_files(&isolated, 1), isolated.sim.control());
    let wait = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let files = files(&client);
        reanalyse_all(&control, &files);
        Box::pin(async move { files[0].wait_until_processed().await.map_err(Error::from) })
    };
    drop_after_each_poll(&isolated, wait, no_check);
}

#[test]
fn dropped_wait_for_dossier_leaves_nothing() {
    let isolated = IsolatedSimulator::start();
    let (dossier, control) = (isolated.dossier(), isolated.sim.control());
    let client = isolated.client();
    let file = isolated.runtime.block_on(dossier(&client).upload(Source::bytes("a.pdf", INVOICE)).send()).unwrap();
    let _processed = isolated.runtime.block_on(file.wait_until_processed().into_future()).unwrap();
    let wait = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let dossier = dossier(&client);
        control.reanalyse(file.id.as_str()).unwrap();
        let done = |file: &FileStatus| file.processing_status == Some(ProcessingStatus::Processed);
        let wait = dossier.wait_until_files(move |files: &Vec<FileStatus>| files.iter().all(done));
        Box::pin(async move { wait.await.map_err(Error::from) })
    };
    drop_after_each_poll(&isolated, wait, no_check);
}

#[test]
fn dropped_shared_waits_leave_nothing() {
    let isolated = IsolatedSimulator::start();
    let (files, control) = (processed_files(&isolated, 3), isolated.sim.control());
    let wait = |client: Client, files: Vec<FileHandle>| -> BoxFuture<'static, documine::Result<()>> {
        Box::pin(async move {
            let _client = client;
            try_join_all(files.iter().map(|file| file.wait_until_processed().into_future()))
                .await
                .map_err(Error::from)?;
            Ok(())
        })
    };
    let later_files = files.clone();
    drop_after_each_poll_then(
        &isolated,
        |client| {
            reanalyse_all(&control, &files(&client));
            let files = files(&client);
            wait(client, files)
        },
        // Later waits share the same polls.
        |client| {
            let files = later_files(&client);
            wait(client, files)
        },
        no_check,
    );
}

#[test]
fn dropped_resumed_package_wait_leaves_nothing() {
    let isolated = IsolatedSimulator::start();
    let files = processed_files(&isolated, 1);
    let wait = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let file = files(&client).remove(0);
        Box::pin(async move {
            let reference: PackageJobRef = file.create_package(originals()).await?.to_ref();
            client.resume(&reference)?.wait().await.map_err(Error::from)
        })
    };
    drop_after_each_poll(&isolated, wait, no_check);
}

#[test]
fn dropped_package_cancel_leaves_nothing() {
    let isolated = IsolatedSimulator::start();
    let files = processed_files(&isolated, 1);
    let give_up = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let file = files(&client).remove(0);
        Box::pin(async move { file.create_package(originals()).await?.cancel().await })
    };
    drop_after_each_poll(&isolated, give_up, no_check);
}

#[test]
fn dropped_file_deletion_leaves_nothing() {
    let isolated = IsolatedSimulator::start();
    let dossier = isolated.dossier();
    let delete = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let dossier = dossier(&client);
        Box::pin(async move {
            let uploaded = dossier.upload(Source::bytes("a.pdf", INVOICE)).await?;
            dossier.file(&uploaded.id).delete().permanently(true).await
        })
    };
    drop_after_each_poll(&isolated, delete, no_check);
}
