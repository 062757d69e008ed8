//! Fields of a JSON request body; `null` counts as absent.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::api_error::{ApiError, excerpt};
use crate::state::Template;
use crate::timestamp::Timestamp;

/// The versions of a document that a package can hold.
const FILE_TYPES: [&str; 6] = ["ORIGINAL", "PREVIEW", "DELTA_PREVIEW", "REDACTED", "ANNOTATED", "FLATTEN"];

fn type_error(name: &str, kind: &str) -> ApiError {
    ApiError::bad_request(format!("The field {name} must be {kind}."))
}

pub(super) fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(type_error(name, "a text")),
    }
}

pub(super) fn texts(object: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, ApiError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            texts.map(Some).ok_or_else(|| type_error(name, "a list of texts"))
        }
        Some(_) => Err(type_error(name, "a list of texts")),
    }
}

pub(super) fn text_map(object: &Map<String, Value>, name: &str) -> Result<Option<BTreeMap<String, String>>, ApiError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => {
            let pairs = map.iter().map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            pairs.collect::<Option<BTreeMap<_, _>>>().map(Some).ok_or_else(|| type_error(name, "an object of texts"))
        }
        Some(_) => Err(type_error(name, "an object of texts")),
    }
}

/// Reads a date-time and returns it in the API's notation.
pub(super) fn moment(object: &Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    let Some(text) = text(object, name)? else { return Ok(None) };
    let moment =
        Timestamp::parse(&text).ok_or_else(|| type_error(name, "a date and time like 2024-01-31T00:00:00Z"))?;
    Ok(Some(moment.to_rfc3339()))
}

pub(super) fn file_types(object: &Map<String, Value>) -> Result<Option<Vec<String>>, ApiError> {
    let types = texts(object, "downloadFileTypes")?;
    for kind in types.iter().flatten() {
        if !FILE_TYPES.contains(&kind.as_str()) {
            return Err(ApiError::bad_request(format!(
                "{} is not a download file type; use one of {}.",
                excerpt(kind),
                FILE_TYPES.join(", ")
            )));
        }
    }
    Ok(types)
}

/// Returns the name of a report template.
pub(super) fn report_template<'a>(template: &'a Template, id: &str) -> Result<&'a str, ApiError> {
    let found = template.reports.get(id).map(String::as_str);
    found.ok_or_else(|| {
        ApiError::not_found(format!(
            "There is no report template {} in the dossier template {}.",
            excerpt(id),
            template.name
        ))
    })
}
