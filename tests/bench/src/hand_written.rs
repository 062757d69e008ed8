//! The jobs with hand-written reqwest and serde: no retries, no token refresh, no timeouts; unknown fields are dropped and unknown enum values are errors.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

use futures_util::TryStreamExt;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, RequestBuilder, Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_util::io::ReaderStream;

use crate::jobs::{self, JobError, TEMPLATE, TENANT};

#[derive(Clone)]
pub(crate) struct HandWritten {
    http: reqwest::Client,
    base: Url,
    token: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoded to be measured, not to be read")]
pub(crate) struct License {
    id: Option<String>,
    name: Option<String>,
    active: Option<bool>,
    product: Option<String>,
    licensed_to: Option<String>,
    licensed_pages: Option<i64>,
    valid_from: Option<String>,
    valid_to: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FileList {
    files: Vec<FileStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoded to be measured, not to be read")]
struct FileStatus {
    id: String,
    file_name: Option<String>,
    dossier_id: Option<String>,
    dossier_template_id: Option<String>,
    file_size: Option<i64>,
    number_of_pages: Option<i64>,
    workflow_status: Option<WorkflowStatus>,
    processing_status: Option<ProcessingStatus>,
    excluded: Option<bool>,
    assignee: Option<String>,
    #[serde(default)]
    file_attributes: HashMap<String, String>,
    added: Option<String>,
    last_updated: Option<String>,
    last_processed: Option<String>,
    soft_deleted_time: Option<String>,
    error_message: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum WorkflowStatus {
    New,
    UnderReview,
    UnderApproval,
    Approved,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ProcessingStatus {
    Unprocessed,
    Processing,
    OcrProcessingQueued,
    OcrProcessing,
    Analyse,
    Reprocess,
    #[serde(rename = "FULLREPROCESS")]
    FullReprocess,
    Indexing,
    Processed,
    Error,
    Deleted,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Uploaded {
    file_ids: Vec<String>,
}

fn files_of(dossier: &str) -> String {
    format!("api/dossier-templates/{TEMPLATE}/dossiers/{dossier}/files")
}

impl HandWritten {
    pub(crate) fn new(base_url: &str) -> Result<Self, JobError> {
        // No proxy, like the SDK on plain HTTP.
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, base: base_url.parse()?, token: jobs::token() })
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, JobError> {
        let request = self.http.request(method, self.base.join(path)?);
        Ok(request.bearer_auth(&self.token).header("X-TENANT-ID", TENANT))
    }

    async fn response(&self, path: &str) -> Result<Response, JobError> {
        Ok(self.request(Method::GET, path)?.send().await?.error_for_status()?)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, JobError> {
        Ok(self.response(path).await?.json().await?)
    }
}

impl jobs::Client for HandWritten {
    type License = License;
    type Files = FileList;

    async fn license(&self) -> Result<License, JobError> {
        self.get("api/license").await
    }

    async fn files(&self, dossier: &str) -> Result<FileList, JobError> {
        self.get(&files_of(dossier)).await
    }

    fn count(list: &FileList) -> usize {
        list.files.len()
    }

    /// Decodes into the models of the SDK, so that only the decoding differs.
    async fn each_file(&self, dossier: &str, seen: &mut (dyn FnMut() + Send)) -> Result<(), JobError> {
        let body = self.response(&files_of(dossier)).await?.bytes().await?;
        let list: documine::api::types::FileList = serde_json::from_slice(&body)?;
        for file in list.files {
            black_box(file);
            seen();
        }
        Ok(())
    }

    async fn upload(&self, path: &Path) -> Result<String, JobError> {
        let file = tokio::fs::File::open(path).await?;
        let length = file.metadata().await?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Chunks of the same size as the SDK's; the 4 KiB chunks of `Body::from(file)` take ten times as long.
        let body = Body::wrap_stream(ReaderStream::with_capacity(file, 64 * 1024));
        let part = Part::stream_with_length(body, length).file_name(name).mime_str("application/pdf")?;
        let request = self.request(Method::POST, &files_of("1"))?.multipart(Form::new().part("file", part));
        let mut result: Uploaded = request.send().await?.error_for_status()?.json().await?;
        result.file_ids.pop().ok_or_else(|| "the upload returned no file".into())
    }

    async fn fetch(&self, package: &str) -> Result<u64, JobError> {
        let mut bytes = self.response(&format!("api/downloads/{package}/download")).await?.bytes_stream();
        let mut came = 0;
        while let Some(piece) = bytes.try_next().await? {
            came += black_box(piece).len() as u64;
        }
        Ok(came)
    }

    async fn save(&self, package: &str, to: &Path) -> Result<u64, JobError> {
        jobs::write(self.response(&format!("api/downloads/{package}/download")).await?, to).await
    }
}
