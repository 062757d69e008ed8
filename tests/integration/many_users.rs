//! A service with many users: clients of several accounts share connections and limits, but neither tokens nor polls.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use documine::{Client, Credentials, ErrorKind, Source, auth::MemoryStore};
use documine_sim::Fault;
use futures_util::future::{join, try_join_all};
use http::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::harness::canned_server::read_head;
use crate::harness::login::issue_tokens;
use crate::harness::pdf_fixtures::INVOICE;
use crate::harness::test_env::{TestEnv, header, password_credentials};

/// Returns the distinct bearer tokens of an operation's requests.
fn bearer_tokens(env: &TestEnv, operation: &str) -> Vec<String> {
    let mut tokens: Vec<_> =
        env.requests(operation).iter().map(|request| header(request, "authorization").unwrap()).collect();
    tokens.sort();
    tokens.dedup();
    tokens
}

/// Starts a server that keeps its connections open, and returns its URL and the number of connections.
async fn keep_alive_server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut received = Vec::new();
                while let Some(end) = read_head(&mut stream, &mut received).await {
                    received.drain(..end);
                    let response = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                    stream.write_all(response).await.unwrap();
                }
            });
        }
    });
    (base, connections)
}

#[tokio::test]
async fn clients_of_many_accounts_share_connections() {
    let (base, connections) = keep_alive_server().await;
    let service = Client::builder(base).workspace("acme").credentials(Credentials::none()).build().unwrap();
    for number in 0..20 {
        let client = service.with_credentials(Credentials::access_token(format!("t-{number}"))).unwrap();
        client.request(Method::GET, "/api/license", None).await.unwrap();
        assert_eq!(client.requests_sent(), 1);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    assert_eq!(service.requests_sent(), 0);
}

#[tokio::test]
async fn each_account_uses_and_refreshes_its_own_tokens() {
    let env = TestEnv::new().await;
    let clients = [(); 2].map(|()| env.client.with_credentials(password_credentials(&env.sim)).unwrap());
    for client in &clients {
        client.license().await.unwrap();
    }
    assert_eq!(env.requests("token").len(), 2);
    assert_eq!(bearer_tokens(&env, "getLicense").len(), 2);
    clients[0].log_out().await.unwrap();
    let before = env.requests("token").len();
    clients[1].license().await.unwrap();
    assert_eq!(env.requests("token").len(), before, "the other account is still logged in");
    // Clock and settings are those of the first client.
    env.time.advance(301);
    clients[1].license().await.unwrap();
    assert_eq!(env.requests("token").len(), before + 1);
    assert_eq!((clients[1].workspace(), clients[1].base_url()), (env.client.workspace(), env.client.base_url()));
}

#[tokio::test]
async fn waits_of_two_accounts_share_no_poll() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let (template, id) = (env.template_id(), dossier.id().clone());
    let mut uploads = Vec::new();
    for number in 0..4 {
        uploads.push(dossier.upload(Source::bytes(format!("{number}.pdf"), INVOICE)).await.unwrap().id.clone());
    }
    let waits = |client: &Client| {
        let dossier = client.dossier_template(template.clone()).dossier(&id);
        let waits: Vec<_> =
            uploads.iter().map(|file| dossier.file(file).wait_until_processed().into_future()).collect();
        try_join_all(waits)
    };
    let other = env.client.with_credentials(password_credentials(&env.sim)).unwrap();
    let (first, second) = join(waits(&env.client), waits(&other)).await;
    assert_eq!((first.unwrap().len(), second.unwrap().len()), (4, 4));
    assert_eq!(bearer_tokens(&env, "getFiles").len(), 2, "{:?}", env.request_log());
}

#[tokio::test]
async fn accounts_share_the_retry_budget() {
    let env = TestEnv::new().await;
    let service = env.builder().retry_budget(Some(1)).build().unwrap();
    let clients = [(); 2].map(|()| service.with_credentials(password_credentials(&env.sim)).unwrap());
    env.add_fault(Fault::on("getLicense").times(3).status(503));
    // The only retry of the budget, then a failure without one.
    assert_eq!(clients[0].license().await.unwrap_err().attempts(), 2);
    assert_eq!(clients[1].license().await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn client_without_credentials_fails_unsent_and_asks_for_a_login() {
    let env = TestEnv::new().await;
    let service = env.client_with(Credentials::none());
    let error = service.license().await.unwrap_err();
    assert!(error.needs_login() && !error.was_sent(), "{error:?}");
    assert_eq!(error.to_string(), "getLicense: the client has no credentials; use `Client::with_credentials`");
    let error = service.identity().await.unwrap_err();
    assert!(error.needs_login(), "{error}");
    assert_eq!(env.request_log(), Vec::<String>::new());
    service.with_credentials(password_credentials(&env.sim)).unwrap().license().await.unwrap();
}

#[tokio::test]
async fn rejects_incomplete_credentials_of_a_user() {
    let env = TestEnv::new().await;
    let error = env.client.with_credentials(Credentials::password("c", "", "p")).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Config, "credentials: the user name is empty; give one")
    );
    let error = env.client.login(" ").unwrap_err();
    assert_eq!(error.to_string(), "the client id is empty; give the one that is registered with the identity provider");
}

#[tokio::test]
async fn token_store_of_the_builder_is_not_used_for_other_accounts() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let store = Arc::new(MemoryStore::default());
    let service = env.builder().token_store(Arc::clone(&store)).build().unwrap();
    let (access, refresh) = issue_tokens(&env).await;
    let tokens = documine::auth::TokenSet::new(access.as_str()).refresh_token(refresh);
    let user = service.with_credentials(env.token_credentials(tokens)).unwrap();
    user.license().await.unwrap();
    assert_eq!(bearer_tokens(&env, "getLicense"), [format!("Bearer {access}")]);
    assert!(!holds_login(&store).await);
    service.license().await.unwrap();
    assert!(holds_login(&store).await);
}

async fn holds_login(store: &MemoryStore) -> bool {
    use documine::auth::TokenStore;
    store.load().await.unwrap().is_some()
}
