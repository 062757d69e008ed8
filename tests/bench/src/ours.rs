//! The jobs with the SDK.

use std::hint::black_box;
use std::path::Path;

use documine::{
    Client, Credentials, DossierHandle, DossierTemplateId, Package, Source,
    models::{DossierId, DownloadId, FileStatus, License},
};
use futures_util::TryStreamExt;

use crate::jobs::{self, JobError, TEMPLATE, TENANT};

#[derive(Clone)]
pub(crate) struct Ours(Client);

impl Ours {
    pub(crate) fn new(base_url: &str) -> Result<Self, JobError> {
        let credentials = Credentials::access_token(jobs::token());
        Ok(Self(Client::builder(base_url).workspace(TENANT).credentials(credentials).build()?))
    }

    fn dossier(&self, id: &str) -> Result<DossierHandle, JobError> {
        Ok(self.0.dossier_template(DossierTemplateId::new(TEMPLATE)?).dossier(DossierId::new(id)?))
    }

    async fn package(&self, id: &str) -> Result<Package, JobError> {
        Ok(self.0.download(DownloadId::new(id)?).job().wait().await?)
    }
}

impl jobs::Client for Ours {
    type License = License;
    type Files = Vec<FileStatus>;

    async fn license(&self) -> Result<License, JobError> {
        Ok(self.0.license().await?)
    }

    async fn files(&self, dossier: &str) -> Result<Vec<FileStatus>, JobError> {
        Ok(self.dossier(dossier)?.files().await?)
    }

    fn count(files: &Vec<FileStatus>) -> usize {
        files.len()
    }

    async fn each_file(&self, dossier: &str, seen: &mut (dyn FnMut() + Send)) -> Result<(), JobError> {
        let mut files = std::pin::pin!(self.dossier(dossier)?.files().stream());
        while let Some(file) = files.try_next().await? {
            black_box(file);
            seen();
        }
        Ok(())
    }

    async fn upload(&self, path: &Path) -> Result<String, JobError> {
        Ok(self.dossier("1")?.upload(Source::path(path)).await?.id.to_string())
    }

    async fn fetch(&self, package: &str) -> Result<u64, JobError> {
        let mut bytes = self.package(package).await?.stream().await?;
        let mut came = 0;
        while let Some(piece) = bytes.try_next().await? {
            came += black_box(piece).len() as u64;
        }
        Ok(came)
    }

    async fn save(&self, package: &str, to: &Path) -> Result<u64, JobError> {
        Ok(self.package(package).await?.save_to(to).await?.bytes)
    }
}
