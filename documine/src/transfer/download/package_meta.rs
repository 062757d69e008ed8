//! Metadata of a package from the headers of a response.

use serde::{Deserialize, Serialize};

use super::validator::Validator;

/// Length, validator and file name of a package, as stated by the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackageMeta {
    /// Length of the whole package in bytes.
    #[serde(default)]
    pub(crate) length: Option<u64>,
    #[serde(default)]
    pub(crate) validator: Option<Validator>,
    /// File name suggested by the service.
    #[serde(default)]
    pub(crate) name: Option<String>,
}
