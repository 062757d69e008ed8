//! The device grant: request, polling, pages.

use http::header::CACHE_CONTROL;
use serde_json::Value;

use super::{CHALLENGE, CLIENT, SPECIAL, TestRealm, TestResponse, VERIFIER};

const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
const PENDING: &str = "400 authorization_pending The authorization request is still pending";
const SLOW_DOWN: &str = "400 slow_down Slow down";

async fn start(realm: &TestRealm, more: &[(&str, &str)]) -> Value {
    let answer = realm.post(&realm.endpoint("auth/device"), &[&CLIENT[..], more].concat()).await;
    assert_eq!(answer.header(CACHE_CONTROL), "no-store, must-revalidate, max-age=0");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn poll(realm: &TestRealm, device: &Value, more: &[(&str, &str)]) -> TestResponse {
    let code = device["device_code"].as_str().expect("a code");
    realm.token(&[&[GRANT, ("device_code", code)], more].concat()).await
}

fn user_code(device: &Value) -> &str {
    device["user_code"].as_str().expect("a code")
}

#[tokio::test]
async fn enforces_the_polling_interval() {
    let realm = TestRealm::new().await;
    let device = start(&realm, &[("scope", "openid")]).await;
    assert_eq!((&device["interval"], &device["expires_in"]), (&5.into(), &600.into()));
    assert_eq!(device["verification_uri"], realm.url("device"));
    assert_eq!(poll(&realm, &device, &[]).await.error(), PENDING);
    assert_eq!(poll(&realm, &device, &[]).await.error(), SLOW_DOWN);
    realm.advance(3);
    assert_eq!(poll(&realm, &device, &[]).await.error(), SLOW_DOWN);
    realm.advance(2);
    assert_eq!(poll(&realm, &device, &[]).await.error(), PENDING);
    assert!(realm.provider.approve_device(&user_code(&device).to_lowercase().replace('-', " "), "alice"));
    assert_eq!(poll(&realm, &device, &[]).await.error(), SLOW_DOWN);
    realm.advance(5);
    assert_eq!(poll(&realm, &device, &[]).await.json()["scope"], "openid email profile");
    assert_eq!(poll(&realm, &device, &[]).await.error(), "400 invalid_grant Device code not valid");
}

#[tokio::test]
async fn distinguishes_denied_expired_and_unknown_codes() {
    let realm = TestRealm::new().await;
    let device = start(&realm, &[]).await;
    assert!(realm.provider.deny_device(user_code(&device)));
    assert!(!realm.provider.approve_device(user_code(&device), "alice"));
    for _ in 0..2 {
        let denied = poll(&realm, &device, &[]).await;
        assert_eq!(denied.error(), "400 access_denied The end user denied the authorization request");
        realm.advance(5);
    }
    let device = start(&realm, &[]).await;
    realm.advance(600);
    assert!(!realm.provider.approve_device(user_code(&device), "alice"));
    assert_eq!(poll(&realm, &device, &[]).await.error(), "400 expired_token Device code is expired");
    let unknown = realm.token(&[GRANT, ("device_code", "x")]).await;
    assert_eq!(unknown.error(), "400 invalid_grant Device code not valid");
    let device = start(&realm, &[]).await;
    let form = [GRANT, ("device_code", device["device_code"].as_str().expect("a code")), ("client_id", "public")];
    let other = realm.post(&realm.endpoint("token"), &form).await;
    assert_eq!(other.error(), "400 invalid_grant Client not allowed OAuth 2.0 Device Authorization Grant");
}

#[tokio::test]
async fn validates_device_requests() {
    let realm = TestRealm::new().await;
    let url = realm.endpoint("auth/device");
    let narrow = realm.post(&url, &[("client_id", "narrow")]).await;
    assert_eq!(narrow.status, 400);
    assert_eq!(narrow.json()["error"], "unauthorized_client");
    let bare = realm.post(&url, &[("client_id", "public")]).await;
    assert_eq!(bare.error(), "400 invalid_request Missing parameter: code_challenge_method");
    assert_eq!(realm.post(&url, &[("client_id", "unknown")]).await.status, 401);
    assert_eq!(realm.post(&url, &[("client_id", "cli")]).await.json()["error"], "unauthorized_client");
    assert_eq!(start(&realm, &[("scope", "")]).await["interval"], 5);
    // Errors of the token endpoint are ignored by the device endpoint.
    let device = start(&realm, &[("scope", "nope openid")]).await;
    assert!(realm.provider.approve_device(user_code(&device), "alice"));
    assert_eq!(poll(&realm, &device, &[]).await.json()["scope"], "openid email profile");
}

#[tokio::test]
async fn wrong_verifier_does_not_consume_the_device_code() {
    let realm = TestRealm::new().await;
    let device = start(&realm, &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]).await;
    assert!(realm.provider.approve_device(user_code(&device), "alice"));
    assert_eq!(poll(&realm, &device, &[]).await.error(), "400 invalid_grant PKCE code verifier not specified");
    let wrong = "a".repeat(43);
    let refused = poll(&realm, &device, &[("code_verifier", &wrong)]).await;
    assert_eq!(refused.error(), "400 invalid_grant PKCE verification failed: Code mismatch");
    assert_eq!(poll(&realm, &device, &[("code_verifier", VERIFIER)]).await.status, 200);
}

#[tokio::test]
async fn user_approves_or_denies_on_the_pages() {
    let realm = TestRealm::new().await;
    for (button, status) in [("accept", 200), ("cancel", 400)] {
        let device = start(&realm, &[]).await;
        let link = device["verification_uri_complete"].as_str().expect("a link");
        let login = realm.get(link).await;
        assert!(login.text.contains("kc-form-login"));
        let consent = realm.post(&login.form_action(), &[("username", "alice"), ("password", SPECIAL)]).await;
        assert!(consent.text.contains("name=\"accept\""), "{}", consent.text);
        let done = realm.post(&consent.form_action(), &[(button, "x")]).await;
        assert_eq!(done.status, 302);
        assert_eq!(realm.get(done.header("location")).await.status, 200);
        assert_eq!(poll(&realm, &device, &[]).await.status, status);
    }
}

#[tokio::test]
async fn accepts_a_typed_user_code() {
    let realm = TestRealm::new().await;
    let device = start(&realm, &[]).await;
    let ask = realm.get(&realm.url("device")).await;
    let wrong = realm.post(&ask.form_action(), &[("device_user_code", "NOPE-NOPE")]).await;
    assert_eq!(wrong.status, 200);
    assert!(wrong.text.contains("input-error"));
    let login = realm.post(&ask.form_action(), &[("device_user_code", user_code(&device))]).await;
    assert!(login.text.contains("kc-form-login"));
}
