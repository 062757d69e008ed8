//! Effects on range requests (RFC 9110, section 14) and their responses.

use http::header::{CONTENT_RANGE, ETAG};
use http::{HeaderMap, HeaderValue};

use crate::faults::fault::Fault;

impl Fault {
    /// Answers a range request with 200 and the whole body, because the service does not receive `Range` and `If-Range`.
    #[must_use]
    pub fn ignore_range(mut self) -> Self {
        self.ignore_range = true;
        self
    }

    /// Changes the `ETag`, so that a later range request with this tag does not match. A response without an `ETag` stays unchanged.
    #[must_use]
    pub fn changed_etag(mut self) -> Self {
        self.changed_etag = true;
        self
    }

    /// Shifts the start in `Content-Range` by this many bytes relative to the bytes sent.
    #[must_use]
    pub fn lying_content_range(mut self, bytes: i64) -> Self {
        self.lying_content_range = Some(bytes);
        self
    }

    /// Changes the range headers of a response.
    pub(crate) fn change_range_headers(&self, headers: &mut HeaderMap) {
        let text = |headers: &HeaderMap, name| {
            headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned)
        };
        if self.changed_etag
            && let Some(tag) = text(headers, ETAG)
            && let Ok(other) = HeaderValue::from_str(&format!("{}-changed\"", tag.trim_end_matches('"')))
        {
            headers.insert(ETAG, other);
        }
        if let Some(delta) = self.lying_content_range
            && let Some(range) = text(headers, CONTENT_RANGE)
            && let Some(moved) = moved(&range, delta)
            && let Ok(lie) = HeaderValue::from_str(&moved)
        {
            headers.insert(CONTENT_RANGE, lie);
        }
    }
}

/// Shifts the start of a range. A range without a start yields `None`.
fn moved(range: &str, delta: i64) -> Option<String> {
    let (first, rest) = range.strip_prefix("bytes ")?.split_once('-')?;
    Some(format!("bytes {}-{rest}", first.parse::<u64>().ok()?.saturating_add_signed(delta)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_etag_and_content_range() {
        let changed = |fault: Fault, tag: &'static str, range: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ETAG, HeaderValue::from_static(tag));
            headers.insert(CONTENT_RANGE, HeaderValue::from_static(range));
            fault.change_range_headers(&mut headers);
            [ETAG, CONTENT_RANGE].map(|name| headers[name].to_str().expect("a text").to_owned())
        };
        let any = || Fault::on("*");
        assert_eq!(changed(any().changed_etag(), "\"a\"", "bytes 5-9/10"), ["\"a-changed\"", "bytes 5-9/10"]);
        assert_eq!(changed(any().lying_content_range(3), "\"a\"", "bytes 5-9/10"), ["\"a\"", "bytes 8-9/10"]);
        assert_eq!(changed(any().lying_content_range(-7), "\"a\"", "bytes 5-9/10"), ["\"a\"", "bytes 0-9/10"]);
        assert_eq!(changed(any().lying_content_range(3), "\"a\"", "bytes */10"), ["\"a\"", "bytes */10"]);
    }
}
