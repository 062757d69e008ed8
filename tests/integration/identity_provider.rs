//! Identity providers and token sources: another path, unusual responses, custom sources.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use documine::{
    BoxFuture, Client, Credentials, Result,
    auth::{TokenSet, TokenSource},
};
use futures_util::future::try_join_all;

use crate::harness::canned_server::{CannedServer, json_response};
use crate::harness::login::issue_tokens;
use crate::harness::messages::UNKNOWN_TOKEN_PATH;
use crate::harness::test_env::TestEnv;

#[tokio::test]
async fn public_client_sends_no_secret() {
    let provider = CannedServer::respond_with(|head| {
        if head.starts_with("POST ") {
            json_response(r#"{"access_token":"a-token","token_type":"bearer"}"#)
        } else {
            json_response("{}")
        }
    })
    .await;
    let public = || Credentials::password("public-client", "robot", "word").scope("openid");
    let with =
        |credentials| Client::builder(&provider.base).workspace("acme").credentials(credentials).build().unwrap();
    with(public()).license().await.unwrap();
    with(public().client_secret("s3cret")).license().await.unwrap();
    let bodies: Vec<_> = provider
        .requests()
        .iter()
        .filter_map(|request| Some(request.strip_prefix("POST ")?.split_once("\r\n\r\n")?.1.to_owned()))
        .collect();
    let fields = |body: &str| {
        let mut fields: Vec<_> = body.split('&').map(str::to_owned).collect();
        fields.sort();
        fields
    };
    let mut expected =
        vec!["client_id=public-client", "grant_type=password", "password=word", "scope=openid", "username=robot"];
    assert_eq!(fields(&bodies[0]), expected);
    expected.insert(1, "client_secret=s3cret");
    assert_eq!(fields(&bodies[1]), expected);
}

#[tokio::test]
async fn accepts_misspelled_refresh_token_lifetime() {
    let answer = r#"{"access_token":"a-token","token_type":"Bearer","expires_in":300,"refresh_token":"r-token","refresh_expries_in":1800}"#;
    let provider = CannedServer::respond_with(move |head| {
        if head.starts_with("POST /auth/") { json_response(answer) } else { json_response("{}") }
    })
    .await;
    let client = Client::builder(&provider.base)
        .workspace("acme")
        .credentials(Credentials::password("c", "u", "p"))
        .build()
        .unwrap();
    client.license().await.unwrap();
    let requests = provider.requests();
    assert!(requests[0].starts_with("POST /auth/realms/acme/protocol/openid-connect/token "), "{}", requests[0]);
    assert!(requests[1].to_ascii_lowercase().contains("authorization: bearer a-token\r\n"), "{}", requests[1]);
}

#[tokio::test]
async fn accepts_token_endpoint_at_another_path() {
    let mut env = TestEnv::new().await;
    let path = format!("/auth/realms/{}/protocol/openid-connect/token", env.sim.workspace_id());
    for given in [path.clone(), format!("{}{path}", env.sim.base_url())] {
        env.builder().token_path(given).build().unwrap().license().await.unwrap();
    }
    let before = env.request_log().len();
    let error = env.builder().token_path("/elsewhere").build().unwrap().license().await.unwrap_err();
    assert_eq!(error.to_string(), UNKNOWN_TOKEN_PATH);
    assert_eq!(env.request_log_since(before).len(), 1);
    env.expect_violations(&["POST /elsewhere is no operation of the document"]);
}

#[tokio::test]
async fn calls_token_source_once_for_many_calls() {
    struct CountingSource(Arc<AtomicUsize>, String);
    impl TokenSource for CountingSource {
        fn token(&self, rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
            assert!(rejected.is_none());
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(TokenSet::new(self.1.as_str())) })
        }
    }
    let env = TestEnv::new().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let client = env.client_with(Credentials::source(CountingSource(Arc::clone(&calls), issue_tokens(&env).await.0)));
    try_join_all((0..20).map(|_| client.license().send())).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}
