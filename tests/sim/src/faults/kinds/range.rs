//! What happens to requests for a part of a body (Range, RFC 9110 section 14) and to their answers.

use http::header::{CONTENT_RANGE, ETAG};
use http::{HeaderMap, HeaderValue};

use crate::faults::fault::Fault;

impl Fault {
    /// A client that asks for a part sees 200 and the whole: the service did not see `Range` and `If-Range`.
    #[must_use]
    pub fn ignore_range(mut self) -> Self {
        self.ignore_range = true;
        self
    }

    /// A client sees an `ETag` that is not the service's, so that it asks in vain for the rest of what it got with it. An answer without one stays so.
    #[must_use]
    pub fn changed_etag(mut self) -> Self {
        self.changed_etag = true;
        self
    }

    /// A client that asks for a part sees a `Content-Range` that begins so many bytes later (or earlier) than what comes.
    #[must_use]
    pub fn lying_content_range(mut self, bytes: i64) -> Self {
        self.lying_content_range = Some(bytes);
        self
    }

    /// The headers of an answer, as the fault wants them.
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

/// A range that begins elsewhere; one that has no beginning stays as it is.
fn moved(range: &str, delta: i64) -> Option<String> {
    let (first, rest) = range.strip_prefix("bytes ")?.split_once('-')?;
    Some(format!("bytes {}-{rest}", first.parse::<u64>().ok()?.saturating_add_signed(delta)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_are_as_described() {
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
