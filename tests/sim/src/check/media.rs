//! The media types of bodies, for requests and responses.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::compile::MediaSpec;
use super::document::{covers, essence, is_json};
use super::violation::Findings;

/// Finds the documented media type of a body, and returns the content type with it. Reports a missing or undocumented content type.
pub(super) fn declared_media<'a>(
    content: &'a [MediaSpec],
    headers: &'a HeaderMap,
    findings: &mut Findings<'_>,
) -> Option<(&'a MediaSpec, &'a str)> {
    let Some(given) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        findings.add("content-type", "missing");
        return None;
    };
    let media = content.iter().find(|media| covers(&media.name, &essence(given)));
    if media.is_none() {
        let known: Vec<&str> = content.iter().map(|media| media.name.as_str()).collect();
        findings.add("content-type", format!("`{given}` instead of {}", known.join(" or ")));
    }
    media.map(|media| (media, given))
}

/// Validates a JSON body against the schema of its media type. Other bodies are not checked.
pub(super) fn check_json(media: &MediaSpec, content_type: &str, body: &Bytes, findings: &mut Findings<'_>) {
    if let Some(schema) = media.schema.as_ref().filter(|_| is_json(&essence(content_type))) {
        match serde_json::from_slice(body) {
            Ok(value) => schema.check(&value, "", findings),
            Err(error) => findings.add("", format!("no JSON: {error}")),
        }
    }
}
