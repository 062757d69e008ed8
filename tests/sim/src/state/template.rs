//! A dossier template with its report templates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::timestamp::Timestamp;

/// A dossier template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created_by: String,
    pub(crate) added: Timestamp,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_to: Option<Timestamp>,
    pub(crate) status: String,
    /// The names of the report templates, by id.
    pub(crate) reports: BTreeMap<String, String>,
}

impl Template {
    /// Returns the JSON of the API.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "dateAdded": self.added.to_rfc3339(),
            "dateModified": self.added.to_rfc3339(),
            "createdBy": self.created_by,
            "modifiedBy": self.created_by,
            "validFrom": self.valid_from.to_rfc3339(),
            "validTo": self.valid_to.map(Timestamp::to_rfc3339),
            "status": self.status,
            "removeWatermark": false,
        })
    }
}
