//! Another document's names, at the edge: the simulator thinks in the names of its contract, and speaks those of the document in use.
//!
//! The build says where the document has what the contract names ([`documine_api::document::MAPPING`]). By that, query parameters, fields and
//! the part of a form are read in the document's spelling, and an answer of success gets the document's fields, status and media type: see
//! the README beside this crate. Errors, XML and what pages add to a list stay as they are. For the document that comes with the SDK all of
//! this is switched off.
//!
//! The functions here are for tests that make requests or answers by hand.
//!
//! ```
//! // Only another document spells it otherwise.
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

/// How the document in use spells things; `None` if that is what the contract says anyway.
pub(crate) fn current() -> Option<&'static WireMapping> {
    read().as_ref().ok()?.as_ref()
}

/// Why the mapping of this build is of no use.
pub(crate) fn mapping_error() -> Option<&'static str> {
    read().as_ref().err().map(String::as_str)
}

fn read() -> &'static Result<Option<WireMapping>, String> {
    static WIRE: OnceLock<Result<Option<WireMapping>, String>> = OnceLock::new();
    WIRE.get_or_init(|| WireMapping::read(documine_api::document::MAPPING, documine_api::document::IS_RECONSTRUCTION))
}

/// The JSON of a successful answer of an operation, given in the contract's names, as the document in use spells it. A text that is no
/// JSON comes back as it is.
pub fn answer(operation: &str, json: &str) -> String {
    let translated = current().and_then(|wire| {
        let tree = serde_json::from_str(json).ok()?;
        serde_json::to_string(&wire.translate(wire.operation(operation)?.answers.as_deref(), tree, true)).ok()
    });
    translated.unwrap_or_else(|| json.to_owned())
}

/// What the document in use calls a query parameter of an operation; `None` if it does not have it.
pub fn query(operation: &str, name: &'static str) -> Option<&'static str> {
    match current().and_then(|wire| wire.operation(operation)) {
        Some(operation) => operation.query(name),
        None => Some(name),
    }
}

/// What the document in use calls a field of one of the contract's models (`FileStatus`); `None` if it does not have it.
pub fn field(model: &str, name: &'static str) -> Option<&'static str> {
    match current().and_then(|wire| wire.shape(model)) {
        Some(shape) => shape.wire(name),
        None => Some(name),
    }
}

/// Whether the document in use has the answer of an operation as XML, too.
pub fn has_xml(operation: &str) -> bool {
    current().is_none_or(|wire| wire.operation(operation).is_some_and(WireOperation::has_xml))
}

/// The part of a form that the document in use has in place of a query parameter of an operation; `None` if that is no part.
pub fn form_part(operation: &str, name: &str) -> Option<&'static str> {
    let parts = documine_api::operations::operation(operation)?.parts;
    parts.iter().find(|(known, ..)| *known == name).map(|(_, part, _)| *part)
}

/// The part of the form that cardinality an uploaded file.
pub fn part() -> &'static str {
    documine_api::operations::operation("uploadFile").and_then(|upload| upload.part).unwrap_or("file")
}
