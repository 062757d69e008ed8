//! Whatever an identity provider answers: no secret of the request is shown, and only what is final asks for a new login.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::properties::cases;

/// Names of the form's fields that hold secrets.
const SECRETS: [&str; 6] = ["password", "client_secret", "refresh_token", "code", "code_verifier", "device_code"];

/// Secrets that no text of ours holds, with letters that a form encodes.
fn secret() -> impl Strategy<Value = String> {
    "[A-Z]{2,5}[ü&=+% \"\\\\]{0,3}[A-Z]{2,5}"
}

/// What a provider says: texts of its own, and what it was sent, as it is or as it stood in the form.
fn answer() -> impl Strategy<Value = (Vec<(&'static str, String)>, String)> {
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
    fn a_refusal_shows_no_secret((form, body) in answer(), code in 400_u16..600, more in "[a-z]{1,900}") {
        let status = http::StatusCode::from_u16(code).unwrap_or_default();
        let mut fields = url::form_urlencoded::Serializer::new(String::new());
        fields.extend_pairs(&form).append_pair("scope", &more);
        let error = refusal(status, body.as_bytes(), &secrets_of(fields.finish().as_bytes()));
        let all = format!("{error} {error:?} {:?}", error.api_message());
        for (name, secret) in &form {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            prop_assert!(!all.contains(secret.as_str()) && !all.contains(&encoded), "{} in {}", name, all);
        }
        let line = error.to_string();
        prop_assert!(!line.contains(char::is_control) && line.chars().count() < 640, "{}", line);
        prop_assert_eq!(error.kind(), ErrorKind::Auth);
        prop_assert_eq!(error.status(), Some(status));
        prop_assert_eq!(error.is_transient(), code >= 500 || [408, 429].contains(&code));
        let said: Value = serde_json::from_str(&body)?;
        let last_word = ["invalid_grant", "invalid_client", "unauthorized_client"].iter().any(|word| said["error"] == *word);
        prop_assert_eq!(error.needs_login(), last_word && !error.is_transient());
    }

    #[test]
    fn any_body_is_a_refusal_and_no_reason_to_log_in(body in vec(any::<u8>(), 0..200), code in 400_u16..600) {
        let error = refusal(http::StatusCode::from_u16(code).unwrap_or_default(), &body, &[]);
        prop_assert!(error.kind() == ErrorKind::Auth && !error.needs_login());
        prop_assert!(!error.to_string().contains(char::is_control));
    }

    #[test]
    fn an_answer_gets_a_token_type_and_nothing_else(
        members in prop::collection::btree_map("[a-z_]{1,9}|token_type", "[a-zA-Z]{0,6}", 0..5),
        garbage in vec(any::<u8>(), 0..40),
    ) {
        let given = json!(members);
        let mut wanted = given.clone();
        if wanted.get("token_type").is_none() {
            wanted["token_type"] = json!("Bearer");
        }
        prop_assert_eq!(serde_json::from_slice::<Value>(&with_token_type(given.to_string().as_bytes()))?, wanted);
        if serde_json::from_slice::<Value>(&garbage).is_err() {
            prop_assert_eq!(with_token_type(&garbage), garbage);
        }
    }
}
