//! PKCE (RFC 7636): the code challenge and its verification.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::config::{ClientSettings, Pkce};
use super::params::Params;
use super::responses::OAuthError;

/// Reads the challenge of an authorization or device request and checks it against the client's policy.
pub(super) fn challenge(client: &ClientSettings, params: &Params) -> Result<Option<String>, OAuthError> {
    let refused = |description: &str| Err(OAuthError::bad_request("invalid_request", description));
    let (text, method) = (params.get("code_challenge"), params.get("code_challenge_method"));
    if client.pkce == Pkce::Required && method.is_none() {
        return refused("Missing parameter: code_challenge_method");
    }
    let Some(text) = text else {
        return if method.is_some() { refused("Missing parameter: code_challenge") } else { Ok(None) };
    };
    match method {
        Some("S256") => {}
        Some("plain") | None => {
            return refused("Invalid parameter: code challenge method is not matching the configured one");
        }
        Some(_) => return refused("Invalid parameter: invalid code_challenge_method"),
    }
    if !is_well_formed(text) {
        return refused("Invalid parameter: code_challenge");
    }
    Ok(Some(text.to_owned()))
}

/// Checks the verifier against the challenge.
pub(super) fn check(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), OAuthError> {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (None, Some(_)) => {
            return Err(OAuthError::invalid_grant(
                "PKCE code verifier specified but challenge not present in authorization",
            ));
        }
        (Some(_), None) => return Err(OAuthError::invalid_grant("PKCE code verifier not specified")),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
    };
    if !is_well_formed(verifier) {
        return Err(OAuthError::invalid_grant("PKCE verification failed: Invalid code verifier"));
    }
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant("PKCE verification failed: Code mismatch"))
    }
}

/// Checks for 43 to 128 unreserved characters (RFC 7636, sections 4.1 and 4.2).
fn is_well_formed(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_example_of_rfc_7636() {
        let challenge = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(check(challenge, Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).is_ok());
        let wrong = check(challenge, Some("eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(wrong.expect_err("refused").description, "PKCE verification failed: Code mismatch");
    }

    #[test]
    fn rejects_plain_challenges() {
        let query = format!("code_challenge={}&code_challenge_method=plain", "a".repeat(43));
        let params = Params::from_query(Some(&query));
        assert!(challenge(&ClientSettings::public("c"), &params).is_err());
    }
}
