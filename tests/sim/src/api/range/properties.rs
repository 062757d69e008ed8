//! Properties of ranges (RFC 9110, section 14.1.2) and of suggested names.

use http::HeaderValue;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::*;
use crate::properties::cases;

const TAG: &str = "\"tag\"";

fn request(range: &str, size: u64) -> RequestedRange {
    let Ok(range) = HeaderValue::from_str(range) else { return RequestedRange::Full };
    requested_range(&HeaderMap::from_iter([(RANGE, range)]), size, TAG)
}

/// Returns sizes of packages, and the largest numbers.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0_u64..300, 1 => any::<u64>(), 1 => (0_u64..3).prop_map(|less| u64::MAX - less)]
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn returns_the_range_between_two_offsets(first in number(), last in prop::option::of(number()), size in number()) {
        let range = format!("bytes={first}-{}", last.map(|last| last.to_string()).unwrap_or_default());
        let expected = match last {
            Some(last) if last < first => RequestedRange::Full,
            _ if first >= size => RequestedRange::NotSatisfiable,
            last => RequestedRange::Part {
                start: first,
                length: last.map_or(size - first, |last| (last - first).saturating_add(1).min(size - first)),
            },
        };
        prop_assert_eq!(request(&range, size), expected, "{} of {}", range, size);
    }

    #[test]
    fn returns_the_last_bytes(count in number(), size in number()) {
        let expected = match count.min(size) {
            0 => RequestedRange::NotSatisfiable,
            length => RequestedRange::Part { start: size - length, length },
        };
        prop_assert_eq!(request(&format!("bytes=-{count}"), size), expected);
    }

    #[test]
    fn parts_lie_within_the_body(
        range in prop_oneof!["bytes=[0-9 +,-]{0,9}", "(bytes|lines|)=?[^\\p{Cc}]{0,9}"],
        size in number(),
    ) {
        let requested = request(&range, size);
        if let RequestedRange::Part { start, length } = requested {
            prop_assert!(length > 0 && start < size && length <= size - start);
        }
        // Signs and lists are not a single range.
        if !range.starts_with("bytes=") || range.contains(['+', ',']) || range.matches('-').count() != 1 {
            prop_assert_eq!(requested, RequestedRange::Full, "{}", range);
        }
    }

    #[test]
    fn returns_the_whole_body_for_another_etag(tag in "\"?[a-z]{0,4}\"?", first in 0_u64..9) {
        let fields = [(RANGE, format!("bytes={first}-")), (IF_RANGE, tag.clone())];
        let headers: HeaderMap = fields.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect();
        let expected = if tag == TAG { RequestedRange::Part { start: first, length: 10 - first } } else { RequestedRange::Full };
        prop_assert_eq!(requested_range(&headers, 10, TAG), expected);
    }

    #[test]
    fn content_disposition_round_trips(name in prop_oneof![any::<String>(), "[ -~]{0,20}", "[a-zü\"\\\\%;\r\n./]{0,12}"]) {
        let value = content_disposition(&name);
        prop_assert!(value.is_ascii() && HeaderValue::from_str(&value).is_ok(), "{}", value);
        let rest = value.strip_prefix("attachment; filename=\"").and_then(|rest| rest.split_once('"'));
        let (plain, extended) = rest.unwrap_or_default();
        let read = match extended.strip_prefix("; filename*=UTF-8''") {
            Some(encoded) => percent_decode_str(encoded).decode_utf8()?.into_owned(),
            None => plain.to_owned(),
        };
        prop_assert_eq!(read, name);
        prop_assert!(!plain.contains(['\\', '%']));
    }
}
