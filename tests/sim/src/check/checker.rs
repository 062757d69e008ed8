//! The checker: one compiled OpenAPI document.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use super::compile::{self, OperationSpec};
use super::schema::Strictness;

/// Checks requests and responses against one OpenAPI document. Schemas are compiled once, on creation.
pub struct Checker {
    pub(super) operations: HashMap<String, OperationSpec>,
    pub(super) strictness: Strictness,
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker").field("operations", &self.operations.len()).finish_non_exhaustive()
    }
}

impl Checker {
    /// Compiles an OpenAPI 3.0 document (JSON).
    pub fn new(document: &str) -> Result<Self, String> {
        let document = serde_json::from_str(document).map_err(|error| format!("the document is not JSON: {error}"))?;
        Ok(Self {
            operations: compile::operations(&document, Strictness::Strict, &compile::by_id)?,
            strictness: Strictness::Strict,
        })
    }

    /// Creates the checker of the vendored document, whose operations have the names and paths of the table of operations.
    fn for_this_build() -> Result<Self, String> {
        let ours = documine_api::document::IS_RECONSTRUCTION;
        let strictness = if ours { Strictness::Strict } else { Strictness::Lenient };
        let document = serde_json::from_str(documine_api::DOCUMENT)
            .map_err(|error| format!("the document is not JSON: {error}"))?;
        Ok(Self { operations: compile::operations(&document, strictness, &compile::by_table)?, strictness })
    }

    /// Returns the checker of the document that the build was made from, compiled once per process.
    pub fn vendored() -> Result<&'static Self, &'static str> {
        static VENDORED: OnceLock<Result<Checker, String>> = OnceLock::new();
        VENDORED.get_or_init(Self::for_this_build).as_ref().map_err(String::as_str)
    }
}
