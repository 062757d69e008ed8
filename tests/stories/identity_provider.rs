//! Identity providers and token sources of all sorts: elsewhere, with odd answers, in trouble, or of one's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use documine::{BoxFuture, Client, Credentials, Result, TokenSet, TokenSource};
use futures_util::future::try_join_all;

use crate::canned::{Canned, json};
use crate::log_in::tokens;
use crate::world::World;

#[tokio::test]
async fn a_public_client_sends_no_secret() {
    let provider = Canned::answering(|head| {
        if head.starts_with("POST ") { json(r#"{"access_token":"a-token","token_type":"bearer"}"#) } else { json("{}") }
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
async fn the_refresh_tokens_life_may_be_spelt_as_the_guide_does() {
    let answer = r#"{"access_token":"a-token","token_type":"Bearer","expires_in":300,"refresh_token":"r-token","refresh_expries_in":1800}"#;
    let provider =
        Canned::answering(move |head| if head.starts_with("POST /auth/") { json(answer) } else { json("{}") }).await;
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
async fn the_token_endpoint_may_be_elsewhere() {
    let mut world = World::new().await;
    let path = format!("/auth/realms/{}/protocol/openid-connect/token", world.sim.workspace_id());
    for given in [path.clone(), format!("{}{path}", world.sim.base_url())] {
        world.builder().token_path(given).build().unwrap().license().await.unwrap();
    }
    let before = world.journal().len();
    let error = world.builder().token_path("/elsewhere").build().unwrap().license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login with a password: the identity provider has no such path (404); check the base URL, the workspace and the token path"
    );
    assert_eq!(world.journal_since(before).len(), 1);
    world.expect_violations(&["POST /elsewhere is no operation of the document"]);
}

#[tokio::test]
async fn a_source_of_ones_own_is_asked_once_for_many_calls() {
    struct Vault(Arc<AtomicUsize>, String);
    impl TokenSource for Vault {
        fn token(&self, rejected: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
            assert!(rejected.is_none());
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(TokenSet::new(self.1.as_str())) })
        }
    }
    let world = World::new().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let client = world.client_with(Credentials::source(Vault(Arc::clone(&asked), tokens(&world).await.0)));
    try_join_all((0..20).map(|_| client.license().send())).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
