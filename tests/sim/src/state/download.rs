//! A result package and its states.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::timestamp::Timestamp;

/// A requested package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Download {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) template_id: String,
    pub(crate) dossier_id: String,
    pub(crate) file_ids: Vec<String>,
    pub(crate) file_name: String,
    pub(crate) options: PackageOptions,
    pub(crate) created: Timestamp,
    pub(crate) begins: Timestamp,
    pub(crate) ends: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) fetched: Option<Timestamp>,
    /// The reason of a failure, if the package fails.
    pub(crate) failure: Option<String>,
    /// The blob of the finished ZIP.
    pub(crate) blob: Option<String>,
    pub(crate) size: u64,
    pub(crate) etag: String,
}

/// The options of a package request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PackageOptions {
    pub(crate) report_template_ids: Vec<String>,
    pub(crate) download_file_types: Vec<String>,
    pub(crate) preview_color: Option<String>,
}

impl Download {
    /// Returns the state at `now`. A package that is due but not built yet counts as GENERATING.
    pub(crate) fn state(&self, now: Timestamp) -> &'static str {
        if now < self.begins {
            "QUEUED"
        } else if now < self.ends {
            "GENERATING"
        } else if self.failure.is_some() {
            "FAILED"
        } else if self.blob.is_some() {
            "READY"
        } else {
            "GENERATING"
        }
    }

    /// Returns whether the package should be built now.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.ends && self.failure.is_none() && self.blob.is_none()
    }

    /// Returns the JSON of the API.
    pub(crate) fn to_json(&self, now: Timestamp) -> Value {
        let state = self.state(now);
        json!({
            "downloadId": self.id,
            "dossierTemplateId": self.template_id,
            "dossierId": self.dossier_id,
            "fileIds": self.file_ids,
            "fileName": self.file_name,
            "mimeType": "application/zip",
            "fileSize": (state == "READY").then_some(self.size),
            "status": state,
            "creationDate": self.created.to_rfc3339(),
            "lastDownload": self.fetched.map(Timestamp::to_rfc3339),
            "errorMessage": self.failure.as_ref().filter(|_| state == "FAILED"),
        })
    }
}
