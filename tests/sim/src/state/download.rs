//! A result package, and the states it passes through.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::timestamp::Timestamp;

/// A package that somebody asked for.
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
    /// Why it fails, if it does.
    pub(crate) failure: Option<String>,
    /// The finished ZIP.
    pub(crate) blob: Option<String>,
    pub(crate) size: u64,
    pub(crate) etag: String,
}

/// What a package holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PackageOptions {
    pub(crate) report_template_ids: Vec<String>,
    pub(crate) download_file_types: Vec<String>,
    pub(crate) preview_color: Option<String>,
}

impl Download {
    /// The state at this moment. A package whose time has come and that is not packed yet still counts as being made.
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

    /// Whether it should be packed now.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.ends && self.failure.is_none() && self.blob.is_none()
    }

    /// As the API shows it.
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
