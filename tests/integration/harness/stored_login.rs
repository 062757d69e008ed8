//! Stored logins: clients that stand for processes, and a login by device code into a store.

use std::sync::{Arc, Mutex};

use documine::{
    Client, Credentials,
    auth::{LoginEvent, TokenSet, TokenStore},
    observe::Observer,
};

use crate::harness::test_env::TestEnv;

/// Records login events, one text each.
#[derive(Clone, Default)]
pub struct EventRecorder(pub Arc<Mutex<Vec<String>>>);

impl Observer for EventRecorder {
    fn login(&self, event: &LoginEvent<'_>) {
        let word = match event {
            LoginEvent::Refreshed => "refreshed".to_owned(),
            LoginEvent::Adopted => "adopted".to_owned(),
            LoginEvent::StoreFailed(error) => format!("store failed: {error}"),
            LoginEvent::RefreshFailed(error) => format!("refresh failed: {error}"),
            LoginEvent::LoginNeeded(error) => format!("login needed: {error}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(word);
    }
}

impl EventRecorder {
    /// Returns the events since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Builds a client of the store, as another process would.
pub fn process_client(env: &TestEnv, store: impl TokenStore) -> (Client, EventRecorder) {
    let events = EventRecorder::default();
    let credentials = Credentials::stored(env.sim.client_id(), store).client_secret(env.sim.client_secret());
    (env.builder().credentials(credentials).observer(events.clone()).build().unwrap(), events)
}

/// Logs in by device code and saves the tokens in the store.
pub async fn log_in_to_store(env: &TestEnv, store: impl TokenStore) -> TokenSet {
    let login = env.login();
    let provider = env.sim.control().provider().clone();
    let person = env.sim.username().to_owned();
    login.store(store).device(move |code| assert!(provider.approve_device(&code.user_code, &person))).await.unwrap()
}

/// Creates an environment whose refresh tokens are valid for one use.
pub async fn rotating_env() -> TestEnv {
    TestEnv::with(|builder| builder.rotate_refresh(true)).await
}

/// Returns the token of the last call.
pub fn last_bearer_token(env: &TestEnv) -> String {
    let last = env.requests("getLicense").pop().unwrap();
    last.header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}
