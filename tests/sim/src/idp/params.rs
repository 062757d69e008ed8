//! Parameters, cookies and the origin of a request.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE, HOST};

/// Decoded parameters in their original order.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Parses a form body. A body of another content type has no parameters.
    pub(super) fn from_form(headers: &HeaderMap, body: &[u8]) -> Self {
        let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = declared.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Self(form_urlencoded::parse(body).into_owned().collect())
        } else {
            Self(Vec::new())
        }
    }

    /// Parses a query.
    pub(super) fn from_query(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// Appends the parameters of `other`.
    pub(super) fn chain(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns a parameter; an empty value counts as absent.
    pub(super) fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns whether a name occurs twice, which RFC 6749, section 3.2, forbids.
    pub(super) fn has_duplicates(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (key, _))| self.0[..at].iter().any(|(earlier, _)| earlier == key))
    }
}

/// Returns scheme and authority of the request. Issuers and links use this origin.
pub(super) fn origin(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    let secure = headers.get("x-forwarded-proto").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"https"));
    format!("{}://{host}", if secure { "https" } else { "http" })
}

/// Returns the value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn finds_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=1; login=x=y; b=2"));
        assert_eq!(cookie(&headers, "login"), Some("x=y"));
        assert_eq!(cookie(&headers, "c"), None);
    }

    #[test]
    fn detects_duplicate_parameters() {
        assert!(Params::from_query(Some("a=1&b=2&a=1")).has_duplicates());
        assert!(!Params::from_query(Some("a=1&b=2")).has_duplicates());
    }
}
