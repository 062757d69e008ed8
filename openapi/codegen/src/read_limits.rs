//! Limits on the text of a document, in JSON and in YAML.

/// Maximum size of a document, in bytes.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Maximum number of values in a document.
pub const MAX_NODES: usize = 2_000_000;

/// Checks the size of a document.
pub fn check_size(text: &str, origin: &str) -> Result<(), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("{origin}: {} bytes, more than the limit of {MAX_BYTES}", text.len()));
    }
    Ok(())
}
