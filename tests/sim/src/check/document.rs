//! Navigation in an OpenAPI document: references and media types.

use serde_json::Value;

/// Maximum length of a chain of references.
const MAX_REFERENCES: usize = 16;

/// Follows `$ref` within the document to its target.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value, String> {
    let mut current = value;
    for _ in 0..MAX_REFERENCES {
        let Some(reference) = current.get("$ref").and_then(Value::as_str) else { return Ok(current) };
        let pointer =
            reference.strip_prefix('#').ok_or_else(|| format!("`{reference}` points outside the document"))?;
        current = document.pointer(pointer).ok_or_else(|| format!("`{reference}` leads nowhere"))?;
    }
    Err("circular references".to_owned())
}

/// Returns the essence of a media type in lower case: `application/json` of `Application/JSON; charset=utf-8`.
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns whether a documented media type, possibly a range such as `application/*`, covers an actual one.
pub(super) fn covers(documented: &str, actual: &str) -> bool {
    let documented = essence(documented);
    documented == "*/*"
        || documented == actual
        || documented.strip_suffix("/*").is_some_and(|family| actual.split('/').next() == Some(family))
}

/// Returns whether bodies of a documented media type, possibly a range, can be JSON.
pub(super) fn may_be_json(essence: &str) -> bool {
    is_json(essence) || essence == "*/*" || essence == "application/*"
}

/// Returns whether bodies of a media type are JSON.
pub(super) fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence.ends_with("+json")
}
