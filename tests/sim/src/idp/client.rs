//! Authentication of clients at the endpoints (RFC 6749 section 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;

use super::config::{ClientAuth, ClientSettings};
use super::params::Params;
use super::realm::Realm;
use super::responses::OAuthError;

impl Realm {
    /// Finds and authenticates the client by `client_secret_basic`, which takes precedence, or `client_secret_post`, as far as the realm allows
    /// them.
    pub(super) fn client(&self, headers: &HeaderMap, params: &Params) -> Result<&ClientSettings, OAuthError> {
        const WRONG: &str = "Invalid client or Invalid client credentials";
        let basic = basic(headers)?;
        let posted = params.get("client_secret");
        let unknown = || OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_client", WRONG);
        match self.config.client_auth {
            ClientAuth::Any => {}
            _ if basic.is_some() && posted.is_some() => {
                return Err(OAuthError::bad_request("invalid_request", "Multiple client credentials"));
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
                Err(OAuthError::new(StatusCode::UNAUTHORIZED, "unauthorized_client", WRONG))
            }
            _ => Ok(client),
        }
    }
}

/// Reads id and secret of a Basic header. Both are form-encoded (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let Some(value) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return Ok(None) };
    let Some((scheme, encoded)) = value.split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let unreadable = || OAuthError::bad_request("unauthorized_client", "Unexpected error when authenticating client");
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| unreadable())?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    let (id, secret) = text.split_once(':').ok_or_else(unreadable)?;
    match (form_decoded(id), form_decoded(secret)) {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        _ => Err(unreadable()),
    }
}

/// Decodes form encoding strictly: `None` for a `%` without two hexadecimal digits, or for bytes that are not UTF-8.
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
    use super::form_decoded;

    #[test]
    fn decodes_form_encoded_basic_credentials() {
        assert_eq!(form_decoded("a%26b%2B%25+c").as_deref(), Some("a&b+% c"));
        assert_eq!(form_decoded("a&b"), Some("a&b".to_owned()));
        assert_eq!(form_decoded("100%"), None);
        assert_eq!(form_decoded("%ff"), None);
    }
}
