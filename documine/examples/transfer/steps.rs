//! The commands, as calls of the SDK.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use documine::{
    DossierFields, DossierHandle, DownloadFileType, Package, PackageJob, PackageRequest, Source, models::DownloadId,
    wait::PackageJobRef,
};
use futures_util::TryStreamExt;
use serde_json::json;

use crate::events::{Teller, peak_rss_kib};
use crate::failure::{Failure, Result};
use crate::note;
use crate::target::Target;

pub(crate) struct Steps<'a> {
    pub(crate) target: &'a Target,
    pub(crate) teller: Teller,
}

impl Steps<'_> {
    /// Uploads what is not there yet. A file of the same name and length is taken for the same.
    pub(crate) async fn upload(&self, files: &[PathBuf], dossier: Option<&str>, noted: &Path) -> Result<()> {
        let dossier = match dossier {
            Some(id) => self.target.dossier(id).await?,
            None => self.noted_dossier(noted).await?,
        };
        let id = dossier.id().to_string();
        self.teller.tell(&json!({"event": "dossier", "id": id}), &format!("dossier {id}"));
        let there: HashSet<_> =
            // As JSON: what type a size has is the document's choice.
            dossier.files().await?.into_iter().filter_map(|file| Some((file.file_name?, json!(file.file_size).to_string()))).collect();
        let is_there = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let length = fs::metadata(path).ok().map(|facts| facts.len().to_string());
            name.zip(length).is_some_and(|file| there.contains(&file))
        };
        let left: Vec<_> = files.iter().filter(|path| !is_there(path)).cloned().collect();
        let (mut bytes, mut failed) = (0, 0);
        let lengths: Vec<_> = left.iter().map(|path| fs::metadata(path).map_or(0, |facts| facts.len())).collect();
        let mut outcomes = std::pin::pin!(dossier.upload_all(left.into_iter().map(Source::path)).stream());
        while let Some(outcome) = outcomes.try_next().await? {
            let name = &outcome.file_name;
            match &outcome.result {
                Ok(uploaded) => {
                    bytes += lengths[outcome.index];
                    let event = json!({"event": "uploaded", "name": name, "id": uploaded.id.as_str()});
                    self.teller.tell(&event, &format!("{name}: {}", uploaded.id));
                }
                Err(error) => {
                    failed += 1;
                    let event = json!({"event": "failed", "name": name, "message": error.to_string()});
                    self.teller.tell(&event, &format!("{name}: {error:#}"));
                }
            }
        }
        self.done(&id, None, bytes, bytes, 0);
        match failed {
            0 => Ok(()),
            _ => Err(Failure { kind: "some_files", message: format!("{failed} files failed"), code: 3 }),
        }
    }

    /// The dossier of an earlier run, or a new one.
    async fn noted_dossier(&self, noted: &Path) -> Result<DossierHandle> {
        if let Some(id) = note::read::<String>(noted)? {
            return self.target.dossier(&id).await;
        }
        let dossier = self.target.template().await?.create_dossier(DossierFields::named("transfer")).await?;
        note::write(noted, &dossier.id().to_string())?;
        Ok(dossier)
    }

    /// Downloads the package that an earlier run requested, or a new one; then continues like `download`.
    pub(crate) async fn package(&self, dossier: &str, to: &Path) -> Result<()> {
        let noted = note::beside(to);
        let operation = if let Some(operation) = note::read::<PackageJobRef>(&noted)? {
            self.target.client.resume(&operation)?
        } else {
            let content = PackageRequest::file_types([DownloadFileType::Original]);
            let operation = self.target.dossier(dossier).await?.create_package(content).await?;
            note::write(&noted, &operation.to_ref())?;
            operation
        };
        self.fetch(&operation, to).await?;
        // The package is complete: the next run requests a new one.
        fs::remove_file(&noted).map_err(|error| Failure::other(format!("{}: {error}", noted.display())))
    }

    pub(crate) async fn download(&self, id: &str, to: &Path) -> Result<()> {
        self.fetch(&self.operation(id)?, to).await
    }

    pub(crate) async fn wait(&self, id: &str) -> Result<()> {
        let package = self.ready(&self.operation(id)?).await?;
        self.done(package.id().as_str(), None, 0, 0, 0);
        Ok(())
    }

    fn operation(&self, id: &str) -> Result<PackageJob> {
        let id = id.parse::<DownloadId>().map_err(|error| Failure::usage(error.to_string()))?;
        Ok(self.target.client.download(id).job())
    }

    async fn ready(&self, operation: &PackageJob) -> Result<Package> {
        let (teller, id) = (self.teller, operation.id().to_string());
        let wait = operation.wait().on_state(move |state| teller.state(&id, state));
        wait.await.map_err(|error| documine::Error::from(error).into())
    }

    async fn fetch(&self, operation: &PackageJob, to: &Path) -> Result<()> {
        let package = self.ready(operation).await?;
        let saved = package.save_to(to).resumable(true).with_progress(self.teller.progress()).await?;
        let resume_offset = saved.resume_offset;
        self.done(package.id().as_str(), Some(&saved.path), saved.bytes, saved.bytes - resume_offset, resume_offset);
        Ok(())
    }

    /// The last line.
    fn done(&self, id: &str, path: Option<&Path>, bytes: u64, fetched: u64, resume_offset: u64) {
        let event = json!({
            "event": "done", "id": id, "path": path.map(|path| path.display().to_string()), "bytes": bytes, "fetched": fetched,
            "resumed_at": resume_offset, "requests": self.target.client.requests_sent(), "peak_rss_kib": peak_rss_kib(),
        });
        let place = path.map_or_else(String::new, |path| format!(" in {}", path.display()));
        self.teller.tell(&event, &format!("done: {id}{place}, {bytes} bytes, {fetched} of them moved now"));
    }
}
