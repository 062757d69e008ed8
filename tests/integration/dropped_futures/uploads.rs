//! Dropped uploads of many files.

use std::path::{Path, PathBuf};

use documine::{BoxFuture, Client, request::UploadFiles};
use futures_util::TryStreamExt;

use super::{IsolatedSimulator, drop_after_each_poll};
use crate::harness::file_names;
use crate::harness::pdf_fixtures::pdf;

/// Writes three files to upload.
fn three_paths(folder: &Path) -> Vec<PathBuf> {
    let names = ["a.pdf", "b.pdf", "c.pdf"];
    names
        .map(|name| {
            let path = folder.join(name);
            std::fs::write(&path, pdf(&[name])).unwrap();
            path
        })
        .to_vec()
}

/// Drops the uploads after each poll; `outcomes` returns whether each file was uploaded.
fn drop_uploads(outcomes: fn(UploadFiles) -> BoxFuture<'static, documine::Result<Vec<bool>>>) {
    let isolated = IsolatedSimulator::start();
    let folder = tempfile::tempdir().unwrap();
    let (paths, dossier) = (three_paths(folder.path()), isolated.dossier());
    let upload = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let outcomes = outcomes(dossier(&client).upload_all(paths.clone()));
        Box::pin(async move {
            assert_eq!(outcomes.await?, [true; 3]);
            Ok(())
        })
    };
    drop_after_each_poll(&isolated, upload, || assert_eq!(file_names(folder.path()), ["a.pdf", "b.pdf", "c.pdf"]));
}

#[test]
fn dropped_upload_all_leaves_nothing() {
    drop_uploads(|all| Box::pin(async move { Ok(all.await?.iter().map(|outcome| outcome.result.is_ok()).collect()) }));
}

#[test]
fn dropped_upload_outcome_stream_leaves_nothing() {
    drop_uploads(|all| {
        Box::pin(all.with_concurrency(2).stream().map_ok(|outcome| outcome.result.is_ok()).try_collect())
    });
}
