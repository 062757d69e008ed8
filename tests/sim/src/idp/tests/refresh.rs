//! Refresh with and without rotation, revocation, logout, and restart.

use super::{CLIENT, TestRealm};

const NOT_ACTIVE: &str = "400 invalid_grant Session not active";

#[tokio::test]
async fn without_rotation_a_refresh_token_is_reusable() {
    let realm = TestRealm::new().await;
    let token = realm.log_in("openid").await.token("refresh_token");
    assert_eq!(realm.refresh(&token).await.status, 200);
    let again = realm.refresh(&token).await.json();
    assert_eq!(again["scope"], "openid email profile");
    assert!(again["id_token"].is_string());
    let narrow =
        realm.token(&[("grant_type", "refresh_token"), ("refresh_token", &token), ("scope", "email phone")]).await;
    assert_eq!(narrow.json()["scope"], "email profile");
}

#[tokio::test]
async fn with_rotation_a_second_use_ends_the_session() {
    let realm = TestRealm::with(|config| config.rotate_refresh = true).await;
    let first = realm.log_in("openid").await.token("refresh_token");
    let second = realm.refresh(&first).await;
    let replayed = realm.refresh(&first).await;
    assert_eq!(replayed.error(), "400 invalid_grant Maximum allowed refresh token reuse exceeded");
    let newest = realm.refresh(&second.token("refresh_token")).await;
    assert_eq!(newest.error(), "400 invalid_grant Session doesn't have required client");
    let userinfo = realm.http.get(realm.endpoint("userinfo")).bearer_auth(second.token("access_token"));
    let userinfo = super::send(userinfo).await;
    assert_eq!((userinfo.status, userinfo.text.as_str()), (401, ""));
    assert!(userinfo.header("www-authenticate").contains("user_session_not_found"));
}

#[tokio::test]
async fn one_of_eight_parallel_refreshes_wins_and_ends_the_session() {
    let realm = TestRealm::with(|config| config.rotate_refresh = true).await;
    let token = realm.log_in("openid").await.token("refresh_token");
    let answers = futures_util::future::join_all((0..8).map(|_| realm.refresh(&token))).await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(realm.refresh(&winners[0].token("refresh_token")).await.status, 400);
}

#[tokio::test]
async fn tokens_and_sessions_expire_by_the_clock() {
    let realm = TestRealm::with(|config| {
        config.rotate_refresh = true;
        config.refresh_ttl = std::time::Duration::from_secs(20);
        config.session_max = std::time::Duration::from_secs(60);
    })
    .await;
    let mut token = realm.log_in("openid").await.token("refresh_token");
    for left in [20, 20, 15] {
        realm.advance(15);
        let refreshed = realm.refresh(&token).await;
        assert_eq!(refreshed.json()["refresh_expires_in"], left);
        token = refreshed.token("refresh_token");
    }
    realm.advance(15);
    assert_eq!(realm.refresh(&token).await.error(), "400 invalid_grant Token is not active");
    let idle = realm.log_in("openid").await.token("refresh_token");
    realm.advance(20);
    assert_eq!(realm.refresh(&idle).await.error(), "400 invalid_grant Token is not active");
    let offline = realm.log_in("openid offline_access").await;
    assert_eq!(offline.json()["refresh_expires_in"], 0);
    realm.advance(1_000_000);
    assert_eq!(realm.refresh(&offline.token("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn rejects_foreign_and_malformed_refresh_tokens() {
    let realm = TestRealm::new().await;
    let login = realm.log_in("openid").await;
    let invalid = "400 invalid_grant Invalid refresh token";
    for token in ["garbage", "", &login.token("access_token")] {
        assert_eq!(realm.refresh(token).await.error(), invalid);
    }
    let token = login.token("refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", "public")];
    let other = realm.post(&realm.endpoint("token"), &form).await;
    let text = "400 invalid_grant Invalid refresh token. Token client and authorized client don't match";
    assert_eq!(other.error(), text);
    assert!(realm.provider.set_user_enabled("alice", false));
    assert_eq!(realm.refresh(&token).await.error(), "400 invalid_grant User disabled");
    assert!(realm.provider.set_user_enabled("alice", true));
    realm.provider.expire_refresh_tokens();
    assert_eq!(realm.refresh(&token).await.error(), "400 invalid_grant Token is not active");
    let token = realm.log_in("openid").await.token("refresh_token");
    realm.provider.change_keys();
    assert_eq!(realm.refresh(&token).await.error(), invalid);
}

#[tokio::test]
async fn revocation_responds_like_keycloak() {
    let realm = TestRealm::new().await;
    let (url, login) = (realm.endpoint("revoke"), realm.log_in("openid").await);
    let token = login.token("refresh_token");
    let revoke = async |token: &str| realm.post(&url, &[&CLIENT[..], &[("token", token)]].concat()).await;
    let other = realm.post(&url, &[("client_id", "public"), ("token", &token)]).await;
    assert_eq!(other.error(), "400 invalid_request Unmatching clients");
    let access = revoke(&login.token("access_token")).await;
    assert_eq!((access.status, access.text.as_str()), (200, ""));
    assert_eq!(realm.refresh(&token).await.status, 200);
    let first = revoke(&token).await;
    assert_eq!((first.status, first.text.as_str()), (200, ""));
    assert_eq!(realm.refresh(&token).await.error(), NOT_ACTIVE);
    assert_eq!(revoke(&token).await.error(), "200 invalid_token Invalid token");
    assert_eq!(revoke("garbage").await.error(), "200 invalid_token Invalid token");
    assert_eq!(realm.post(&url, &CLIENT).await.error(), "400 invalid_request Token not provided");
}

#[tokio::test]
async fn logout_responds_like_keycloak() {
    let realm = TestRealm::new().await;
    let (url, login) = (realm.endpoint("logout"), realm.log_in("openid").await);
    let token = login.token("refresh_token");
    let log_out = async |token: &str| realm.post(&url, &[&CLIENT[..], &[("refresh_token", token)]].concat()).await;
    for _ in 0..2 {
        assert_eq!(log_out(&token).await.status, 204);
    }
    assert_eq!(realm.refresh(&token).await.error(), NOT_ACTIVE);
    assert_eq!(log_out("garbage").await.error(), "400 invalid_grant Invalid refresh token");
    let anonymous = realm.post(&url, &CLIENT).await;
    assert!(anonymous.text.contains("<!DOCTYPE html>"));
    assert_eq!(anonymous.header("cache-control"), "no-cache");
}

#[tokio::test]
async fn ends_the_sessions_of_one_user() {
    let realm = TestRealm::with(|config| config.users.push(super::UserSettings::new("erin", "pw"))).await;
    let form = [("grant_type", "password"), ("username", "erin"), ("password", "pw")];
    let (hers, mine) = (realm.token(&form).await, realm.log_in("openid").await);
    realm.provider.end_sessions("ERIN");
    realm.provider.end_sessions("nobody");
    assert_eq!(realm.refresh(&hers.token("refresh_token")).await.error(), NOT_ACTIVE);
    assert_eq!(realm.refresh(&mine.token("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn userinfo_requires_the_openid_scope() {
    let realm = TestRealm::new().await;
    let url = realm.endpoint("userinfo");
    let anonymous = realm.get(&url).await;
    assert_eq!((anonymous.status, anonymous.header("www-authenticate")), (401, "Bearer realm=\"acme\""));
    let login = realm.log_in("email").await;
    let challenge = "Bearer realm=\"acme\", error=\"insufficient_scope\", error_description=\"Missing openid scope\"";
    let token = login.token("access_token");
    for _ in 0..2 {
        let other = super::send(realm.http.get(&url).bearer_auth(&token)).await;
        assert_eq!((other.status, other.header("www-authenticate")), (403, challenge));
        // The same after revocation.
        assert!(realm.provider.revoke_access_token(&token));
    }
    realm.advance(301);
    assert_eq!(super::send(realm.http.get(&url).bearer_auth(&token)).await.status, 401);
    let openid = realm.log_in("openid").await.token("access_token");
    assert_eq!(super::send(realm.http.get(&url).bearer_auth(openid)).await.status, 200);
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let realm = TestRealm::new().await;
    let token = realm.log_in("openid").await.token("refresh_token");
    let saved = realm.provider.to_json();
    assert!(!saved.to_string().contains(&token));
    let restarted = TestRealm::new().await;
    assert_eq!(restarted.refresh(&token).await.error(), NOT_ACTIVE);
    restarted.provider.load_json(&saved).expect("loads");
    let refreshed = restarted.refresh(&token).await;
    assert_eq!(refreshed.status, 200);
    assert!(restarted.provider.load_json(&serde_json::json!([1])).is_err());
    let snapshot = restarted.provider.snapshot();
    assert_eq!(snapshot["sessions"][0]["username"], "alice");
    assert!(!snapshot.to_string().contains(&refreshed.token("access_token")));
}
