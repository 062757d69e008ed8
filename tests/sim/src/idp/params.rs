//! What a request carries: form or query parameters, and who the client says it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST};
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;

use super::Realm;
use super::answers::Refused;
use super::config::{ClientAuth, ClientSettings};

/// Decoded parameters in the order they came.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// The parameters of a body, if it is declared to be a form; none otherwise.
    pub(super) fn of_form(headers: &HeaderMap, body: &[u8]) -> Self {
        let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = declared.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Self(form_urlencoded::parse(body).into_owned().collect())
        } else {
            Self(Vec::new())
        }
    }

    /// The parameters of a query.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// These parameters, then those of `other`.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Like [`get`](Self::get), an empty value counting as none.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether a name comes twice, which RFC 6749 3.2 forbids.
    pub(super) fn has_duplicates(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (key, _))| self.0[..at].iter().any(|(earlier, _)| earlier == key))
    }
}

/// Scheme and authority the caller used: issuers and links follow them.
pub(super) fn origin(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    let secure = headers.get("x-forwarded-proto").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"https"));
    format!("{}://{host}", if secure { "https" } else { "http" })
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

impl Realm {
    /// Finds and authenticates the client: `client_secret_basic` (it wins when both are there) or `client_secret_post`, as far as the realm allows it.
    pub(super) fn client(&self, headers: &HeaderMap, params: &Params) -> Result<&ClientSettings, Refused> {
        const WRONG: &str = "Invalid client or Invalid client credentials";
        let basic = basic(headers)?;
        let posted = params.get("client_secret");
        let unknown = || Refused::new(StatusCode::UNAUTHORIZED, "invalid_client", WRONG);
        match self.config.client_auth {
            ClientAuth::Any => {}
            _ if basic.is_some() && posted.is_some() => {
                return Err(Refused::bad("invalid_request", "Multiple client credentials"));
            }
            ClientAuth::Basic if posted.is_some() => return Err(unknown()),
            ClientAuth::Post if basic.is_some() => return Err(unknown()),
            ClientAuth::Basic | ClientAuth::Post => {}
        }
        let (id, secret) = match basic {
            Some((id, secret)) => (Some(id), Some(secret)),
            None => (params.get("client_id").map(str::to_owned), posted.map(str::to_owned)),
        };
        let id = id.ok_or_else(unknown)?;
        let client = self.clients.iter().find(|client| client.id == id && client.enabled).ok_or_else(unknown)?;
        match &client.secret {
            Some(expected) if secret.as_deref() != Some(expected) => {
                Err(Refused::new(StatusCode::UNAUTHORIZED, "unauthorized_client", WRONG))
            }
            _ => Ok(client),
        }
    }
}

/// Id and secret of a Basic header; both are form-encoded inside it (RFC 6749 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refused> {
    let Some(value) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return Ok(None) };
    let Some((scheme, encoded)) = value.split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let unreadable = || Refused::bad("unauthorized_client", "Unexpected error when authenticating client");
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| unreadable())?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    let (id, secret) = text.split_once(':').ok_or_else(unreadable)?;
    match (form_decoded(id), form_decoded(secret)) {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        _ => Err(unreadable()),
    }
}

/// Strict form decoding: `None` for a `%` without two hexadecimal digits, or for bytes that are no UTF-8.
fn form_decoded(text: &str) -> Option<String> {
    let digits = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    if text.bytes().enumerate().any(|(at, byte)| byte == b'%' && !(digits(at + 1) && digits(at + 2))) {
        return None;
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn basic_credentials_are_form_encoded() {
        assert_eq!(form_decoded("a%26b%2B%25+c").as_deref(), Some("a&b+% c"));
        assert_eq!(form_decoded("a&b"), Some("a&b".to_owned()));
        assert_eq!(form_decoded("100%"), None);
        assert_eq!(form_decoded("%ff"), None);
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=1; login=x=y; b=2"));
        assert_eq!(cookie(&headers, "login"), Some("x=y"));
        assert_eq!(cookie(&headers, "c"), None);
    }

    #[test]
    fn duplicates_are_seen() {
        assert!(Params::of_query(Some("a=1&b=2&a=1")).has_duplicates());
        assert!(!Params::of_query(Some("a=1&b=2")).has_duplicates());
    }
}
