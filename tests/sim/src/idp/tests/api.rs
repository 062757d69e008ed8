//! Bearer tokens of this provider and of another provider at the API.

use std::time::Duration;

use http::StatusCode;

use super::TestRealm;
use crate::clock::SimClock;
use crate::idp::{AuthMode, BearerError};

#[tokio::test]
async fn accepts_own_tokens_until_they_end() {
    let realm = TestRealm::new().await;
    let login = realm.log_in("openid").await;
    let token = login.token("access_token");
    let check = async |token: &str| realm.provider.authorize(token, &AuthMode::Own).await;
    let principal = check(&token).await.expect("opens");
    assert_eq!(principal.username.as_deref(), Some("alice"));
    assert_eq!(principal.client_id.as_deref(), Some("cli"));
    assert_eq!(principal.subject, realm.provider.user_id("alice"));
    assert_eq!(check("").await, Err(BearerError::Missing));
    for other in ["x", &login.token("refresh_token"), &login.token("id_token"), &format!("{token}x")] {
        assert!(matches!(check(other).await, Err(BearerError::Invalid(_))));
    }
    realm.advance(299);
    assert!(check(&token).await.is_ok());
    realm.advance(1);
    assert_eq!(check(&token).await, Err(BearerError::Expired));

    let token = realm.log_in("openid").await.token("access_token");
    realm.provider.expire_access_tokens();
    assert_eq!(check(&token).await, Err(BearerError::Expired));
    let token = realm.log_in("openid").await.token("access_token");
    realm.provider.set_user_enabled("alice", false);
    assert_eq!(check(&token).await, Err(BearerError::UserDisabled));
    realm.provider.set_user_enabled("alice", true);
    realm.provider.revoke_all();
    assert_eq!(check(&token).await, Err(BearerError::Revoked));
    let refusal = BearerError::Revoked;
    assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
    let header = refusal.www_authenticate("acme");
    assert_eq!(
        header,
        "Bearer realm=\"acme\", error=\"invalid_token\", error_description=\"The access token was revoked\""
    );
}

#[tokio::test]
async fn lenient_modes_accept_any_or_no_token() {
    let realm = TestRealm::new().await;
    assert!(realm.provider.authorize("anything", &AuthMode::Any).await.is_ok());
    assert_eq!(realm.provider.authorize("", &AuthMode::Any).await, Err(BearerError::Missing));
    assert!(realm.provider.authorize("", &AuthMode::None).await.is_ok());
}

#[tokio::test]
async fn accepts_tokens_signed_with_published_keys() {
    // The other provider uses real time, as real providers do.
    let other = TestRealm::with(|config| config.clock = SimClock::manual_at(std::time::SystemTime::now())).await;
    let realm = TestRealm::new().await;
    let mode = AuthMode::Jwks(other.endpoint("certs"));
    let check = async |token: &str| realm.provider.authorize(token, &mode).await;
    let login = other.log_in("openid").await;
    let token = login.token("access_token");
    assert_eq!(check(&token).await.expect("opens").username.as_deref(), Some("alice"));
    // ID tokens, refresh tokens (HMAC) and modified tokens are rejected.
    for wrong in [&login.token("id_token"), &login.token("refresh_token"), &format!("{token}AA"), "x.y.z"] {
        assert!(matches!(check(wrong).await, Err(BearerError::Invalid(_))));
    }
    // New keys are fetched when a token names one. The key of the old token is gone by then.
    other.provider.change_keys();
    let newer = other.log_in("openid").await.token("access_token");
    tokio::time::sleep(Duration::from_millis(550)).await;
    assert!(check(&newer).await.is_ok());
    assert!(matches!(check(&token).await, Err(BearerError::Invalid(_))));
}

#[tokio::test]
async fn foreign_tokens_expire_by_the_real_clock() {
    let old = TestRealm::new().await;
    let token = old.log_in("openid").await.token("access_token");
    let mode = AuthMode::Jwks(old.endpoint("certs"));
    assert_eq!(old.provider.authorize(&token, &mode).await, Err(BearerError::Expired));
}

#[tokio::test]
async fn distinguishes_unreachable_keys_from_invalid_tokens() {
    let realm = TestRealm::new().await;
    let token = realm.log_in("openid").await.token("access_token");
    for url in [realm.url("nothing-here"), "http://127.0.0.1:9/certs".to_owned()] {
        let refusal = realm.provider.authorize(&token, &AuthMode::Jwks(url)).await.expect_err("refused");
        assert_eq!(refusal.status(), StatusCode::SERVICE_UNAVAILABLE, "{refusal}");
    }
}
