//! See [`crate::fuzzing`]: names, ranges, and the file beside a part.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what does not hold is to end the run"
)]

use std::path::Path;

use http::{HeaderMap, HeaderValue, header};

use super::sidecar::{Found, Sidecar};
use super::{disposition, name, offer};

/// A `Content-Disposition` header: a name that is one file in the folder on any system, or none.
pub fn file_name(input: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(input) else { return };
    let suggested = disposition::file_name(&HeaderMap::from_iter([(header::CONTENT_DISPOSITION, value)]));
    let Some(safe) = suggested.as_deref().and_then(name::safe) else { return };
    assert!(!safe.is_empty() && safe.len() <= 200 && safe != "." && safe != "..", "{safe:?}");
    assert!(!safe.contains(['/', '\\', ':']) && !safe.contains(char::is_control), "{safe:?}");
    assert_eq!(Path::new("folder").join(&safe).parent(), Some(Path::new("folder")), "{safe:?}");
    assert_eq!(name::safe(&safe), Some(safe), "what is safe stays as it is");
}

/// A `Content-Range` header: numbers that can be, the same when they are written again, or none.
pub fn content_range(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Some((first, last, whole)) = offer::content_range(text) else { return };
    assert!(first <= last && last < whole, "{text:?}");
    assert_eq!(offer::content_range(&format!("bytes {first}-{last}/{whole}")), Some((first, last, whole)));
}

/// The file beside a part: what it says can be asked for, or it says nothing.
pub fn sidecar(input: &[u8]) {
    let Found::Good(sidecar) = Sidecar::parse(input) else { return };
    if let Some(rest) = sidecar.rest() {
        assert!(0 < rest.first && rest.first < rest.length, "{rest:?}");
        assert!(rest.validator.value().is_some(), "{rest:?} is no header");
    }
    let written = serde_json::to_vec(&sidecar).unwrap();
    let again = Sidecar::parse(&written);
    assert!(matches!(&again, Found::Good(again) if serde_json::to_vec(again).unwrap() == written), "{again:?}");
}
