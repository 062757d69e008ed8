//! A dossier.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::time::Stamp;

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
    pub(crate) added: Stamp,
    pub(crate) modified: Stamp,
    pub(crate) archived: Option<Stamp>,
    pub(crate) deleted: Option<Stamp>,
    /// Its files in the order of their first upload.
    pub(crate) files: Vec<String>,
}

impl Dossier {
    /// As the API shows it.
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
            "dateAdded": self.added.text(),
            "dateModified": self.modified.text(),
            "archivedTime": self.archived.map(Stamp::text),
            "softDeletedTime": self.deleted.map(Stamp::text),
        })
    }
}
