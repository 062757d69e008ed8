//! Fuzz targets (see [`crate::fuzzing`]): file names, ranges and resume records.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a violated property must end the run"
)]

use std::path::Path;

use http::{HeaderMap, HeaderValue, header};

use super::range::RangeRequest;
use super::resume_record::{RecordState, ResumeRecord};
use super::{content_disposition, file_name as names, range};

/// Checks that the name in a `Content-Disposition` header is one file in the target folder on any system.
pub fn file_name(input: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(input) else { return };
    let suggested = content_disposition::file_name(&HeaderMap::from_iter([(header::CONTENT_DISPOSITION, value)]));
    let Some(name) = suggested.as_deref().and_then(names::sanitize) else { return };
    assert!(!name.is_empty() && name.len() <= 200 && name != "." && name != "..", "{name:?}");
    assert!(!name.contains(['/', '\\', ':']) && !name.contains(char::is_control), "{name:?}");
    assert_eq!(Path::new("folder").join(&name).parent(), Some(Path::new("folder")), "{name:?}");
    assert_eq!(names::sanitize(&name), Some(name), "sanitizing is idempotent");
}

/// Checks that a parsed `Content-Range` header is consistent and round-trips.
pub fn content_range(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Some((first, last, total)) = range::content_range(text) else { return };
    assert!(first <= last && last < total, "{text:?}");
    assert_eq!(range::content_range(&format!("bytes {first}-{last}/{total}")), Some((first, last, total)));
}

/// Checks that a parsed resume record yields a valid range request and round-trips.
pub fn sidecar(input: &[u8]) {
    let RecordState::Valid(record) = ResumeRecord::parse(input) else { return };
    if let Some((position, meta)) = record.resume_point() {
        let range = RangeRequest::new(position, &meta).unwrap();
        assert!(0 < range.first && range.first < range.length, "{range:?}");
        assert!(range.validator.header_value().is_some(), "{range:?} is not a header value");
    }
    let written = serde_json::to_vec(&record).unwrap();
    let reread = ResumeRecord::parse(&written);
    assert!(
        matches!(&reread, RecordState::Valid(reread) if serde_json::to_vec(reread).unwrap() == written),
        "{reread:?}"
    );
}
