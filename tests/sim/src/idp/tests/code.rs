//! The authorization code flow: request, login page, redirect, exchange.

use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};

use super::{Answer, Bench, CHALLENGE, ClientSettings, SPECIAL, VERIFIER, answer};

const BACK: &str = "http://127.0.0.1:45671/cb?x=1";
const STATE: &str = "st&+ä";

/// Returns the URL of an authorization request. `more` overrides the default parameters.
fn request(bench: &Bench, more: &[(&str, &str)]) -> String {
    let usual = [
        ("client_id", "cli"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", STATE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let given = more.iter().filter(|(_, value)| *value != "-");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept.chain(given)).finish();
    format!("{}?{query}", bench.endpoint("auth"))
}

/// Logs in on the login page and returns the code.
async fn logged_in(bench: &Bench, more: &[(&str, &str)]) -> Answer {
    let page = bench.get(&request(bench, more)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    bench.post(&page.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await
}

async fn exchange(bench: &Bench, code: &str, more: &[(&str, &str)]) -> Answer {
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)];
    bench.token(&[&form[..], more].concat()).await
}

#[tokio::test]
async fn a_login_leads_to_a_code_and_the_code_to_tokens() {
    let bench = Bench::new().await;
    let back = logged_in(&bench, &[("nonce", "n1")]).await;
    assert_eq!(back.status, 302);
    assert!(back.header("location").starts_with("http://127.0.0.1:45671/cb?x=1&state=st%26%2B%C3%A4&session_state="));
    assert_eq!(back.sent_back("state").as_deref(), Some(STATE));
    assert_eq!(back.sent_back("iss").as_deref(), Some(bench.url("").trim_end_matches('/')));
    let code = back.sent_back("code").expect("a code");
    let tokens = exchange(&bench, &code, &[("code_verifier", VERIFIER)]).await;
    assert_eq!(tokens.json()["scope"], "openid email profile");
    assert_eq!(tokens.json()["session_state"], back.sent_back("session_state").expect("a session"));
    let claims =
        jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(tokens.token("id_token")).expect("a token");
    assert_eq!(claims.claims["nonce"], "n1");

    let replayed = exchange(&bench, &code, &[("code_verifier", VERIFIER)]).await;
    assert_eq!(replayed.error(), "400 invalid_grant Code not valid");
    let killed = bench.refresh(&tokens.token("refresh_token")).await;
    assert_eq!(killed.error(), "400 invalid_grant Session doesn't have required client");
}

#[tokio::test]
async fn a_bad_exchange_is_refused_and_burns_the_code() {
    let bench = Bench::new().await;
    let wrong = "a".repeat(43);
    for (more, expected) in [
        (&[("code_verifier", wrong.as_str())][..], "PKCE verification failed: Code mismatch"),
        (&[("code_verifier", "short")][..], "PKCE verification failed: Invalid code verifier"),
        (&[][..], "PKCE code verifier not specified"),
    ] {
        let code = logged_in(&bench, &[]).await.sent_back("code").expect("a code");
        assert_eq!(exchange(&bench, &code, more).await.error(), format!("400 invalid_grant {expected}"));
        let again = exchange(&bench, &code, &[("code_verifier", VERIFIER)]).await;
        assert_eq!(again.error(), "400 invalid_grant Code not valid");
    }
    let code = logged_in(&bench, &[("code_challenge", "-"), ("code_challenge_method", "-")]).await.sent_back("code");
    let unasked = exchange(&bench, &code.expect("a code"), &[("code_verifier", VERIFIER)]).await;
    let text = "400 invalid_grant PKCE code verifier specified but challenge not present in authorization";
    assert_eq!(unasked.error(), text);
    assert_eq!(exchange(&bench, "garbage", &[]).await.error(), "400 invalid_grant Code not valid");

    let code = logged_in(&bench, &[]).await.sent_back("code").expect("a code");
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "http://127.0.0.1/other")];
    assert_eq!(bench.token(&form).await.error(), "400 invalid_grant Incorrect redirect_uri");

    let code = logged_in(&bench, &[]).await.sent_back("code").expect("a code");
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK), ("client_id", "public")];
    let other = bench.post(&bench.endpoint("token"), &form).await;
    assert_eq!(other.error(), "400 invalid_grant Auth error: Found different client_id in clientSession");

    let code = logged_in(&bench, &[]).await.sent_back("code").expect("a code");
    bench.advance(60);
    let late = exchange(&bench, &code, &[("code_verifier", VERIFIER)]).await;
    assert_eq!(late.error(), "400 invalid_grant Code not valid");
}

#[tokio::test]
async fn bad_requests_come_back_as_errors_with_state_and_issuer() {
    let bench = Bench::new().await;
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
        (vec![("prompt", "none")], "login_required", ""),
    ] {
        let back = bench.get(&request(&bench, &more)).await;
        assert_eq!(back.status, 302, "{error}: {}", back.text);
        assert_eq!(back.sent_back("error").as_deref(), Some(error));
        assert_eq!(back.sent_back("error_description").unwrap_or_default(), description);
        assert_eq!(back.sent_back("state").as_deref(), Some(STATE));
        assert!(back.sent_back("iss").is_some());
    }
    for more in [("redirect_uri", "https://evil.test/cb"), ("client_id", "unknown"), ("client_id", "-")] {
        let page = bench.get(&request(&bench, &[more])).await;
        assert_eq!((page.status, page.header(CACHE_CONTROL)), (400, ""));
        assert!(page.text.contains("kc-message"));
    }
}

#[tokio::test]
async fn the_login_page_lets_people_try_again_and_remembers_the_browser() {
    let bench = Bench::new().await;
    let page = bench.get(&request(&bench, &[])).await;
    for (username, password) in [("alice", "wrong"), ("dora", "pw"), ("<b>", "")] {
        let again = bench.post(&page.form_action(), &[("username", username), ("password", password)]).await;
        assert_eq!(again.status, 200);
        assert!(again.text.contains("input-error") && again.text.contains("kc-form-login"));
    }
    let right = bench.post(&page.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await;
    assert_eq!(right.status, 302);
    assert_eq!(bench.post(&page.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await.status, 400);
    let cookie = right.header(SET_COOKIE).split(';').next().expect("a cookie").to_owned();
    let with_cookie = |more: &[(&str, &str)]| bench.http.get(request(&bench, more)).header(COOKIE, &cookie);
    assert!(answer(with_cookie(&[])).await.sent_back("code").is_some());
    assert!(answer(with_cookie(&[("prompt", "none")])).await.sent_back("code").is_some());
    assert_eq!(answer(with_cookie(&[("prompt", "login")])).await.status, 200);
    let posted = answer(with_cookie(&[("response_mode", "form_post"), ("state", "\"><x>")])).await;
    assert_eq!(posted.status, 200);
    assert!(posted.text.contains("name=\"code\"") && !posted.text.contains("<x>"));
}

#[tokio::test]
async fn a_client_may_need_consent_at_every_login() {
    let bench = Bench::with(|config| {
        let mut asking = ClientSettings::public("asking");
        asking.consent = true;
        config.clients.push(asking);
    })
    .await;
    let asking = ("client_id", "asking");
    for (button, sent) in [("accept", "code"), ("cancel", "error")] {
        let consent = logged_in(&bench, &[asking]).await;
        assert!(consent.text.contains("name=\"accept\""), "{}", consent.text);
        let back = bench.post(&consent.form_action(), &[(button, "x")]).await;
        assert_eq!(back.status, 302);
        assert!(back.sent_back(sent).is_some() && back.sent_back("iss").is_some());
        assert_eq!(back.sent_back("state").as_deref(), Some(STATE));
        if button == "cancel" {
            assert_eq!((back.sent_back("error").as_deref(), back.sent_back("code")), (Some("access_denied"), None));
        }
        assert_eq!(bench.post(&consent.form_action(), &[(button, "x")]).await.status, 400);
    }
    // A logged-in browser skips the login, but not the consent.
    let page = bench.get(&request(&bench, &[])).await;
    let known = bench.post(&page.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await;
    let cookie = known.header(SET_COOKIE).split(';').next().expect("a cookie").to_owned();
    let with_cookie = |more: &[(&str, &str)]| bench.http.get(request(&bench, more)).header(COOKIE, &cookie);
    assert!(answer(with_cookie(&[asking])).await.text.contains("name=\"accept\""));
    let nobody = answer(with_cookie(&[asking, ("prompt", "none")])).await;
    assert_eq!(nobody.sent_back("error").as_deref(), Some("interaction_required"));
}
