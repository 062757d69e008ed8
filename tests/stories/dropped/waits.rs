//! Waits, alone and in company, and work that is given up.

use std::future::IntoFuture;

use documine::{
    BoxFuture, Client, DownloadFileType, Error, FileHandle, FileStatus, OperationRef, PackageContent, ProcessingStatus,
    Source,
};
use futures_util::future::try_join_all;

use super::{Beside, drop_everywhere, drop_everywhere_and_go_on, nothing};
use crate::paper::INVOICE;

/// A way to so many files that are processed.
fn files(beside: &Beside, count: usize) -> impl Fn(&Client) -> Vec<FileHandle> + Clone + use<> {
    let (client, dossier) = (beside.client(), beside.dossier());
    let ids: Vec<_> = beside.runtime.block_on(async {
        let mut ids = Vec::new();
        for number in 0..count {
            let uploaded = dossier(&client).upload(Source::bytes(format!("{number}.pdf"), INVOICE)).await.unwrap();
            ids.push(uploaded.processed().await.unwrap().id().clone());
        }
        ids
    });
    move |client| ids.iter().map(|id| dossier(client).file(id)).collect()
}

/// Has them analysed once more, so that there is something to wait for.
fn anew(control: &documine_sim::Control, files: &[FileHandle]) {
    for file in files {
        control.reanalyse(file.id().as_str()).unwrap();
    }
}

#[test]
fn a_wait_for_a_file() {
    let beside = Beside::start();
    let (files, control) = (files(&beside, 1), beside.sim.control());
    let wait = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let files = files(&client);
        anew(&control, &files);
        Box::pin(async move { files[0].processed().await.map_err(Error::from) })
    };
    drop_everywhere(&beside, wait, nothing);
}

#[test]
fn a_wait_for_the_files_of_a_dossier() {
    let beside = Beside::start();
    let (dossier, control) = (beside.dossier(), beside.sim.control());
    let client = beside.client();
    let file = beside.runtime.block_on(dossier(&client).upload(Source::bytes("a.pdf", INVOICE)).send()).unwrap();
    let _processed = beside.runtime.block_on(file.processed().into_future()).unwrap();
    let wait = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let dossier = dossier(&client);
        control.reanalyse(file.id.as_str()).unwrap();
        let done = |file: &FileStatus| file.processing_status == Some(ProcessingStatus::Processed);
        let wait = dossier.files_until(move |files: &Vec<FileStatus>| files.iter().all(done));
        Box::pin(async move { wait.await.map_err(Error::from) })
    };
    drop_everywhere(&beside, wait, nothing);
}

#[test]
fn waits_that_share_their_looks() {
    let beside = Beside::start();
    let (files, control) = (files(&beside, 3), beside.sim.control());
    let wait = |client: Client, files: Vec<FileHandle>| -> BoxFuture<'static, documine::Result<()>> {
        Box::pin(async move {
            let _client = client;
            try_join_all(files.iter().map(|file| file.processed().into_future())).await.map_err(Error::from)?;
            Ok(())
        })
    };
    let again = files.clone();
    drop_everywhere_and_go_on(
        &beside,
        |client| {
            anew(&control, &files(&client));
            let files = files(&client);
            wait(client, files)
        },
        // Those that come later wait for the same.
        |client| {
            let files = again(&client);
            wait(client, files)
        },
        nothing,
    );
}

fn originals() -> PackageContent {
    PackageContent::file_types([DownloadFileType::Original])
}

#[test]
fn a_package_that_is_asked_for_noted_down_and_waited_for() {
    let beside = Beside::start();
    let files = files(&beside, 1);
    let wait = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let file = files(&client).remove(0);
        Box::pin(async move {
            let noted: OperationRef = file.create_package(originals()).await?.to_ref();
            client.resume(&noted)?.wait().await.map_err(Error::from)
        })
    };
    drop_everywhere(&beside, wait, nothing);
}

#[test]
fn a_package_that_is_given_up() {
    let beside = Beside::start();
    let files = files(&beside, 1);
    let give_up = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let file = files(&client).remove(0);
        Box::pin(async move { file.create_package(originals()).await?.cancel().await })
    };
    drop_everywhere(&beside, give_up, nothing);
}

#[test]
fn a_file_that_is_deleted() {
    let beside = Beside::start();
    let dossier = beside.dossier();
    let delete = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let dossier = dossier(&client);
        Box::pin(async move {
            let uploaded = dossier.upload(Source::bytes("a.pdf", INVOICE)).await?;
            dossier.file(&uploaded.id).delete().permanently().await
        })
    };
    drop_everywhere(&beside, delete, nothing);
}
