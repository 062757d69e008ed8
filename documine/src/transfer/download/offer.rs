//! What a service gives for the request for a package or for the rest of one: the whole, the rest, or something else (RFC 9110 section 14).

use http::{HeaderMap, StatusCode, header};

use super::validator::Validator;
use crate::transport::content_codings;

/// The rest of a package, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rest {
    /// The first byte that is wanted.
    pub(crate) first: u64,
    /// How many bytes the whole has.
    pub(crate) length: u64,
    pub(crate) validator: Validator,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// The package from its first byte.
    Whole,
    /// Its bytes from where it stopped, to the end or to some point before.
    Rest,
    /// A part that was not asked for, or of another package.
    Other,
    /// Nothing of a package, and why.
    Nothing(&'static str),
}

impl Offer {
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap, asked: Option<&Rest>) -> Self {
        let packed = !content_codings(headers).is_empty();
        match (status, asked) {
            (StatusCode::PARTIAL_CONTENT, Some(asked)) if !packed && is_rest(headers, asked) => Self::Rest,
            (StatusCode::PARTIAL_CONTENT, Some(_)) => Self::Other,
            (StatusCode::PARTIAL_CONTENT, None) => Self::Nothing("the whole package was asked for"),
            _ if packed => Self::Nothing("the package is packed once more (Content-Encoding), which was not asked for"),
            (StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION, _) => Self::Whole,
            _ => Self::Nothing("a package was expected"),
        }
    }
}

/// How many bytes the headers announce. `None` also for an answer that was unpacked on its way: its ranges would be those of other bytes.
pub(crate) fn length(headers: &HeaderMap) -> Option<u64> {
    number(headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim())
}

/// Whether a part is the one that was asked for: it begins there, belongs to the same package, and is as long as it says.
fn is_rest(headers: &HeaderMap, asked: &Rest) -> bool {
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok()).and_then(content_range);
    let Some((first, last, whole)) = range else { return false };
    first == asked.first
        && whole == asked.length
        && length(headers) == Some(last - first + 1)
        && asked.validator.fits(headers)
}

/// First byte, last byte and length of the whole, from `Content-Range` (RFC 9110 section 14.4). One whose numbers can't be is none.
pub(super) fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (unit, range) = text.trim().split_once(' ')?;
    let (range, whole) = range.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, whole) = (number(first)?, number(last)?, number(whole)?);
    (unit.eq_ignore_ascii_case("bytes") && first <= last && last < whole).then_some((first, last, whole))
}

/// Digits alone: parsing would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn part(range: &str, length: &str, tag: &str) -> HeaderMap {
        let lines = [(header::CONTENT_RANGE, range), (header::CONTENT_LENGTH, length), (header::ETAG, tag)];
        lines.into_iter().map(|(name, value)| (name, HeaderValue::from_str(value).unwrap())).collect()
    }

    fn asked() -> Rest {
        Rest { first: 10, length: 100, validator: Validator::Etag("\"a\"".into()) }
    }

    fn offered(headers: &HeaderMap) -> Offer {
        Offer::of(StatusCode::PARTIAL_CONTENT, headers, Some(&asked()))
    }

    #[test]
    fn the_rest_is_what_was_asked_for_and_nothing_else() {
        assert_eq!(offered(&part("bytes 10-99/100", "90", "\"a\"")), Offer::Rest);
        assert_eq!(offered(&part("bytes 10-19/100", "10", "\"a\"")), Offer::Rest, "a service may give less");
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
            assert_eq!(offered(&part(range, length, tag)), Offer::Other, "{range} {length} {tag}");
        }
        let mut packed = part("bytes 10-99/100", "90", "\"a\"");
        packed.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(offered(&packed), Offer::Other);
    }

    #[test]
    fn a_whole_package_has_a_status_of_its_own() {
        let none = HeaderMap::new();
        assert_eq!(Offer::of(StatusCode::OK, &none, Some(&asked())), Offer::Whole);
        assert_eq!(Offer::of(StatusCode::OK, &none, None), Offer::Whole);
        assert!(matches!(Offer::of(StatusCode::PARTIAL_CONTENT, &none, None), Offer::Nothing(_)));
        assert!(matches!(Offer::of(StatusCode::NO_CONTENT, &none, None), Offer::Nothing(_)));
        let packed =
            HeaderMap::from_iter([(HeaderName::from_static("content-encoding"), HeaderValue::from_static("deflate"))]);
        assert!(matches!(Offer::of(StatusCode::OK, &packed, None), Offer::Nothing(_)));
        for label in ["identity", "UTF-8", "binary", "none", "", "aws-chunked"] {
            let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(label))]);
            assert_eq!(Offer::of(StatusCode::OK, &headers, None), Offer::Whole, "{label:?} is no coding");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(256))]

        #[test]
        fn a_range_is_read_as_it_was_written(first in any::<u32>(), more in any::<u32>(), behind in 1..u32::MAX) {
            let first = u64::from(first);
            let last = first + u64::from(more);
            let whole = last + u64::from(behind);
            prop_assert_eq!(content_range(&format!("bytes {first}-{last}/{whole}")), Some((first, last, whole)));
            let reversed = content_range(&format!("bytes {whole}-{first}/{last}"));
            prop_assert_eq!(reversed, None);
        }

        #[test]
        fn any_text_is_read_without_trouble(text in ".{0,40}", tail in "bytes [-0-9/*+ ]{0,60}") {
            for text in [text, tail] {
                if let Some((first, last, whole)) = content_range(&text) {
                    prop_assert!(first <= last && last < whole);
                }
            }
        }
    }
}
