//! Range requests of packages (Range and If-Range, RFC 9110), and the suggested file name.

use http::HeaderMap;
use http::header::{IF_RANGE, RANGE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The requested part of a body.
#[derive(Debug, PartialEq)]
pub(super) enum RequestedRange {
    Full,
    Part {
        start: u64,
        length: u64,
    },
    /// The range starts after the end.
    NotSatisfiable,
}

/// Returns the requested range. A single range is honoured; anything else returns the whole body, as the RFC allows.
pub(super) fn requested_range(headers: &HeaderMap, size: u64, etag: &str) -> RequestedRange {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(range) = text(RANGE).and_then(|range| range.trim().strip_prefix("bytes=")) else {
        return RequestedRange::Full;
    };
    // There is no Last-Modified, so a date never matches.
    if text(IF_RANGE).is_some_and(|tag| tag.trim() != etag) {
        return RequestedRange::Full;
    }
    let Some((first, last)) = range.split_once('-') else { return RequestedRange::Full };
    let (first, last) = (first.trim(), last.trim());
    // A number has no sign, although parsing would accept one.
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| !text.starts_with('+'));
    let (start, end) = match (first.is_empty(), last.is_empty()) {
        (true, false) => match number(last) {
            Some(0) => return RequestedRange::NotSatisfiable,
            Some(count) => (size.saturating_sub(count), size.saturating_sub(1)),
            None => return RequestedRange::Full,
        },
        (false, true) => match number(first) {
            Some(first) => (first, size.saturating_sub(1)),
            None => return RequestedRange::Full,
        },
        (false, false) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
            _ => return RequestedRange::Full,
        },
        (true, true) => return RequestedRange::Full,
    };
    if start >= size { RequestedRange::NotSatisfiable } else { RequestedRange::Part { start, length: end - start + 1 } }
}

/// Returns the `Content-Disposition` of a name with any characters (RFC 6266).
pub(super) fn content_disposition(name: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let plain: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_graphic() && !matches!(letter, '"' | '\\' | '%') || letter == ' ' { letter } else { '_' }
        })
        .collect();
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, KEPT))
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(range: &str, if_range: Option<&str>) -> RequestedRange {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().expect("a value"));
        if let Some(tag) = if_range {
            headers.insert(IF_RANGE, tag.parse().expect("a value"));
        }
        requested_range(&headers, 100, "\"tag\"")
    }

    #[test]
    fn honours_a_single_range() {
        assert_eq!(request("bytes=10-19", None), RequestedRange::Part { start: 10, length: 10 });
        assert_eq!(request("bytes=90-", Some("\"tag\"")), RequestedRange::Part { start: 90, length: 10 });
        assert_eq!(request("bytes=-5", None), RequestedRange::Part { start: 95, length: 5 });
        assert_eq!(request("bytes=-500", None), RequestedRange::Part { start: 0, length: 100 });
        assert_eq!(request("bytes=0-1000", None), RequestedRange::Part { start: 0, length: 100 });
        assert_eq!(request("bytes=100-", None), RequestedRange::NotSatisfiable);
        assert_eq!(request("bytes=10-19", Some("\"other\"")), RequestedRange::Full);
        for all in ["bytes=0-1,5-6", "bytes=9-3", "lines=1-2", "bytes=x-", "bytes=-"] {
            assert_eq!(request(all, None), RequestedRange::Full, "{all}");
        }
    }

    #[test]
    fn encodes_any_file_name_in_content_disposition() {
        assert_eq!(content_disposition("Q3 filings.zip"), "attachment; filename=\"Q3 filings.zip\"");
        assert_eq!(
            content_disposition("Prüf\"1.zip"),
            "attachment; filename=\"Pr_f_1.zip\"; filename*=UTF-8''Pr%C3%BCf%221.zip"
        );
    }
}
