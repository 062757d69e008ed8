//! Strong validators of a package: an entity tag or a modification date (RFC 9110 section 8.8).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};

/// A value for `If-Range` (RFC 9110 section 13.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Validator {
    /// A strong entity tag, with its quotes.
    Etag(String),
    /// A modification date that is old enough to be a strong validator.
    LastModified(String),
}

impl Validator {
    /// Returns the strong validator in the headers of a whole package. If there is a weak tag, the date must not be used.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(tag) = headers.get(header::ETAG) {
            return tag.to_str().ok().map(str::trim).filter(|tag| is_strong(tag)).map(|tag| Self::Etag(tag.to_owned()));
        }
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
        let modified = text(header::LAST_MODIFIED)?;
        let date = |text: &str| httpdate::parse_http_date(text).ok();
        // A package can change twice within one second (section 8.8.2.2).
        let age = date(text(header::DATE)?)?.duration_since(date(modified)?).ok()?;
        (age >= Duration::from_secs(1)).then(|| Self::LastModified(modified.to_owned()))
    }

    /// Returns whether `If-Range` may hold the value. A value read from a file may be anything.
    pub(crate) fn is_valid(&self) -> bool {
        match self {
            Self::Etag(tag) => is_strong(tag),
            Self::LastModified(date) => httpdate::parse_http_date(date).is_ok(),
        }
    }

    /// Returns the value of `If-Range`.
    pub(crate) fn header_value(&self) -> Option<HeaderValue> {
        let (Self::Etag(text) | Self::LastModified(text)) = self;
        HeaderValue::from_str(text).ok()
    }

    /// Returns whether a partial response belongs to the same version. The response must repeat the tag, but not the date (section 15.3.7).
    pub(crate) fn matches_partial(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().map(str::trim).ok());
        match self {
            Self::Etag(tag) => text(header::ETAG) == Some(Some(tag)),
            Self::LastModified(date) => text(header::LAST_MODIFIED).is_none_or(|found| found == Some(date)),
        }
    }
}

/// Returns whether a text is a strong entity tag: visible characters in quotes.
fn is_strong(tag: &str) -> bool {
    let inner = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| inner.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[(HeaderName, &'static str)]) -> Option<Validator> {
        Validator::of(&headers(lines))
    }

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn accepts_only_strong_tags_and_old_dates() {
        const EARLY: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
        const LATER: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        use header::{DATE, ETAG, LAST_MODIFIED};
        assert_eq!(of(&[(ETAG, "\"a-1\"")]), Some(Validator::Etag("\"a-1\"".into())));
        for none in ["W/\"a\"", "a", "\"", "\"a\"b\"", "\"a b\"", ""] {
            assert_eq!(of(&[(ETAG, none), (LAST_MODIFIED, EARLY), (DATE, LATER)]), None, "{none}");
        }
        assert_eq!(of(&[(LAST_MODIFIED, EARLY), (DATE, LATER)]), Some(Validator::LastModified(EARLY.into())));
        assert_eq!(of(&[(LAST_MODIFIED, EARLY), (DATE, EARLY)]), None, "the same second");
        assert_eq!(of(&[(LAST_MODIFIED, LATER), (DATE, EARLY)]), None, "a date in the future");
        assert_eq!(of(&[(LAST_MODIFIED, EARLY)]), None, "no Date header");
        assert_eq!(of(&[(LAST_MODIFIED, "yesterday"), (DATE, LATER)]), None);
    }

    #[test]
    fn partial_response_must_repeat_the_tag() {
        use header::{ETAG, LAST_MODIFIED};
        let tag = Validator::Etag("\"a\"".into());
        assert!(tag.matches_partial(&headers(&[(ETAG, "\"a\"")])));
        assert!(!tag.matches_partial(&headers(&[(ETAG, "\"b\"")])) && !tag.matches_partial(&headers(&[])));
        let date = Validator::LastModified("Sun, 06 Nov 1994 08:49:36 GMT".into());
        assert!(date.matches_partial(&headers(&[])));
        assert!(!date.matches_partial(&headers(&[(LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT")])));
    }
}
