//! Runs one job with the client that openapi-generator made: the same jobs and the same output as `documine-bench`.

mod jobs;

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use openapi::apis::class3_files_api::{get_files, upload_file};
use openapi::apis::class5_downloads_api::download_package;
use openapi::apis::class7_license_api::get_license;
use openapi::apis::configuration::Configuration;
use openapi::models;
use reqwest::header::{HeaderMap, HeaderValue};

use jobs::{Job, TEMPLATE, TENANT, JobError};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    job: Job,
}

#[derive(Clone)]
struct Generated(Arc<Configuration>);

impl Generated {
    fn new(base_url: &str) -> Result<Self, JobError> {
        // The generated functions cannot set X-TENANT-ID, so that the client needs a default header.
        let tenant = HeaderMap::from_iter([("x-tenant-id".parse()?, HeaderValue::from_static(TENANT))]);
        Ok(Self(Arc::new(Configuration {
            base_path: base_url.to_owned(),
            client: reqwest::Client::builder().no_proxy().default_headers(tenant).build()?,
            oauth_access_token: Some(jobs::token()),
            ..Configuration::default()
        })))
    }
}

impl jobs::Client for Generated {
    type License = models::License;
    type Files = models::FileList;

    async fn license(&self) -> Result<models::License, JobError> {
        Ok(get_license(&self.0).await?)
    }

    async fn files(&self, dossier: &str) -> Result<models::FileList, JobError> {
        Ok(get_files(&self.0, TEMPLATE, dossier).await?)
    }

    fn count(list: &models::FileList) -> usize {
        list.files.as_ref().map_or(0, Vec::len)
    }

    async fn each_file(&self, _: &str, _: &mut (dyn FnMut() + Send)) -> Result<(), JobError> {
        Err("the generated client cannot stream a list".into())
    }

    async fn upload(&self, path: &Path) -> Result<String, JobError> {
        let result = upload_file(&self.0, TEMPLATE, "1", path.to_owned(), None).await?;
        result.file_ids.and_then(|mut ids| ids.pop()).ok_or_else(|| "the upload returned no file".into())
    }

    async fn fetch(&self, package: &str) -> Result<u64, JobError> {
        let mut response = download_package(&self.0, package).await?;
        let mut came = 0;
        while let Some(piece) = response.chunk().await? {
            came += black_box(piece).len() as u64;
        }
        Ok(came)
    }

    async fn save(&self, package: &str, to: &Path) -> Result<u64, JobError> {
        jobs::write(download_package(&self.0, package).await?, to).await
    }
}

fn main() -> ExitCode {
    match Arguments::parse().job.run(Generated::new) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "documine-bench-openapi-generator: {error}");
            ExitCode::FAILURE
        }
    }
}
