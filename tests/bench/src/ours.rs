//! The SDK.

use documine::{Client, Credentials, DossierId, DossierTemplateId, FileStatus, License};

use crate::jobs::{self, TEMPLATE, TENANT, Trouble};

#[derive(Clone)]
pub(crate) struct Ours(Client);

impl Ours {
    pub(crate) fn new(base_url: &str) -> Result<Self, Trouble> {
        let credentials = Credentials::access_token(jobs::token());
        Ok(Self(Client::builder(base_url).workspace(TENANT).credentials(credentials).build()?))
    }
}

impl jobs::Client for Ours {
    type License = License;
    type Files = Vec<FileStatus>;

    async fn license(&self) -> Result<License, Trouble> {
        Ok(self.0.license().await?)
    }

    async fn files(&self, dossier: &str) -> Result<Vec<FileStatus>, Trouble> {
        let template = self.0.dossier_template(DossierTemplateId::new(TEMPLATE)?);
        Ok(template.dossier(DossierId::new(dossier)?).files().await?)
    }

    fn count(files: &Vec<FileStatus>) -> usize {
        files.len()
    }
}
