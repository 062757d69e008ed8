//! Range requests for packages, and the classification of their responses (RFC 9110 section 14).

use http::{HeaderMap, StatusCode, header};

use super::package_meta::PackageMeta;
use super::validator::Validator;
use crate::transport::content_codings;

/// A request for the bytes of a package from a position on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RangeRequest {
    /// Position of the first requested byte.
    pub(crate) first: u64,
    /// Length of the whole package in bytes.
    pub(crate) length: u64,
    pub(crate) validator: Validator,
}

impl RangeRequest {
    /// Returns `None` without a length or validator, at position 0, and at the end of the package.
    pub(crate) fn new(first: u64, meta: &PackageMeta) -> Option<Self> {
        let (length, validator) = (meta.length?, meta.validator.clone()?);
        (0 < first && first < length).then_some(Self { first, length, validator })
    }
}

/// The kind of a response to a request for a package.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RangeResponse {
    /// The package from its first byte.
    Full,
    /// The bytes from the requested position, up to the end or to an earlier position.
    Partial,
    /// A range that was not requested, or a range of another version.
    Mismatch,
    /// Not a package, with the reason.
    Invalid(&'static str),
}

impl RangeResponse {
    pub(crate) fn classify(status: StatusCode, headers: &HeaderMap, request: Option<&RangeRequest>) -> Self {
        let is_encoded = !content_codings(headers).is_empty();
        match (status, request) {
            (StatusCode::PARTIAL_CONTENT, Some(request)) if !is_encoded && matches_request(headers, request) => {
                Self::Partial
            }
            (StatusCode::PARTIAL_CONTENT, Some(_)) => Self::Mismatch,
            (StatusCode::PARTIAL_CONTENT, None) => Self::Invalid("the request was for the whole package"),
            _ if is_encoded => Self::Invalid("the package has an unrequested Content-Encoding"),
            (StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION, _) => Self::Full,
            _ => Self::Invalid("a package was expected"),
        }
    }
}

/// Returns the length of the body. A decoded response has no `Content-Length`: its ranges would refer to the encoded bytes.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    number(headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim())
}

/// Returns whether a partial response starts at the requested position, belongs to the same version, and has the length of its range.
fn matches_request(headers: &HeaderMap, request: &RangeRequest) -> bool {
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok()).and_then(content_range);
    let Some((first, last, total)) = range else { return false };
    first == request.first
        && total == request.length
        && content_length(headers) == Some(last - first + 1)
        && request.validator.matches_partial(headers)
}

/// Parses first byte, last byte and total length from `Content-Range` (RFC 9110 section 14.4). Returns `None` for inconsistent numbers.
pub(super) fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (unit, range) = text.trim().split_once(' ')?;
    let (range, total) = range.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, total) = (number(first)?, number(last)?, number(total)?);
    (unit.eq_ignore_ascii_case("bytes") && first <= last && last < total).then_some((first, last, total))
}

/// Parses digits only; `str::parse` accepts a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn partial(range: &str, length: &str, tag: &str) -> HeaderMap {
        let lines = [(header::CONTENT_RANGE, range), (header::CONTENT_LENGTH, length), (header::ETAG, tag)];
        lines.into_iter().map(|(name, value)| (name, HeaderValue::from_str(value).unwrap())).collect()
    }

    fn request() -> RangeRequest {
        RangeRequest { first: 10, length: 100, validator: Validator::Etag("\"a\"".into()) }
    }

    fn classify_partial(headers: &HeaderMap) -> RangeResponse {
        RangeResponse::classify(StatusCode::PARTIAL_CONTENT, headers, Some(&request()))
    }

    #[test]
    fn accepts_only_the_requested_range() {
        assert_eq!(classify_partial(&partial("bytes 10-99/100", "90", "\"a\"")), RangeResponse::Partial);
        assert_eq!(
            classify_partial(&partial("bytes 10-19/100", "10", "\"a\"")),
            RangeResponse::Partial,
            "a service may return fewer bytes"
        );
        for (range, length, tag) in [
            ("bytes 11-99/100", "89", "\"a\""),
            ("bytes 0-99/100", "100", "\"a\""),
            ("bytes 10-99/101", "90", "\"a\""),
            ("bytes 10-99/*", "90", "\"a\""),
            ("bytes 10-100/100", "91", "\"a\""),
            ("bytes 10-9/100", "0", "\"a\""),
            ("bytes 10-99/100", "91", "\"a\""),
            ("bytes 10-99/100", "90", "\"b\""),
            ("bytes 10-99/100", "90", "W/\"a\""),
            ("lines 10-99/100", "90", "\"a\""),
            ("bytes */100", "90", "\"a\""),
            ("", "90", "\"a\""),
        ] {
            assert_eq!(
                classify_partial(&partial(range, length, tag)),
                RangeResponse::Mismatch,
                "{range} {length} {tag}"
            );
        }
        let mut encoded = partial("bytes 10-99/100", "90", "\"a\"");
        encoded.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(classify_partial(&encoded), RangeResponse::Mismatch);
    }

    #[test]
    fn accepts_a_whole_package_by_its_status() {
        let none = HeaderMap::new();
        assert_eq!(RangeResponse::classify(StatusCode::OK, &none, Some(&request())), RangeResponse::Full);
        assert_eq!(RangeResponse::classify(StatusCode::OK, &none, None), RangeResponse::Full);
        assert!(matches!(RangeResponse::classify(StatusCode::PARTIAL_CONTENT, &none, None), RangeResponse::Invalid(_)));
        assert!(matches!(RangeResponse::classify(StatusCode::NO_CONTENT, &none, None), RangeResponse::Invalid(_)));
        let encoded =
            HeaderMap::from_iter([(HeaderName::from_static("content-encoding"), HeaderValue::from_static("deflate"))]);
        assert!(matches!(RangeResponse::classify(StatusCode::OK, &encoded, None), RangeResponse::Invalid(_)));
        for label in ["identity", "UTF-8", "binary", "none", "", "aws-chunked"] {
            let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(label))]);
            assert_eq!(
                RangeResponse::classify(StatusCode::OK, &headers, None),
                RangeResponse::Full,
                "{label:?} is not a content coding"
            );
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(256))]

        #[test]
        fn content_range_round_trips(first in any::<u32>(), more in any::<u32>(), after in 1..u32::MAX) {
            let first = u64::from(first);
            let last = first + u64::from(more);
            let total = last + u64::from(after);
            prop_assert_eq!(content_range(&format!("bytes {first}-{last}/{total}")), Some((first, last, total)));
            let reversed = content_range(&format!("bytes {total}-{first}/{last}"));
            prop_assert_eq!(reversed, None);
        }

        #[test]
        fn parses_any_text_without_panic(text in ".{0,40}", tail in "bytes [-0-9/*+ ]{0,60}") {
            for text in [text, tail] {
                if let Some((first, last, total)) = content_range(&text) {
                    prop_assert!(first <= last && last < total);
                }
            }
        }
    }
}
