//! What a careful person writes with reqwest and serde, and no more: no retry, no renewal of the token, no limit on time, unknown
//! fields dropped, an unknown enum value an error.

use std::collections::HashMap;

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::jobs::{self, TEMPLATE, TENANT, Trouble};

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

impl HandWritten {
    pub(crate) fn new(base_url: &str) -> Result<Self, Trouble> {
        // Without a proxy, like the SDK on plain HTTP.
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, base: base_url.parse()?, token: jobs::token() })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        let url = self.base.join(path)?;
        let request = self.http.get(url).bearer_auth(&self.token).header("X-TENANT-ID", TENANT);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

impl jobs::Client for HandWritten {
    type License = License;
    type Files = FileList;

    async fn license(&self) -> Result<License, Trouble> {
        self.get("api/license").await
    }

    async fn files(&self, dossier: &str) -> Result<FileList, Trouble> {
        self.get(&format!("api/dossier-templates/{TEMPLATE}/dossiers/{dossier}/files")).await
    }

    fn count(list: &FileList) -> usize {
        list.files.len()
    }
}
