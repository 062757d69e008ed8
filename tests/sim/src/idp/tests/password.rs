//! Password grant, client authentication, and the form of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA};

use super::{SPECIAL, TestRealm, send, with_form};

const LOGIN: [(&str, &str); 3] = [("grant_type", "password"), ("username", "alice"), ("password", SPECIAL)];

#[tokio::test]
async fn password_login_responds_like_keycloak() {
    let realm = TestRealm::new().await;
    let login = realm.token(&LOGIN).await;
    let body = login.json();
    assert_eq!(login.header(CACHE_CONTROL), "no-store");
    assert_eq!(login.header(PRAGMA), "no-cache");
    assert_eq!(login.header(CONTENT_TYPE), "application/json");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["refresh_expires_in"], 1800);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["not-before-policy"], 0);
    assert_eq!(body["scope"], "email profile");
    assert!(body["session_state"].is_string());
    assert!(body.get("id_token").is_none());
    assert_eq!(realm.log_in("openid").await.token("id_token").split('.').count(), 3);
}

#[tokio::test]
async fn same_seed_yields_the_same_tokens_on_another_port() {
    let (one, two) = (TestRealm::new().await, TestRealm::new().await);
    let (first, second) = (one.token(&LOGIN).await.json(), two.token(&LOGIN).await.json());
    assert_eq!(first["session_state"], second["session_state"]);
    // The issuer contains the port, so equal tokens need equal host names.
    let named = |realm: &TestRealm| {
        let form: Vec<_> = super::CLIENT.into_iter().chain(LOGIN).collect();
        with_form(realm.http.post(realm.endpoint("token")), &form).header(http::header::HOST, "idp.test")
    };
    let (first, second) = (send(named(&one)).await, send(named(&two)).await);
    assert_eq!(first.token("access_token"), second.token("access_token"));
    assert_eq!(first.token("refresh_token"), second.token("refresh_token"));
}

#[tokio::test]
async fn rejects_invalid_logins() {
    let realm = TestRealm::new().await;
    let invalid = "400 invalid_grant Invalid user credentials";
    for (username, password, expected) in [
        ("alice", "wrong", invalid),
        ("nobody", SPECIAL, invalid),
        ("alice", "", invalid),
        ("dora", "pw", "400 invalid_grant Account disabled"),
        ("dora", "wrong", invalid),
        ("udo", "pw", "400 invalid_grant Account is not fully set up"),
    ] {
        let form = [("grant_type", "password"), ("username", username), ("password", password)];
        assert_eq!(realm.token(&form).await.error(), expected, "{username} {password}");
    }
    assert_eq!(realm.token(&[("grant_type", "password"), ("username", "alice")]).await.error(), invalid);
    let nameless = realm.token(&[("grant_type", "password"), ("password", "x")]).await;
    assert_eq!(nameless.error(), "401 invalid_request Missing parameter: username");
    assert_eq!(realm.log_in("nope").await.error(), "400 invalid_scope Invalid scopes: nope");
    assert_eq!(realm.log_in("").await.error(), "400 invalid_scope Invalid scopes: ");
    let mail = [("grant_type", "password"), ("username", "ALICE@documine.test"), ("password", SPECIAL)];
    assert_eq!(realm.token(&mail).await.status, 200);
    assert!(realm.provider.set_user_enabled("alice", false));
    assert_eq!(realm.token(&LOGIN).await.error(), "400 invalid_grant Account disabled");
    assert!(!realm.provider.set_user_enabled("nobody", false));
}

#[tokio::test]
async fn authenticates_clients_by_form_or_basic() {
    let realm = TestRealm::new().await;
    let as_client = |id: &'static str, secret: &'static str| {
        let form: Vec<_> = [("client_id", id), ("client_secret", secret)].into_iter().chain(LOGIN).collect();
        with_form(realm.http.post(realm.endpoint("token")), &form)
    };
    let wrong = "Invalid client or Invalid client credentials";
    assert_eq!(send(as_client("unknown", "x")).await.error(), format!("401 invalid_client {wrong}"));
    assert_eq!(send(as_client("cli", "x")).await.error(), format!("401 unauthorized_client {wrong}"));
    assert_eq!(send(as_client("public", "ignored")).await.status, 200);
    let narrow = send(as_client("narrow", "")).await;
    assert_eq!(narrow.error(), "400 unauthorized_client Client not allowed for direct access grants");
    assert_eq!(realm.post(&realm.endpoint("token"), &LOGIN).await.error(), format!("401 invalid_client {wrong}"));

    let basic = |credentials: &str| {
        let value = format!("Basic {}", STANDARD.encode(credentials));
        with_form(realm.http.post(realm.endpoint("token")), &LOGIN).header(AUTHORIZATION, value)
    };
    assert_eq!(send(basic("cli:s%26c%2B%25t")).await.status, 200);
    assert_eq!(send(basic("cli:wrong")).await.error(), format!("401 unauthorized_client {wrong}"));
    let raw = send(basic("cli:s&c+%t")).await;
    assert_eq!(raw.error(), "400 unauthorized_client Unexpected error when authenticating client");
    assert_eq!(send(basic("public:")).await.status, 200);
    let service = realm.token(&[("grant_type", "client_credentials")]).await;
    assert_eq!(service.error(), "401 unauthorized_client Client not enabled to retrieve service account");
}

#[tokio::test]
async fn rejects_malformed_requests() {
    let realm = TestRealm::new().await;
    let unsupported = realm.token(&[("grant_type", "nope")]).await;
    assert_eq!(unsupported.error(), "400 unsupported_grant_type Unsupported grant_type");
    let missing = "400 invalid_request Missing form parameter: grant_type";
    assert_eq!(realm.token(&[]).await.error(), missing);
    let twice = realm.token(&[("grant_type", "password"), ("grant_type", "password")]).await;
    assert_eq!(twice.error(), "400 invalid_request duplicated parameter");
    let json = realm.http.post(realm.endpoint("token")).json(&serde_json::json!({ "grant_type": "password" }));
    assert_eq!(send(json).await.error(), missing);
    let bare = realm.http.post(realm.endpoint("token")).body("grant_type=password");
    assert_eq!(send(bare).await.error(), missing);
}
