//! Many uploads at a time.

use std::path::{Path, PathBuf};

use documine::{BoxFuture, Client, Source, UploadAll};
use futures_util::TryStreamExt;

use super::{Beside, drop_everywhere, files};
use crate::paper::pdf;

/// Three files to upload.
fn three(folder: &Path) -> Vec<PathBuf> {
    let names = ["a.pdf", "b.pdf", "c.pdf"];
    names
        .map(|name| {
            let path = folder.join(name);
            std::fs::write(&path, pdf(&[name])).unwrap();
            path
        })
        .to_vec()
}

/// Drops what `outcomes` makes of the uploads everywhere; it says whether each file has arrived.
fn uploads(outcomes: fn(UploadAll) -> BoxFuture<'static, documine::Result<Vec<bool>>>) {
    let beside = Beside::start();
    let folder = tempfile::tempdir().unwrap();
    let (paths, dossier) = (three(folder.path()), beside.dossier());
    let upload = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let outcomes = outcomes(dossier(&client).upload_all(paths.clone().into_iter().map(Source::path)));
        Box::pin(async move {
            assert_eq!(outcomes.await?, [true; 3]);
            Ok(())
        })
    };
    drop_everywhere(&beside, upload, || assert_eq!(files(folder.path()), ["a.pdf", "b.pdf", "c.pdf"]));
}

#[test]
fn many_files_that_are_awaited_as_a_whole() {
    uploads(|all| Box::pin(async move { Ok(all.await?.iter().map(|outcome| outcome.result.is_ok()).collect()) }));
}

#[test]
fn many_files_whose_outcomes_are_taken_as_they_come() {
    uploads(|all| Box::pin(all.with_concurrency(2).stream().map_ok(|outcome| outcome.result.is_ok()).try_collect()));
}
