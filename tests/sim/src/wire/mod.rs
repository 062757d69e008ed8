//! Translation to the names of another document. The simulator uses the names of its contract internally.
//!
//! The build writes a mapping from the contract to the document in use ([`documine_api::document::MAPPING`]). The mapping translates query
//! parameters, fields and form parts of requests, and fields, status and media type of successful responses. Errors, XML and paging fields stay
//! unchanged. For the vendored document no translation takes place. The README of this crate has the details.
//!
//! The functions of this module are for tests that write requests or responses by hand.
//!
//! ```
//! // Only another document changes the spelling.
//! let body = documine_sim::wire::answer("getFile", r#"{"id": "f-1", "processingStatus": "PROCESSED"}"#);
//! assert!(body.contains("PROCESSED"));
//! ```

mod mapping;
mod ordered_json;
mod response;

use std::sync::OnceLock;

pub(crate) use mapping::{WireMapping, WireOperation};
pub(crate) use ordered_json::OrderedJson;
pub(crate) use response::FaultOverrides;

/// Returns the mapping in use. `None` if the document uses the contract's names.
pub(crate) fn current() -> Option<&'static WireMapping> {
    read().as_ref().ok()?.as_ref()
}

/// Returns why the mapping of this build is invalid.
pub(crate) fn mapping_error() -> Option<&'static str> {
    read().as_ref().err().map(String::as_str)
}

fn read() -> &'static Result<Option<WireMapping>, String> {
    static WIRE: OnceLock<Result<Option<WireMapping>, String>> = OnceLock::new();
    WIRE.get_or_init(|| WireMapping::read(documine_api::document::MAPPING, documine_api::document::IS_RECONSTRUCTION))
}

/// Translates the JSON of a successful response from the contract's names to the document in use. Text that is not JSON is returned unchanged.
pub fn answer(operation: &str, json: &str) -> String {
    let translated = current().and_then(|wire| {
        let tree = serde_json::from_str(json).ok()?;
        serde_json::to_string(&wire.translate(wire.operation(operation)?.answers.as_deref(), tree, true)).ok()
    });
    translated.unwrap_or_else(|| json.to_owned())
}

/// Returns the document's name of a query parameter. `None` if it is missing in the document.
pub fn query(operation: &str, name: &'static str) -> Option<&'static str> {
    match current().and_then(|wire| wire.operation(operation)) {
        Some(operation) => operation.query(name),
        None => Some(name),
    }
}

/// Returns the document's name of a field of a contract model (`FileStatus`). `None` if it is missing in the document.
pub fn field(model: &str, name: &'static str) -> Option<&'static str> {
    match current().and_then(|wire| wire.shape(model)) {
        Some(shape) => shape.wire(name),
        None => Some(name),
    }
}

/// Returns whether the document in use offers XML for an operation.
pub fn has_xml(operation: &str) -> bool {
    current().is_none_or(|wire| wire.operation(operation).is_some_and(WireOperation::has_xml))
}

/// Returns the form part that replaces a query parameter in the document in use. `None` if the parameter is not a form part.
pub fn form_part(operation: &str, name: &str) -> Option<&'static str> {
    let parts = documine_api::operations::operation(operation)?.parts;
    parts.iter().find(|(known, ..)| *known == name).map(|(_, part, _)| *part)
}

/// Returns the name of the form part with the uploaded file.
pub fn part() -> &'static str {
    documine_api::operations::operation("uploadFile").and_then(|upload| upload.part).unwrap_or("file")
}
