//! Logins and tokens that are kept outside the process: a callback may reach another replica than the one that started the login.

use std::time::{Duration, SystemTime};

use documine::{
    Credentials, ErrorKind,
    auth::{Authorization, Login, MemoryStore, TokenSet},
};
use serde_json::Value;

use crate::harness::login::{log_in_on_page, query_field};
use crate::harness::messages::FOREIGN_STATE;
use crate::harness::test_env::TestEnv;

const CALLBACK: &str = "http://127.0.0.1/callback";

/// Creates an environment whose tests send no request of the API.
async fn login_env() -> TestEnv {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    env
}

/// Starts a login on one replica: a client of its own without credentials.
fn replica(env: &TestEnv) -> Login {
    let service = env.client_with(Credentials::none());
    service.login(env.sim.client_id()).unwrap().client_secret(env.sim.client_secret())
}

fn start(env: &TestEnv) -> Authorization {
    replica(env).scope("openid").authorization(CALLBACK).unwrap()
}

/// Replaces a field of a stored login.
fn with_field(json: &str, name: &str, value: Value) -> String {
    let mut record: Value = serde_json::from_str(json).unwrap();
    record[name] = value;
    record.to_string()
}

#[tokio::test]
async fn another_replica_finishes_the_login() {
    let env = login_env().await;
    let started = start(&env);
    let (stored, page) = (started.to_json(), started.url().to_owned());
    drop(started);
    let redirect_url = log_in_on_page(&page, env.sim.username(), env.sim.password()).await;
    let resumed = replica(&env).resume_authorization(stored.expose()).unwrap();
    assert_eq!(resumed.url(), page);
    assert_eq!(Some(resumed.state().expose()), query_field(&redirect_url, "state").as_deref());
    let tokens = resumed.finish_with_redirect(&redirect_url).await.unwrap();
    env.client_with(env.token_credentials(tokens)).license().await.unwrap();
    assert_eq!(env.request_log(), ["auth 200", "login 302", "token 200", "getLicense 200"]);
    // The code of the login is used up.
    let error = replica(&env).resume_authorization(stored.expose()).unwrap().finish_with_redirect(&redirect_url).await;
    assert!(error.unwrap_err().needs_login());
}

#[tokio::test]
async fn a_resumed_login_checks_the_state_and_saves_its_tokens() {
    let env = login_env().await;
    let (stored, other) = (start(&env).to_json(), start(&env));
    let foreign = log_in_on_page(other.url(), env.sim.username(), env.sim.password()).await;
    let resume = || replica(&env).resume_authorization(stored.expose()).unwrap();
    assert_eq!(resume().finish_with_redirect(&foreign).await.unwrap_err().to_string(), FOREIGN_STATE);
    let own = log_in_on_page(resume().url(), env.sim.username(), env.sim.password()).await;
    let store = std::sync::Arc::new(MemoryStore::default());
    let login = replica(&env).store(std::sync::Arc::clone(&store));
    login.resume_authorization(stored.expose()).unwrap().finish_with_redirect(&own).await.unwrap();
    let credentials = Credentials::stored(env.sim.client_id(), store).client_secret(env.sim.client_secret());
    env.client_with(credentials).license().await.unwrap();
}

#[tokio::test]
async fn rejects_stored_logins_of_others_and_of_newer_versions() {
    let env = login_env().await;
    let stored = start(&env).to_json();
    let line = |json: &str| {
        let error = replica(&env).resume_authorization(json).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        let record: Value = serde_json::from_str(stored.expose()).unwrap();
        for secret in ["state", "code_verifier", "nonce"] {
            assert!(!format!("{error} {error:?}").contains(record[secret].as_str().unwrap()), "{error:?}");
        }
        error.to_string()
    };
    let newer = line(&with_field(stored.expose(), "version", 2.into()));
    assert_eq!(
        newer,
        "login by browser: the stored login was written by a newer version of this library (format 2, supported: 1); update the program"
    );
    let client = line(&with_field(stored.expose(), "client_id", "other".into()));
    assert!(
        client.starts_with("login by browser: the stored login belongs to the client \"other\" at http"),
        "{client}"
    );
    assert!(client.ends_with("; resume it with the settings that started it"), "{client}");
    let endpoint = line(&with_field(stored.expose(), "token_endpoint", "https://evil.example/token".into()));
    assert!(endpoint.contains("at https://evil.example/token, not to"), "{endpoint}");
    for empty in ["state", "code_verifier"] {
        let incomplete = line(&with_field(stored.expose(), empty, "".into()));
        assert_eq!(incomplete, "login by browser: the stored login is incomplete; start the login again");
    }
    for damaged in ["", "{}", &stored.expose()[..stored.expose().len() / 2]] {
        let damaged = line(damaged);
        assert!(damaged.starts_with("login by browser: the stored login is damaged at line"), "{damaged}");
    }
    assert_eq!(env.request_log(), Vec::<String>::new());
}

#[tokio::test]
async fn a_stored_login_expires_with_the_time_limit() {
    let env = login_env().await;
    let stored = start(&env).to_json();
    env.time.advance(3599);
    drop(replica(&env).resume_authorization(stored.expose()).unwrap());
    env.time.advance(1);
    let error = replica(&env).resume_authorization(stored.expose()).unwrap_err();
    assert!(error.needs_login(), "{error:?}");
    assert_eq!(
        error.to_string(),
        "login by browser: the stored login has expired; start the login again, or set a longer `time_limit`"
    );
    let unlimited = replica(&env).time_limit(Duration::MAX).authorization(CALLBACK).unwrap().to_json();
    env.time.advance(1_000_000);
    drop(replica(&env).resume_authorization(unlimited.expose()).unwrap());
}

#[test]
fn tokens_survive_their_json() {
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let tokens = TokenSet::new("acc3ss").refresh_token("r3fresh").expires_at(end).refresh_expires_at(end);
    let json = tokens.to_json();
    assert!(!format!("{json:?} {tokens:?}").contains("acc3ss"));
    let read = TokenSet::from_json(json.expose()).unwrap();
    assert_eq!(read.to_json().expose(), json.expose());
    assert_eq!(read.access_token().expose(), "acc3ss");
    let error = TokenSet::from_json(&with_field(json.expose(), "version", 2.into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the JSON of the tokens was written by a newer version of this library (format 2, supported: 1); update the program"
    );
    let error = TokenSet::from_json(&json.expose().replace("acc3ss\"", "acc3ss")).unwrap_err();
    assert!(error.to_string().starts_with("the JSON of the tokens is damaged at line 1"), "{error}");
    assert!(!format!("{error:?}").contains("acc3ss"));
}
