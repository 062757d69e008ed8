//! Logout: it ends the login in all processes, clears the store, and waits for a running refresh.

use std::sync::Arc;

use documine::{
    BoxFuture, Credentials, ErrorKind, Result,
    auth::{MemoryStore, TokenSet, TokenStore},
};

use crate::harness::login::issue_tokens;
use crate::harness::stored_login::{log_in_to_store, process_client, rotating_env};

#[tokio::test]
async fn logout_ends_login_in_all_processes() {
    let env = rotating_env().await;
    let store = Arc::new(MemoryStore::default());
    log_in_to_store(&env, store.clone()).await;
    let ((client, _), (other, _)) = (process_client(&env, store.clone()), process_client(&env, store.clone()));
    client.license().await.unwrap();
    other.license().await.unwrap();
    let before = env.request_log().len();
    let logout = client.log_out().await.unwrap();
    assert!(logout.revoked && logout.session_ended, "{logout:?}");
    assert_eq!(env.request_log_since(before), ["revoke 200", "logout 204"]);
    assert_eq!(store.load().await.unwrap(), None);
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: this client has logged out; log in again");
    assert!(error.needs_login());
    env.time.advance(301);
    let error = other.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getLicense: the login was removed from the token store: another process logged out; log in again"
    );
    assert!(error.needs_login());
    assert_eq!(env.request_log_since(before), ["revoke 200", "logout 204"]);
}

#[tokio::test]
async fn logout_without_store_or_login_succeeds() {
    let env = rotating_env().await;
    let (access, refresh) = issue_tokens(&env).await;
    let tokens = TokenSet::new(access.as_str()).refresh_token(refresh);
    let client = env.client_with(env.token_credentials(tokens));
    assert!(client.log_out().await.unwrap().revoked);
    assert!(client.license().await.unwrap_err().needs_login());
    // A second logout has nothing to revoke.
    assert!(!client.log_out().await.unwrap().revoked);
    assert_eq!(env.request_log(), ["token 200", "revoke 200", "logout 204"]);
    let bare = env.client_with(Credentials::access_token(access));
    assert!(!bare.log_out().await.unwrap().revoked);
    assert!(bare.license().await.unwrap_err().needs_login());
}

#[tokio::test]
async fn logout_clears_store_when_provider_is_unavailable() {
    let env = rotating_env().await;
    let store = Arc::new(MemoryStore::default());
    log_in_to_store(&env, store.clone()).await;
    let credentials = Credentials::stored(env.sim.client_id(), store.clone());
    // Endpoints on a closed port.
    let invalid_path = "http://127.0.0.1:9/away";
    let builder = env.builder().revocation_path(invalid_path).end_session_path(invalid_path);
    let client = builder.credentials(credentials.client_secret(env.sim.client_secret())).build().unwrap();
    let error = client.log_out().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(
        error.to_string().ends_with("the tokens were deleted locally, but the identity provider may still accept them"),
        "{error}"
    );
    assert_eq!(store.load().await.unwrap(), None);
    assert!(client.license().await.unwrap_err().needs_login());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logout_waits_for_running_refresh() {
    let env = rotating_env().await;
    let store = Arc::new(MemoryStore::default());
    log_in_to_store(&env, store.clone()).await;
    let (client, _) = process_client(&env, store.clone());
    client.license().await.unwrap();
    for _ in 0..20 {
        // Shortly before expiry, the call uses the old token while a refresh runs.
        env.time.advance(275);
        client.license().await.unwrap();
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(client.license().send())).collect();
        assert!(client.log_out().await.unwrap().revoked);
        for call in calls {
            // Calls complete before or after the logout; the service may have rejected a call in between.
            if let Err(error) = call.await.unwrap() {
                assert!(error.needs_login() || error.is_unauthorized(), "{error:?}");
            }
        }
        assert_eq!(store.load().await.unwrap(), None);
        assert!(client.license().await.unwrap_err().needs_login());
        log_in_to_store(&env, store.clone()).await;
        client.license().await.unwrap();
    }
}

#[tokio::test]
async fn logout_of_custom_token_source_fails() {
    let env = rotating_env().await;
    let error = env.client_with(Credentials::source(FixedTokenSource)).log_out().await.unwrap_err();
    assert_eq!(error.to_string(), "the tokens come from a custom token source; log out at that source");
}

struct FixedTokenSource;

impl documine::auth::TokenSource for FixedTokenSource {
    fn token(&self, _: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
        Box::pin(async { Ok(TokenSet::new("from the vault")) })
    }
}
