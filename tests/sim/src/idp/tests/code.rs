//! The authorization code flow: request, login page, redirect, exchange.

use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};

use super::{CHALLENGE, ClientSettings, SPECIAL, TestRealm, TestResponse, VERIFIER, send};

const BACK: &str = "http://127.0.0.1:45671/cb?x=1";
const STATE: &str = "st&+ä";

/// Returns the URL of an authorization request. `more` overrides the default parameters.
fn request(realm: &TestRealm, more: &[(&str, &str)]) -> String {
    let defaults = [
        ("client_id", "cli"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", STATE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let remaining = defaults.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let given = more.iter().filter(|(_, value)| *value != "-");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(remaining.chain(given)).finish();
    format!("{}?{query}", realm.endpoint("auth"))
}

/// Logs in on the login page and returns the code.
async fn logged_in(realm: &TestRealm, more: &[(&str, &str)]) -> TestResponse {
    let page = realm.get(&request(realm, more)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    realm.post(&page.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await
}

async fn exchange(realm: &TestRealm, code: &str, more: &[(&str, &str)]) -> TestResponse {
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)];
    realm.token(&[&form[..], more].concat()).await
}

#[tokio::test]
async fn login_yields_a_code_and_tokens() {
    let realm = TestRealm::new().await;
    let back = logged_in(&realm, &[("nonce", "n1")]).await;
    assert_eq!(back.status, 302);
    assert!(back.header("location").starts_with("http://127.0.0.1:45671/cb?x=1&state=st%26%2B%C3%A4&session_state="));
    assert_eq!(back.redirect_parameter("state").as_deref(), Some(STATE));
    assert_eq!(back.redirect_parameter("iss").as_deref(), Some(realm.url("").trim_end_matches('/')));
    let code = back.redirect_parameter("code").expect("a code");
    let tokens = exchange(&realm, &code, &[("code_verifier", VERIFIER)]).await;
    assert_eq!(tokens.json()["scope"], "openid email profile");
    assert_eq!(tokens.json()["session_state"], back.redirect_parameter("session_state").expect("a session"));
    let claims =
        jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(tokens.token("id_token")).expect("a token");
    assert_eq!(claims.claims["nonce"], "n1");

    let replayed = exchange(&realm, &code, &[("code_verifier", VERIFIER)]).await;
    assert_eq!(replayed.error(), "400 invalid_grant Code not valid");
    let killed = realm.refresh(&tokens.token("refresh_token")).await;
    assert_eq!(killed.error(), "400 invalid_grant Session doesn't have required client");
}

#[tokio::test]
async fn invalid_exchange_consumes_the_code() {
    let realm = TestRealm::new().await;
    let wrong = "a".repeat(43);
    for (more, expected) in [
        (&[("code_verifier", wrong.as_str())][..], "PKCE verification failed: Code mismatch"),
        (&[("code_verifier", "short")][..], "PKCE verification failed: Invalid code verifier"),
        (&[][..], "PKCE code verifier not specified"),
    ] {
        let code = logged_in(&realm, &[]).await.redirect_parameter("code").expect("a code");
        assert_eq!(exchange(&realm, &code, more).await.error(), format!("400 invalid_grant {expected}"));
        let again = exchange(&realm, &code, &[("code_verifier", VERIFIER)]).await;
        assert_eq!(again.error(), "400 invalid_grant Code not valid");
    }
    let code =
        logged_in(&realm, &[("code_challenge", "-"), ("code_challenge_method", "-")]).await.redirect_parameter("code");
    let unasked = exchange(&realm, &code.expect("a code"), &[("code_verifier", VERIFIER)]).await;
    let text = "400 invalid_grant PKCE code verifier specified but challenge not present in authorization";
    assert_eq!(unasked.error(), text);
    assert_eq!(exchange(&realm, "garbage", &[]).await.error(), "400 invalid_grant Code not valid");

    let code = logged_in(&realm, &[]).await.redirect_parameter("code").expect("a code");
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "http://127.0.0.1/other")];
    assert_eq!(realm.token(&form).await.error(), "400 invalid_grant Incorrect redirect_uri");

    let code = logged_in(&realm, &[]).await.redirect_parameter("code").expect("a code");
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK), ("client_id", "public")];
    let other = realm.post(&realm.endpoint("token"), &form).await;
    assert_eq!(other.error(), "400 invalid_grant Auth error: Found different client_id in clientSession");

    let code = logged_in(&realm, &[]).await.redirect_parameter("code").expect("a code");
    realm.advance(60);
    let late = exchange(&realm, &code, &[("code_verifier", VERIFIER)]).await;
    assert_eq!(late.error(), "400 invalid_grant Code not valid");
}

#[tokio::test]
async fn redirects_errors_with_state_and_issuer() {
    let realm = TestRealm::new().await;
    for (more, error, description) in [
        (
            vec![("client_id", "public"), ("code_challenge_method", "-")],
            "invalid_request",
            "Missing parameter: code_challenge_method",
        ),
        (
            vec![("code_challenge_method", "plain")],
            "invalid_request",
            "Invalid parameter: code challenge method is not matching the configured one",
        ),
        (vec![("code_challenge", "short")], "invalid_request", "Invalid parameter: code_challenge"),
        (vec![("scope", "nope")], "invalid_scope", "Invalid scopes: nope"),
        (vec![("response_type", "-")], "invalid_request", "Missing parameter: response_type"),
        (vec![("response_type", "guess")], "unsupported_response_type", ""),
        (vec![("response_mode", "form_post")], "invalid_request", "Invalid parameter: response_mode"),
        (vec![("prompt", "none")], "login_required", ""),
    ] {
        let back = realm.get(&request(&realm, &more)).await;
        assert_eq!(back.status, 302, "{error}: {}", back.text);
        assert_eq!(back.redirect_parameter("error").as_deref(), Some(error));
        assert_eq!(back.redirect_parameter("error_description").unwrap_or_default(), description);
        assert_eq!(back.redirect_parameter("state").as_deref(), Some(STATE));
        assert!(back.redirect_parameter("iss").is_some());
    }
    for more in [("redirect_uri", "https://evil.test/cb"), ("client_id", "unknown"), ("client_id", "-")] {
        let page = realm.get(&request(&realm, &[more])).await;
        assert_eq!((page.status, page.header(CACHE_CONTROL)), (400, ""));
        assert!(page.text.contains("kc-message"));
    }
}

#[tokio::test]
async fn login_page_allows_retries_and_remembers_the_browser() {
    let realm = TestRealm::new().await;
    let page = realm.get(&request(&realm, &[])).await;
    for (username, password) in [("alice", "wrong"), ("dora", "pw"), ("<b>", "")] {
        let again = realm.post(&page.form_action(), &[("username", username), ("password", password)]).await;
        assert_eq!(again.status, 200);
        assert!(again.text.contains("input-error") && again.text.contains("kc-form-login"));
    }
    let right = realm.post(&page.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await;
    assert_eq!(right.status, 302);
    assert_eq!(realm.post(&page.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await.status, 400);
    let cookie = right.header(SET_COOKIE).split(';').next().expect("a cookie").to_owned();
    let with_cookie = |more: &[(&str, &str)]| realm.http.get(request(&realm, more)).header(COOKIE, &cookie);
    assert!(send(with_cookie(&[])).await.redirect_parameter("code").is_some());
    assert!(send(with_cookie(&[("prompt", "none")])).await.redirect_parameter("code").is_some());
    assert_eq!(send(with_cookie(&[("prompt", "login")])).await.status, 200);
}

#[tokio::test]
async fn client_can_require_consent_at_every_login() {
    let realm = TestRealm::with(|config| {
        let mut asking = ClientSettings::public("asking");
        asking.consent = true;
        config.clients.push(asking);
    })
    .await;
    let asking = ("client_id", "asking");
    for (button, sent) in [("accept", "code"), ("cancel", "error")] {
        let consent = logged_in(&realm, &[asking]).await;
        assert!(consent.text.contains("name=\"accept\""), "{}", consent.text);
        let back = realm.post(&consent.form_action(), &[(button, "x")]).await;
        assert_eq!(back.status, 302);
        assert!(back.redirect_parameter(sent).is_some() && back.redirect_parameter("iss").is_some());
        assert_eq!(back.redirect_parameter("state").as_deref(), Some(STATE));
        if button == "cancel" {
            assert_eq!(
                (back.redirect_parameter("error").as_deref(), back.redirect_parameter("code")),
                (Some("access_denied"), None)
            );
        }
        assert_eq!(realm.post(&consent.form_action(), &[(button, "x")]).await.status, 400);
    }
    // A logged-in browser skips the login, but not the consent.
    let page = realm.get(&request(&realm, &[])).await;
    let known = realm.post(&page.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await;
    let cookie = known.header(SET_COOKIE).split(';').next().expect("a cookie").to_owned();
    let with_cookie = |more: &[(&str, &str)]| realm.http.get(request(&realm, more)).header(COOKIE, &cookie);
    assert!(send(with_cookie(&[asking])).await.text.contains("name=\"accept\""));
    let anonymous = send(with_cookie(&[asking, ("prompt", "none")])).await;
    assert_eq!(anonymous.redirect_parameter("error").as_deref(), Some("interaction_required"));
}
