//! Finding one's way in an OpenAPI document: references and what they point at.

use serde_json::Value;

/// References that lead to references that lead … end here.
const MAX_REFERENCES: usize = 16;

/// What `value` is, after following `$ref` (within the document) to its end.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value, String> {
    let mut current = value;
    for _ in 0..MAX_REFERENCES {
        let Some(reference) = current.get("$ref").and_then(Value::as_str) else { return Ok(current) };
        let pointer = reference.strip_prefix('#').ok_or_else(|| format!("`{reference}` leads out of the document"))?;
        current = document.pointer(pointer).ok_or_else(|| format!("`{reference}` leads nowhere"))?;
    }
    Err("references run in a circle".to_owned())
}

/// The type part of a media type, in lower case: `application/json` of `Application/JSON; charset=utf-8`.
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a documented media type (perhaps a range such as `application/*`) covers an actual one.
pub(super) fn covers(documented: &str, actual: &str) -> bool {
    let documented = essence(documented);
    documented == "*/*"
        || documented == actual
        || documented.strip_suffix("/*").is_some_and(|family| actual.split('/').next() == Some(family))
}

/// Whether bodies of this documented media type, perhaps a range, can be JSON.
pub(super) fn may_be_json(essence: &str) -> bool {
    is_json(essence) || essence == "*/*" || essence == "application/*"
}

/// Whether bodies of this media type are JSON.
pub(super) fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence.ends_with("+json")
}
