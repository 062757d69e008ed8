//! A user of the workspace.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A user of the workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) roles: Vec<String>,
}

impl User {
    /// Returns the JSON of the API.
    pub(crate) fn to_json(&self, workspace: &str) -> Value {
        let mail = if self.username.contains('@') {
            self.username.clone()
        } else {
            format!("{}@{workspace}.example", self.username)
        };
        json!({
            "id": self.id,
            "username": self.username,
            "email": mail,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "roles": self.roles,
        })
    }
}
