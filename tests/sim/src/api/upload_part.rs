//! An uploaded document: its name, its bytes, and their limits.

use tempfile::NamedTempFile;

use crate::api_error::ApiError;
use crate::wire;

/// Maximum size of an upload.
pub(super) const MAX_UPLOAD_BYTES: u64 = 1024 * 1024 * 1024;
/// Maximum length of a file name.
pub(super) const MAX_FILE_NAME_BYTES: usize = 255;

/// Named bytes.
pub(super) struct UploadPart {
    pub(super) name: String,
    pub(super) bytes: NamedTempFile,
    pub(super) size: u64,
}

impl UploadPart {
    /// Returns the first `count` bytes, or all bytes of a smaller file.
    pub(super) fn first_bytes(&self, count: u16) -> Result<Vec<u8>, ApiError> {
        use std::io::Read;

        let mut first = Vec::with_capacity(usize::from(count));
        let file = self.bytes.reopen().map_err(|error| ApiError::internal("The upload could not be read", &error))?;
        file.take(u64::from(count))
            .read_to_end(&mut first)
            .map_err(|error| ApiError::internal("The upload could not be read", &error))?;
        Ok(first)
    }
}

/// Returns the file name without folders and control characters.
pub(super) fn file_name(name: &str) -> Result<String, ApiError> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
    let name = name.trim();
    if matches!(name, "" | "." | "..") {
        return Err(ApiError::bad_request(format!("The part named {} has no usable file name.", wire::part())));
    }
    if name.len() > MAX_FILE_NAME_BYTES {
        return Err(ApiError::bad_request(format!("The file name is longer than {MAX_FILE_NAME_BYTES} bytes.")));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn strips_folders_and_control_characters() {
        let name = |text: &str| file_name(text).ok();
        assert_eq!(name("a/b\\c.pdf").as_deref(), Some("c.pdf"));
        assert_eq!(name("\u{1}ü\u{7} x.pdf ").as_deref(), Some("ü x.pdf"));
        for bad in ["", "a/", "..", ".", "\u{0}", &"x".repeat(300)] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }
}
