//! PKCE (RFC 7636): the code challenge and its verification.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::config::{ClientSettings, Pkce};
use super::params::Params;
use super::responses::OAuthError;
use super::state::PkceChallenge;

/// Reads the challenge of an authorization or device request and checks it against the client's policy.
pub(super) fn challenge(client: &ClientSettings, params: &Params) -> Result<Option<PkceChallenge>, OAuthError> {
    let refused = |description: &str| Err(OAuthError::bad("invalid_request", description));
    let (text, method) = (params.get("code_challenge"), params.get("code_challenge_method"));
    if client.pkce == Pkce::Required && method.is_none() {
        return refused("Missing parameter: code_challenge_method");
    }
    let Some(text) = text else {
        return if method.is_some() { refused("Missing parameter: code_challenge") } else { Ok(None) };
    };
    let hashed = match method {
        Some("S256") => true,
        Some("plain") | None => false,
        Some(_) => return refused("Invalid parameter: invalid code_challenge_method"),
    };
    if !hashed && client.pkce != Pkce::PlainToo {
        return refused("Invalid parameter: code challenge method is not matching the configured one");
    }
    if !is_well_formed(text) {
        return refused("Invalid parameter: code_challenge");
    }
    Ok(Some(PkceChallenge { text: text.to_owned(), hashed }))
}

/// Checks the verifier against the challenge.
pub(super) fn check(challenge: Option<&PkceChallenge>, verifier: Option<&str>) -> Result<(), OAuthError> {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (None, Some(_)) => {
            return Err(OAuthError::grant("PKCE code verifier specified but challenge not present in authorization"));
        }
        (Some(_), None) => return Err(OAuthError::grant("PKCE code verifier not specified")),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
    };
    if !is_well_formed(verifier) {
        return Err(OAuthError::grant("PKCE verification failed: Invalid code verifier"));
    }
    let answer = if challenge.hashed { URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) } else { verifier.to_owned() };
    if answer == challenge.text { Ok(()) } else { Err(OAuthError::grant("PKCE verification failed: Code mismatch")) }
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
    fn the_example_of_the_rfc_fits() {
        let challenge = PkceChallenge { text: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(), hashed: true };
        assert!(check(Some(&challenge), Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).is_ok());
        let wrong = check(Some(&challenge), Some("eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(wrong.expect_err("refused").description, "PKCE verification failed: Code mismatch");
    }

    #[test]
    fn plain_must_be_asked_for() {
        let text = "a".repeat(43);
        let query = format!("code_challenge={text}&code_challenge_method=plain");
        let params = Params::of_query(Some(&query));
        let client = ClientSettings::public("c");
        assert!(challenge(&client, &params).is_err());
        let open = client.with_pkce(Pkce::PlainToo);
        assert_eq!(challenge(&open, &params).expect("allowed"), Some(PkceChallenge { text, hashed: false }));
    }
}
