//! A dossier.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::timestamp::Timestamp;

/// A group of files under one template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dossier {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) template_id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) owner_id: String,
    pub(crate) member_ids: Vec<String>,
    pub(crate) due_date: Option<String>,
    pub(crate) download_file_types: Vec<String>,
    pub(crate) report_template_ids: Vec<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) added: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) archived: Option<Timestamp>,
    pub(crate) deleted: Option<Timestamp>,
    /// The files in the order of their first upload.
    pub(crate) files: Vec<String>,
}

impl Dossier {
    /// Returns the JSON of the API.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "dossierTemplateId": self.template_id,
            "ownerId": self.owner_id,
            "memberIds": self.member_ids,
            "dueDate": self.due_date,
            "dossierStatusId": null,
            "downloadFileTypes": self.download_file_types,
            "reportTemplateIds": self.report_template_ids,
            "dossierAttributes": self.attributes,
            "dateAdded": self.added.to_rfc3339(),
            "dateModified": self.modified.to_rfc3339(),
            "archivedTime": self.archived.map(Timestamp::to_rfc3339),
            "softDeletedTime": self.deleted.map(Timestamp::to_rfc3339),
        })
    }
}
