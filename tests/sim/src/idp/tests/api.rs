//! Bearer tokens of this provider and of another provider at the API.

use std::time::Duration;

use http::StatusCode;

use super::Bench;
use crate::clock::SimClock;
use crate::idp::{AuthMode, BearerError};

#[tokio::test]
async fn own_tokens_open_until_they_end() {
    let bench = Bench::new().await;
    let login = bench.log_in("openid").await;
    let token = login.token("access_token");
    let check = async |token: &str| bench.provider.authorize(token, &AuthMode::Own).await;
    let principal = check(&token).await.expect("opens");
    assert_eq!(principal.username.as_deref(), Some("alice"));
    assert_eq!(principal.client_id.as_deref(), Some("cli"));
    assert_eq!(principal.subject, bench.provider.user_id("alice"));
    assert_eq!(check("").await, Err(BearerError::Missing));
    for other in ["x", &login.token("refresh_token"), &login.token("id_token"), &format!("{token}x")] {
        assert!(matches!(check(other).await, Err(BearerError::Invalid(_))));
    }
    bench.advance(299);
    assert!(check(&token).await.is_ok());
    bench.advance(1);
    assert_eq!(check(&token).await, Err(BearerError::Expired));

    let token = bench.log_in("openid").await.token("access_token");
    bench.provider.expire_access_tokens();
    assert_eq!(check(&token).await, Err(BearerError::Expired));
    let token = bench.log_in("openid").await.token("access_token");
    bench.provider.set_user_enabled("alice", false);
    assert_eq!(check(&token).await, Err(BearerError::UserDisabled));
    bench.provider.set_user_enabled("alice", true);
    bench.provider.revoke_all();
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
async fn loose_modes_ask_for_less() {
    let bench = Bench::new().await;
    assert!(bench.provider.authorize("anything", &AuthMode::Any).await.is_ok());
    assert_eq!(bench.provider.authorize("", &AuthMode::Any).await, Err(BearerError::Missing));
    assert!(bench.provider.authorize("", &AuthMode::None).await.is_ok());
}

#[tokio::test]
async fn tokens_of_another_provider_open_with_its_published_keys() {
    // The other provider uses real time, as real providers do.
    let other = Bench::with(|config| config.clock = SimClock::manual_at(std::time::SystemTime::now())).await;
    let bench = Bench::new().await;
    let mode = AuthMode::Jwks(other.endpoint("certs"));
    let check = async |token: &str| bench.provider.authorize(token, &mode).await;
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
async fn age_of_foreign_tokens_goes_by_the_real_clock() {
    let old = Bench::new().await;
    let token = old.log_in("openid").await.token("access_token");
    let mode = AuthMode::Jwks(old.endpoint("certs"));
    assert_eq!(old.provider.authorize(&token, &mode).await, Err(BearerError::Expired));
}

#[tokio::test]
async fn unreachable_keys_are_told_apart_from_bad_tokens() {
    let bench = Bench::new().await;
    let token = bench.log_in("openid").await.token("access_token");
    for url in [bench.url("nothing-here"), "http://127.0.0.1:9/certs".to_owned()] {
        let refusal = bench.provider.authorize(&token, &AuthMode::Jwks(url)).await.expect_err("refused");
        assert_eq!(refusal.status(), StatusCode::SERVICE_UNAVAILABLE, "{refusal}");
    }
}
