//! The device grant: request, polling, pages.

use http::header::CACHE_CONTROL;
use serde_json::Value;

use super::{Answer, Bench, CHALLENGE, CLIENT, SPECIAL, VERIFIER};

const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
const PENDING: &str = "400 authorization_pending The authorization request is still pending";
const SLOW_DOWN: &str = "400 slow_down Slow down";

async fn start(bench: &Bench, more: &[(&str, &str)]) -> Value {
    let answer = bench.post(&bench.endpoint("auth/device"), &[&CLIENT[..], more].concat()).await;
    assert_eq!(answer.header(CACHE_CONTROL), "no-store, must-revalidate, max-age=0");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn poll(bench: &Bench, device: &Value, more: &[(&str, &str)]) -> Answer {
    let code = device["device_code"].as_str().expect("a code");
    bench.token(&[&[GRANT, ("device_code", code)], more].concat()).await
}

fn user_code(device: &Value) -> &str {
    device["user_code"].as_str().expect("a code")
}

#[tokio::test]
async fn polling_goes_by_the_interval() {
    let bench = Bench::new().await;
    let device = start(&bench, &[("scope", "openid")]).await;
    assert_eq!((&device["interval"], &device["expires_in"]), (&5.into(), &600.into()));
    assert_eq!(device["verification_uri"], bench.url("device"));
    assert_eq!(poll(&bench, &device, &[]).await.error(), PENDING);
    assert_eq!(poll(&bench, &device, &[]).await.error(), SLOW_DOWN);
    bench.advance(3);
    assert_eq!(poll(&bench, &device, &[]).await.error(), SLOW_DOWN);
    bench.advance(2);
    assert_eq!(poll(&bench, &device, &[]).await.error(), PENDING);
    assert!(bench.provider.approve_device(&user_code(&device).to_lowercase().replace('-', " "), "alice"));
    assert_eq!(poll(&bench, &device, &[]).await.error(), SLOW_DOWN);
    bench.advance(5);
    assert_eq!(poll(&bench, &device, &[]).await.json()["scope"], "openid email profile");
    assert_eq!(poll(&bench, &device, &[]).await.error(), "400 invalid_grant Device code not valid");
}

#[tokio::test]
async fn denied_expired_and_unknown_codes_are_told_apart() {
    let bench = Bench::new().await;
    let device = start(&bench, &[]).await;
    assert!(bench.provider.deny_device(user_code(&device)));
    assert!(!bench.provider.approve_device(user_code(&device), "alice"));
    for _ in 0..2 {
        let denied = poll(&bench, &device, &[]).await;
        assert_eq!(denied.error(), "400 access_denied The end user denied the authorization request");
        bench.advance(5);
    }
    let device = start(&bench, &[]).await;
    bench.advance(600);
    assert!(!bench.provider.approve_device(user_code(&device), "alice"));
    assert_eq!(poll(&bench, &device, &[]).await.error(), "400 expired_token Device code is expired");
    let unknown = bench.token(&[GRANT, ("device_code", "x")]).await;
    assert_eq!(unknown.error(), "400 invalid_grant Device code not valid");
    let device = start(&bench, &[]).await;
    let form = [GRANT, ("device_code", device["device_code"].as_str().expect("a code")), ("client_id", "public")];
    let other = bench.post(&bench.endpoint("token"), &form).await;
    assert_eq!(other.error(), "400 invalid_grant Client not allowed OAuth 2.0 Device Authorization Grant");
}

#[tokio::test]
async fn requests_are_checked() {
    let bench = Bench::new().await;
    let url = bench.endpoint("auth/device");
    let narrow = bench.post(&url, &[("client_id", "narrow")]).await;
    assert_eq!(narrow.status, 400);
    assert_eq!(narrow.json()["error"], "unauthorized_client");
    let bare = bench.post(&url, &[("client_id", "public")]).await;
    assert_eq!(bare.error(), "400 invalid_request Missing parameter: code_challenge_method");
    assert_eq!(bench.post(&url, &[("client_id", "unknown")]).await.status, 401);
    assert_eq!(bench.post(&url, &[("client_id", "cli")]).await.json()["error"], "unauthorized_client");
    assert_eq!(start(&bench, &[("scope", "")]).await["interval"], 5);
    // Errors of the token endpoint are ignored by the device endpoint.
    let device = start(&bench, &[("scope", "nope openid")]).await;
    assert!(bench.provider.approve_device(user_code(&device), "alice"));
    assert_eq!(poll(&bench, &device, &[]).await.json()["scope"], "openid email profile");
}

#[tokio::test]
async fn a_wrong_verifier_does_not_use_up_the_code() {
    let bench = Bench::new().await;
    let device = start(&bench, &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]).await;
    assert!(bench.provider.approve_device(user_code(&device), "alice"));
    assert_eq!(poll(&bench, &device, &[]).await.error(), "400 invalid_grant PKCE code verifier not specified");
    let wrong = "a".repeat(43);
    let refused = poll(&bench, &device, &[("code_verifier", &wrong)]).await;
    assert_eq!(refused.error(), "400 invalid_grant PKCE verification failed: Code mismatch");
    assert_eq!(poll(&bench, &device, &[("code_verifier", VERIFIER)]).await.status, 200);
}

#[tokio::test]
async fn a_person_approves_or_denies_on_the_pages() {
    let bench = Bench::new().await;
    for (button, status) in [("accept", 200), ("cancel", 400)] {
        let device = start(&bench, &[]).await;
        let link = device["verification_uri_complete"].as_str().expect("a link");
        let login = bench.get(link).await;
        assert!(login.text.contains("kc-form-login"));
        let consent = bench.post(&login.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await;
        assert!(consent.text.contains("name=\"accept\""), "{}", consent.text);
        let done = bench.post(&consent.form_action(), &[(button, "x")]).await;
        assert_eq!(done.status, 302);
        assert_eq!(bench.get(done.header("location")).await.status, 200);
        assert_eq!(poll(&bench, &device, &[]).await.status, status);
    }
}

#[tokio::test]
async fn a_code_can_be_typed() {
    let bench = Bench::new().await;
    let device = start(&bench, &[]).await;
    let ask = bench.get(&bench.url("device")).await;
    let wrong = bench.post(&ask.form_action(), &[("device_user_code", "NOPE-NOPE")]).await;
    assert_eq!(wrong.status, 200);
    assert!(wrong.text.contains("input-error"));
    let login = bench.post(&ask.form_action(), &[("device_user_code", user_code(&device))]).await;
    assert!(login.text.contains("kc-form-login"));
}
