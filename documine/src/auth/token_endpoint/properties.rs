//! Any response of an identity provider: no secret of the request is shown, and only permanent errors require a new login.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use std::time::SystemTime;

use super::error_response::error_of;
use super::*;
use crate::properties::cases;

/// The form fields that hold secrets.
const SECRETS: [&str; 6] = ["password", "client_secret", "refresh_token", "code", "code_verifier", "device_code"];

/// Secrets that occur in no text of the crate, with characters that a form encodes.
fn secret() -> impl Strategy<Value = String> {
    "[A-Z]{2,5}[ü&=+% \"\\\\]{0,3}[A-Z]{2,5}"
}

/// An error response that mixes texts of the provider with the secrets it received, plain or form-encoded.
fn error_body() -> impl Strategy<Value = (Vec<(&'static str, String)>, String)> {
    let form = vec((prop::sample::select(&SECRETS), secret()), 1..4);
    let codes = [
        "invalid_grant",
        "invalid_client",
        "unauthorized_client",
        "invalid_request",
        "slow_down",
        "Realm does not exist",
    ];
    let word = (any::<prop::sample::Index>(), any::<bool>(), "[^A-Z]{0,9}");
    (form, prop::sample::select(codes.to_vec()), vec(word, 0..4), any::<bool>()).prop_map(
        |(form, code, words, in_code)| {
            let words: String = words
                .into_iter()
                .flat_map(|(index, encoded, other)| {
                    let secret = &index.get(&form).1;
                    let encoding = || url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                    [other, if encoded { encoding() } else { secret.clone() }]
                })
                .collect();
            let error = if in_code && !words.is_empty() { words.clone() } else { code.to_owned() };
            (form, json!({"error": error, "error_description": words}).to_string())
        },
    )
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn error_shows_no_secret((form, body) in error_body(), code in 400_u16..600, more in "[a-z]{1,900}") {
        let status = http::StatusCode::from_u16(code).unwrap_or_default();
        let mut fields = url::form_urlencoded::Serializer::new(String::new());
        fields.extend_pairs(&form).append_pair("scope", &more);
        let error = error_of(status, body.as_bytes(), &form_secrets(fields.finish().as_bytes()));
        let all = format!("{error} {error:?} {:?}", error.api_message());
        for (name, secret) in &form {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            prop_assert!(!all.contains(secret.as_str()) && !all.contains(&encoded), "{} in {}", name, all);
        }
        let line = error.to_string();
        prop_assert!(!line.contains(char::is_control) && line.chars().count() < 640, "{}", line);
        prop_assert_eq!(error.kind(), ErrorKind::Auth);
        prop_assert_eq!(error.status(), Some(status));
        let sent: Value = serde_json::from_str(&body)?;
        let is_one_of = |codes: &[&str]| codes.iter().any(|word| sent["error"] == *word);
        let login_code = is_one_of(&["invalid_grant", "invalid_client", "unauthorized_client"]);
        // A permanent code is transient only with the status of an outage.
        let permanent = login_code || is_one_of(&["invalid_request"]);
        let is_outage = [408, 429, 502, 503, 504].contains(&code);
        let polling = is_one_of(&["slow_down"]);
        prop_assert_eq!(error.is_transient(), is_outage || (code >= 500 && !permanent && !polling));
        prop_assert_eq!(error.needs_login(), login_code && !is_outage);
    }

    #[test]
    fn unknown_bodies_do_not_require_a_login(body in vec(any::<u8>(), 0..200), code in 400_u16..600) {
        let error = error_of(http::StatusCode::from_u16(code).unwrap_or_default(), &body, &[]);
        prop_assert!(error.kind() == ErrorKind::Auth && !error.needs_login());
        prop_assert!(!error.to_string().contains(char::is_control));
    }

    #[test]
    fn parses_any_body_without_panic(body in vec(any::<u8>(), 0..200)) {
        let now = SystemTime::UNIX_EPOCH;
        if let Err(error) = TokenSet::parse(&body, now) {
            prop_assert_eq!(error.to_string(), "the identity provider's response holds no access token");
        }
    }

    #[test]
    fn ignores_odd_members_beside_the_token(
        members in prop::collection::btree_map("[a-z_]{1,9}|expires_in|scope|refresh_token|id_token|error_uri", member(), 0..6),
    ) {
        let mut body = json!(members);
        body["access_token"] = json!("t0ken");
        if let Some(members) = body.as_object_mut() {
            members.retain(|name, _| name != "error" && name != "token_type");
        }
        let tokens = TokenSet::parse(body.to_string().as_bytes(), SystemTime::UNIX_EPOCH);
        prop_assert!(tokens.is_ok_and(|tokens| tokens.access.is("t0ken")));
    }
}

/// Values of unexpected types.
fn member() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number)),
        "[0-9.e-]{0,8}|\\PC{0,8}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        vec(any::<u64>(), 0..3).prop_map(|list| json!(list)),
        Just(Value::Null),
        Just(json!({"a": {"b": 1}})),
    ]
}
