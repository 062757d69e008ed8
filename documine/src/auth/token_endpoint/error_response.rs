//! Error responses of the identity provider: which codes are permanent, which are transient, and the error that a caller gets.

use std::time::SystemTime;

use http::{StatusCode, header};
use serde_json::Value;

use super::EndpointResponse;
use super::retry::ProviderResponse;
use crate::auth::lenient::{LenientObject, text_of};
use crate::auth::secret::Secret;
use crate::error::{Error, Result};
use crate::{http_util, text};

/// Error codes of a device login (RFC 8628 section 3.5). They describe its state with any status.
const DEVICE_CODES: [&str; 4] = ["authorization_pending", "slow_down", "access_denied", "expired_token"];
/// Permanent error codes (RFC 6749 section 5.2, RFC 7009 section 2.2.1), unless the status reports an outage.
const PERMANENT_CODES: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_token",
];
/// Transient error codes (RFC 6749 section 4.1.2.1).
const TRANSIENT_CODES: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// An OAuth error (RFC 6749 sections 4.1.2.1 and 5.2).
#[derive(Default)]
pub(in crate::auth) struct OauthError {
    /// The code, as the provider spells it.
    pub(in crate::auth) error: Option<String>,
    pub(in crate::auth) error_description: Option<String>,
}

impl OauthError {
    /// Parses the error in a body: JSON of RFC 6749, a form, or the format of a framework (`{"error": {"code": …, "message": …}}`, RFC 9457).
    fn parse(body: &[u8]) -> Self {
        const DESCRIPTIONS: [&str; 7] =
            ["error_description", "error_message", "error_summary", "message", "detail", "description", "title"];
        let Some(response) = LenientObject::parse(body) else { return Self::default() };
        let (mut error, mut error_description) = (None, None);
        match response.value(&["error"]) {
            Some(Value::Object(inner)) => {
                let inner = LenientObject::from(inner.clone());
                error = ["code", "type", "status", "error"]
                    .iter()
                    .find_map(|name| inner.value(&[name])?.as_str())
                    .map(str::to_owned);
                error_description = inner.text(&DESCRIPTIONS);
            }
            Some(Value::Array(items)) => error = items.first().and_then(text_of),
            Some(value) => error = text_of(value).filter(|code| code != "0"),
            None => {}
        }
        // Some providers put the code into other members. Beside tokens, these may also mean success.
        let own = || response.text(&["error_code"]).filter(|code| code != "0");
        let known = || ["code", "message"].iter().filter_map(|name| response.text(&[name])).find(|text| is_known(text));
        if error.is_none() && response.value(&["access_token", "device_code"]).is_none() {
            error = own().or_else(known).or_else(|| response.is_true("error").then(|| "error".into()));
        }
        let first = |name: &&str| match response.value(&[name])? {
            Value::Array(items) => items.first().and_then(text_of),
            value => text_of(value),
        };
        let error_description = error_description.or_else(|| DESCRIPTIONS.iter().find_map(first));
        Self { error_description: error_description.filter(|text| Some(text) != error.as_ref()), error }
    }

    /// Returns the code in the standard's spelling; empty if there is none.
    fn code(&self) -> String {
        let code = self.error.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
        // Synonyms of Microsoft and GitHub.
        let standard = match code.as_str() {
            "authorization_declined" => "access_denied",
            "code_expired" => "expired_token",
            "incorrect_client_credentials" => "invalid_client",
            "bad_verification_code" | "incorrect_device_code" => "invalid_grant",
            _ => return code,
        };
        standard.to_owned()
    }

    /// Returns description and code in one line, without the secrets.
    pub(in crate::auth) fn reason(&self, secrets: &[Secret]) -> String {
        let reason = match (&self.error, &self.error_description) {
            (Some(code), Some(text)) => format!("{} ({code})", text.trim()),
            (code, text) => code.clone().or_else(|| text.clone()).unwrap_or_default(),
        };
        text::one_line(&text::mask_secrets(&reason, secrets.iter().map(Secret::expose)))
    }
}

fn is_known(code: &str) -> bool {
    let code = OauthError { error: Some(code.to_owned()), error_description: None }.code();
    [&DEVICE_CODES[..], &PERMANENT_CODES, &TRANSIENT_CODES].concat().contains(&code.as_str())
}

/// Returns true if the same request may succeed later.
///
/// The code decides. The status decides if the code is unknown, and if the status reports an outage, because a server with an outage may send any
/// code (`invalid_grant` with 503 while its database is down).
fn is_transient(status: StatusCode, code: &str) -> bool {
    let is_outage = matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504);
    if DEVICE_CODES.contains(&code) || (PERMANENT_CODES.contains(&code) && !is_outage) {
        return false;
    }
    is_outage || status.is_server_error() || TRANSIENT_CODES.contains(&code)
}

/// Classifies a response: by the error in its body if there is one, otherwise by its status.
pub(super) fn classify(response: ProviderResponse, secrets: &[Secret], now: SystemTime) -> Result<EndpointResponse> {
    let oauth_error = OauthError::parse(&response.body);
    if response.status.is_success() && oauth_error.error.is_none() {
        return Ok(EndpointResponse::Success(response.body));
    }
    let (code, error) = (oauth_error.code(), error_of_response(&response, secrets, now));
    if is_transient(response.status, &code) {
        return Err(error);
    }
    let requests_basic = || {
        let challenge = response.headers.get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let scheme = challenge.and_then(|challenge| challenge.split_whitespace().next()).unwrap_or_default();
        response.status == StatusCode::UNAUTHORIZED && scheme.eq_ignore_ascii_case("basic") && !is_known(&code)
    };
    let rejects_client = code == "invalid_client" || requests_basic();
    let retry_after = http_util::retry_after(&response.headers, now);
    Ok(EndpointResponse::Rejected { retry_after, code, error, rejects_client })
}

/// Returns the error for a response that is not a success. `now` is for a `Retry-After` that is a date.
pub(in crate::auth) fn error_of_response(response: &ProviderResponse, secrets: &[Secret], now: SystemTime) -> Error {
    let error = error_of(response.status, &response.body, secrets);
    match http_util::retry_after(&response.headers, now) {
        Some(delay) if error.is_transient() => {
            error.with_retry_after(Some(delay)).with_note(format!("it requests a delay of {delay:.0?}"))
        }
        _ => error,
    }
}

/// Returns the error for a status and a body, which may be anything in place of an OAuth error.
pub(super) fn error_of(status: StatusCode, body: &[u8], secrets: &[Secret]) -> Error {
    let oauth_error = OauthError::parse(body);
    let code = oauth_error.code();
    let is_transient = is_transient(status, &code);
    let finish = |error: Error| {
        let error = error.with_status(status);
        if is_transient { error.transient() } else { error }
    };
    let reason = oauth_error.reason(secrets);
    if oauth_error.error.is_none() {
        return finish(Error::auth(match status.as_u16() {
            404 => "the identity provider has no such path (404); check the base URL, the workspace and the token path"
                .into(),
            _ if reason.is_empty() => format!("the identity provider answered {status} without a reason"),
            _ => format!("the identity provider answered {status}: {reason}"),
        }));
    }
    let advice = match code.as_str() {
        "invalid_grant" => "; log in again or give other credentials",
        "invalid_client" | "unauthorized_client" => "; check the client id, its secret, and its allowed grants",
        "realm does not exist" => "; check the workspace's name",
        _ => "",
    };
    let error =
        Error::auth(format!("the identity provider refused: {reason}{advice}")).with_api_message(Some(reason), None);
    let needs_login = matches!(code.as_str(), "invalid_grant" | "invalid_client" | "unauthorized_client");
    finish(if needs_login && !is_transient { error.login_needed() } else { error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_advise_what_to_do() {
        let error = error_of(
            StatusCode::BAD_REQUEST,
            br#"{"error":"invalid_grant","error_description":"Account disabled"}"#,
            &[],
        );
        assert!(error.needs_login());
        assert_eq!(
            error.to_string(),
            "the identity provider refused: Account disabled (invalid_grant); log in again or give other credentials"
        );
        let error = error_of(StatusCode::SERVICE_UNAVAILABLE, b"<html>", &[]);
        assert!(!error.needs_login() && error.is_transient());
    }
}
