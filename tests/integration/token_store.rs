//! Stored logins for later runs and for other processes. Each client stands for a process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    BoxFuture, Credentials, Error, ErrorKind, Result,
    auth::{FileStore, MemoryStore, StoreLock, StoredLogin, TokenSet, TokenStore},
};
use futures_util::future::try_join_all;

use crate::harness::file_names;
use crate::harness::login::issue_tokens;
use crate::harness::stored_login::{last_bearer_token, log_in_to_store, process_client, rotating_env};
use crate::harness::test_env::{TestEnv, password_credentials};

struct StoreFolder(tempfile::TempDir);

impl StoreFolder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state").join("login.json")
    }

    /// Returns the names of the files in the store's folder.
    fn names(&self) -> Vec<String> {
        file_names(&self.0.path().join("state"))
    }
}

#[tokio::test]
async fn next_program_finds_stored_login() {
    let (env, folder) = (rotating_env().await, StoreFolder::new());
    let store = FileStore::new(folder.file());
    log_in_to_store(&env, store.clone()).await;
    let (client, events) = process_client(&env, store);
    client.license().await.unwrap();
    assert_eq!(events.take(), ["adopted"]);
    assert_eq!(env.requests("token").len(), 1, "only the request of the login");
    assert_eq!(folder.names(), ["login.json", "login.json.lock"]);
    let me = client.identity().await.unwrap();
    assert_eq!((me.workspace.as_str(), me.account.as_deref()), (env.sim.workspace_id(), Some(env.sim.username())));
    assert!(me.refresh_expires_at > me.access_expires_at && me.access_expires_at.is_some(), "{me:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn store_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (env, folder) = (rotating_env().await, StoreFolder::new());
    let store = FileStore::new(folder.file());
    log_in_to_store(&env, store.clone()).await;
    let lock = folder.0.path().join("state/login.json.lock");
    let modes = [folder.file().parent().unwrap(), &folder.file(), &lock].map(mode);
    assert_eq!(modes.map(|mode| format!("{mode:o}")), ["700", "600", "600"]);
    // A refresh writes a new file with the same permissions.
    env.time.advance(301);
    process_client(&env, store.clone()).0.license().await.unwrap();
    assert_eq!(format!("{:o}", mode(&folder.file())), "600");

    std::fs::set_permissions(folder.file(), PermissionsExt::from_mode(0o644)).unwrap();
    let error = process_client(&env, store).0.license().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let path = folder.file();
    assert_eq!(
        error.to_string(),
        format!(
            "getLicense: the token store {} is accessible to other users (mode 0644); run `chmod 600` on it, and log in again if another user may have read it",
            path.display()
        )
    );
}

#[tokio::test]
async fn other_processes_adopt_refreshed_token() {
    let (env, folder) = (rotating_env().await, StoreFolder::new());
    let store = FileStore::new(folder.file());
    log_in_to_store(&env, store.clone()).await;
    let processes: Vec<_> = (0..4).map(|_| process_client(&env, FileStore::new(folder.file()))).collect();
    for round in 1..=5 {
        env.time.advance(301);
        // All clients refresh concurrently: the refresh token is valid for one use, and a second use would end the session.
        let calls = processes.iter().flat_map(|(client, _)| (0..10).map(|_| client.license().send()));
        try_join_all(calls).await.unwrap();
        let mut events: Vec<_> = processes.iter().flat_map(|(_, events)| events.take()).collect();
        events.sort();
        assert_eq!(events, ["adopted", "adopted", "adopted", "refreshed"], "round {round}");
        assert_eq!(env.requests("token").len(), 1 + round);
    }
}

#[tokio::test]
async fn all_processes_log_in_with_password_once() {
    let env = rotating_env().await;
    let store = Arc::new(MemoryStore::default());
    let client = || env.client_with(password_credentials(&env.sim).store(store.clone()));
    for client in [client(), client(), client()] {
        client.license().await.unwrap();
    }
    assert_eq!(env.request_log(), ["token 200", "getLicense 200", "getLicense 200", "getLicense 200"]);
    // The session has ended: the account logs in again, once.
    env.sim.control().provider().revoke_all();
    for client in [client(), client()] {
        client.license().await.unwrap();
    }
    assert_eq!(env.requests("token").iter().filter(|request| request.status == 200).count(), 2);
}

#[tokio::test]
async fn reports_empty_store_and_reloads_it() {
    let (env, folder) = (rotating_env().await, StoreFolder::new());
    let store = FileStore::new(folder.file());
    let (client, events) = process_client(&env, store.clone());
    for _ in 0..2 {
        let error = client.license().await.unwrap_err();
        assert_eq!(error.to_string(), "getLicense: the token store is empty: no login has been saved; log in again");
        assert!(error.needs_login());
    }
    assert_eq!(events.take(), ["login needed: the token store is empty: no login has been saved; log in again"]);
    assert_eq!(env.request_log(), Vec::<String>::new());
    log_in_to_store(&env, store).await;
    client.license().await.unwrap();
    assert_eq!(events.take(), ["adopted"]);
}

#[tokio::test]
async fn other_programs_adopt_new_login() {
    let env = rotating_env().await;
    let store = Arc::new(MemoryStore::default());
    log_in_to_store(&env, store.clone()).await;
    let (client, events) = process_client(&env, store.clone());
    client.license().await.unwrap();
    env.sim.control().provider().revoke_all();
    env.time.advance(301);
    for _ in 0..3 {
        assert!(client.license().await.unwrap_err().needs_login());
    }
    assert_eq!(env.requests("token").len(), 2, "a final rejection is not repeated");
    assert_eq!(
        events.take(),
        [
            "adopted",
            "login needed: refresh of the access token: the identity provider refused: Session not active (invalid_grant); \
             log in again or give other credentials"
        ]
    );
    log_in_to_store(&env, store).await;
    client.license().await.unwrap();
    assert_eq!(events.take(), ["adopted"]);
}

#[tokio::test]
async fn moves_damaged_store_aside() {
    let (env, folder) = (rotating_env().await, StoreFolder::new());
    let store = FileStore::new(folder.file());
    log_in_to_store(&env, store.clone()).await;
    let whole = std::fs::read_to_string(folder.file()).unwrap();
    for (number, damaged) in ["", "{}", &whole[..whole.len() / 2], "\u{fffd}"].into_iter().enumerate() {
        rewrite(&folder.file(), damaged);
        let error = process_client(&env, store.clone()).0.license().await.unwrap_err();
        let moved = if number == 0 { "damaged".to_owned() } else { format!("damaged-{number}") };
        let moved = format!("{}.{moved}", folder.file().display());
        assert!(error.needs_login());
        let line = error.to_string();
        assert!(
            line.contains("is damaged at line") && line.ends_with(&format!("and was moved to {moved}; log in again")),
            "{line}"
        );
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), damaged);
        assert!(!folder.file().exists());
    }
    // The damaged file does not prevent a new login.
    rewrite(&folder.file(), "damaged again");
    log_in_to_store(&env, store.clone()).await;
    process_client(&env, store).0.license().await.unwrap();
}

/// Writes a file with private permissions.
fn rewrite(path: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(path).unwrap(), text.as_bytes()).unwrap();
}

#[tokio::test]
async fn leaves_store_of_newer_version_untouched() {
    let (env, folder) = (rotating_env().await, StoreFolder::new());
    let store = FileStore::new(folder.file());
    log_in_to_store(&env, store.clone()).await;
    let newer = r#"{"version": 2, "something": "else"}"#;
    rewrite(&folder.file(), newer);
    let (client, _) = process_client(&env, store.clone());
    let error = client.license().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.to_string(),
        format!(
            "getLicense: the token store {} was written by a newer version of this library (format 2, supported: 1); update the program",
            folder.file().display()
        )
    );
    assert!(client.log_out().await.is_err());
    let login = env.login();
    let refused = login.store(store).device(|_| panic!("a device code was shown")).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(std::fs::read_to_string(folder.file()).unwrap(), newer);
    assert_eq!(folder.names(), ["login.json", "login.json.lock"]);
}

#[tokio::test]
async fn sends_tokens_only_to_provider_that_issued_them() {
    let (env, other) = (rotating_env().await, rotating_env().await);
    let store = Arc::new(MemoryStore::default());
    log_in_to_store(&env, store.clone()).await;
    let error = process_client(&other, store.clone()).0.license().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("use another store, or log out there first"), "{error}");
    assert_eq!(other.request_log(), Vec::<String>::new());
    let stranger = env.client_with(Credentials::stored("another-client", store));
    assert_eq!(stranger.license().await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn reports_lock_held_too_long() {
    let (env, folder) = (rotating_env().await, StoreFolder::new());
    let store = FileStore::new(folder.file());
    log_in_to_store(&env, store.clone()).await;
    let (client, events) = process_client(&env, store.clone().lock_timeout(Duration::from_millis(50)));
    client.license().await.unwrap();
    let held_lock = store.lock().await.unwrap();
    // Shortly before expiry, calls continue to use the token.
    env.time.advance(275);
    client.license().await.unwrap();
    while events.0.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let lock = format!("{}.lock", folder.file().display());
    let line = format!(
        "timed out after 50ms waiting for the lock {lock} of another process; check whether that process hangs"
    );
    assert_eq!(events.take(), ["adopted".to_owned(), format!("refresh failed: {line}")]);
    // After expiry, calls fail.
    env.time.advance(30);
    let error = client.license().await.unwrap_err();
    assert!(error.is_timeout() && !error.needs_login(), "{error:?}");
    assert_eq!(error.to_string(), format!("getLicense: {line}"));
    drop(held_lock);
    client.license().await.unwrap();
    assert_eq!(env.requests("token").len(), 2);
}

/// A token store with faults: failing writes, and writes of others despite the lock.
#[derive(Clone, Default)]
struct FaultyStore {
    store: Arc<MemoryStore>,
    /// Writes fail while set.
    failing: Arc<Mutex<bool>>,
    /// A login that another process writes before the next swap.
    concurrent_write: Arc<Mutex<Option<StoredLogin>>>,
}

impl TokenStore for FaultyStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        self.store.load()
    }

    fn compare_and_swap<'a>(
        &'a self,
        observed: Option<&'a StoredLogin>,
        fresh: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            if *self.failing.lock().unwrap() {
                // Any error serves here.
                return Err(StoredLogin::from_json("full").unwrap_err());
            }
            let concurrent_write = self.concurrent_write.lock().unwrap().take();
            if let Some(written) = concurrent_write {
                let stored = self.store.load().await?;
                assert!(self.store.compare_and_swap(stored.as_ref(), &written).await?);
            }
            self.store.compare_and_swap(observed, fresh).await
        })
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        self.store.clear()
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock>> {
        self.store.lock()
    }
}

#[tokio::test]
async fn uses_unsaved_tokens_and_saves_them_later() {
    let (env, store) = (rotating_env().await, FaultyStore::default());
    log_in_to_store(&env, store.clone()).await;
    let (client, events) = process_client(&env, store.clone());
    client.license().await.unwrap();
    *store.failing.lock().unwrap() = true;
    env.time.advance(301);
    client.license().await.unwrap();
    let failed = "store failed: the stored login is damaged at line 1, column 2";
    assert_eq!(events.take(), ["adopted", "refreshed", failed]);
    *store.failing.lock().unwrap() = false;
    env.time.advance(10);
    client.license().await.unwrap();
    while env.requests("token").len() == 2
        && store.load().await.unwrap().unwrap().tokens().access_token().expose() != last_bearer_token(&env).as_str()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(env.requests("token").len(), 2, "saved without another refresh");
    // Another process continues with the saved tokens.
    env.time.advance(301);
    process_client(&env, store).0.license().await.unwrap();
    assert_eq!(events.take(), Vec::<String>::new());
}

#[test]
fn stored_login_redacts_tokens_and_round_trips() {
    let read = |json: &str| -> std::result::Result<StoredLogin, Error> { StoredLogin::from_json(json) };
    let json = r#"{"version": 1, "client_id": "c", "token_endpoint": "https://id.example/token", "access_token": "aaa-marker",
        "refresh_token": "rrr-marker", "id_token": null, "expires_at": 1000, "refresh_expires_at": null, "scopes": ["openid"]}"#;
    let login = read(json).unwrap();
    assert_eq!(read(login.to_json().expose()).unwrap(), login);
    assert!(!format!("{login:?}").contains("marker"));
    let error = read(&json.replace("\"scopes\"", "\"skopes\"")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("marker"));
}

#[tokio::test]
async fn uses_given_tokens_when_stored_login_is_rejected() {
    let env = rotating_env().await;
    let store = Arc::new(MemoryStore::default());
    log_in_to_store(&env, store.clone()).await;
    env.sim.control().provider().revoke_all();
    env.time.advance(301);
    let (access, refresh) = issue_tokens(&env).await;
    let given_tokens = TokenSet::new(access.as_str()).refresh_token(refresh);
    let credentials = env.token_credentials(given_tokens);
    let client = env.client_with(credentials.store(store.clone()));
    client.license().await.unwrap();
    assert_eq!(last_bearer_token(&env), access);
    // From now on, the store holds the given login.
    let (other, events) = process_client(&env, store);
    other.license().await.unwrap();
    assert_eq!((events.take(), last_bearer_token(&env)), (vec!["adopted".to_owned()], access));
}

#[tokio::test]
async fn checks_store_before_starting_login() {
    let (env, other) = (rotating_env().await, rotating_env().await);
    let folder = tempfile::tempdir().unwrap();
    let login = |store: &dyn Fn() -> Box<dyn TokenStore>| {
        let login = env.login();
        login.store(Arc::<dyn TokenStore>::from(store()))
    };
    // The folder is a file.
    std::fs::write(folder.path().join("state"), "").unwrap();
    let invalid_path = folder.path().join("state").join("login.json");
    let store = || -> Box<dyn TokenStore> { Box::new(FileStore::new(&invalid_path)) };
    let refused = login(&store).device(|_| panic!("a device code was shown")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::File, "{refused}");
    // A store with the login of another program.
    let other_store = Arc::new(MemoryStore::default());
    log_in_to_store(&other, other_store.clone()).await;
    let stored = other_store.load().await.unwrap();
    let store = || -> Box<dyn TokenStore> { Box::new(other_store.clone()) };
    let refused = login(&store).device(|_| panic!("a device code was shown")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config, "{refused}");
    // An authorization code is not used either.
    let authorization = login(&store).authorization("http://127.0.0.1/callback").unwrap();
    assert_eq!(authorization.finish_with_pasted("a-code").await.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(other_store.load().await.unwrap(), stored);
    assert_eq!(env.request_log(), Vec::<String>::new());
}

#[tokio::test]
async fn revokes_login_that_cannot_be_saved() {
    let (env, store) = (rotating_env().await, FaultyStore::default());
    *store.failing.lock().unwrap() = true;
    let login = env.login();
    let (provider, person) = (env.sim.control().provider().clone(), env.sim.username().to_owned());
    let show = move |code: &documine::auth::DeviceCode| assert!(provider.approve_device(&code.user_code, &person));
    let error = login.store(store).device(show).await.unwrap_err();
    assert!(error.to_string().ends_with("; the new login was revoked"), "{error}");
    assert_eq!(env.request_log(), ["device 200", "token 200", "revoke 200", "logout 204"]);
}

#[tokio::test]
async fn reads_identity_of_expired_login_without_network() {
    let env = rotating_env().await;
    let store = Arc::new(MemoryStore::default());
    log_in_to_store(&env, store.clone()).await;
    env.time.advance(100_000);
    let before = env.request_log().len();
    let (client, events) = process_client(&env, store);
    let me = client.identity().await.unwrap();
    assert_eq!(me.account.as_deref(), Some(env.sim.username()));
    assert_eq!((env.request_log_since(before), events.take()), (vec![], vec![]));
}

#[tokio::test]
async fn password_login_uses_only_its_own_account() {
    let env = rotating_env().await;
    let store = Arc::new(MemoryStore::default());
    let client = |user: &str| {
        let credentials = Credentials::password(env.sim.client_id(), user, env.sim.password());
        env.client_with(credentials.client_secret(env.sim.client_secret()).store(store.clone()))
    };
    client(env.sim.username()).license().await.unwrap();
    let error = client("another-client").license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "getLicense: the token store holds a login of {:?}, not of \"another-client\"; use another store, or log out there first",
            env.sim.username()
        )
    );
}

#[tokio::test]
async fn password_login_continues_with_damaged_store() {
    let (env, folder) = (rotating_env().await, StoreFolder::new());
    std::fs::create_dir(folder.file().parent().unwrap()).unwrap();
    rewrite(&folder.file(), "no login");
    let client = env.client_with(password_credentials(&env.sim).store(FileStore::new(folder.file())));
    client.license().await.unwrap();
    assert_eq!(folder.names(), ["login.json", "login.json.damaged", "login.json.lock"]);
}

#[tokio::test]
async fn local_clock_alone_ends_no_login() {
    let env = TestEnv::with(|builder| builder.rotate_refresh(true)).await;
    let (access, refresh) = issue_tokens(&env).await;
    // To a machine whose clock is ahead, all tokens have expired.
    let given_tokens = TokenSet::new(access).refresh_token(refresh);
    let given_tokens = given_tokens.expires_at(std::time::UNIX_EPOCH).refresh_expires_at(std::time::UNIX_EPOCH);
    let credentials = env.token_credentials(given_tokens);
    env.client_with(credentials).license().await.unwrap();
    assert_eq!(env.request_log(), ["token 200", "token 200", "getLicense 200"]);
}

#[tokio::test]
async fn keeps_new_tokens_when_older_ones_are_written_meanwhile() {
    let (env, store) = (rotating_env().await, FaultyStore::default());
    log_in_to_store(&env, store.clone()).await;
    let old = store.load().await.unwrap().unwrap();
    let (client, events) = process_client(&env, store.clone());
    client.license().await.unwrap();
    env.time.advance(301);
    // Another program restores a backup: a different text that has expired.
    let backup = old.to_json().expose().replace("\"scopes\": [", "\"scopes\": [\"backup\", ");
    *store.concurrent_write.lock().unwrap() = Some(StoredLogin::from_json(&backup).unwrap());
    client.license().await.unwrap();
    assert_eq!(events.take(), ["adopted", "refreshed"]);
    // The new tokens are saved afterwards, and no token was used twice.
    env.time.advance(10);
    client.license().await.unwrap();
    client.wait_for_refresh().await;
    let stored = store.load().await.unwrap().unwrap();
    assert_eq!(stored.tokens().access_token().expose(), last_bearer_token(&env));
    assert_eq!(env.requests("token").len(), 2);
}

#[tokio::test]
async fn builder_store_keeps_the_tokens_of_credentials_from_the_environment() {
    let env = rotating_env().await;
    let store = std::sync::Arc::new(MemoryStore::default());
    let builder = |user: bool| {
        let variables = env.sim.environment();
        let lookup = move |name: &str| {
            let value = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            value.filter(|_| user || !["DOCUMINE_USERNAME", "DOCUMINE_PASSWORD"].contains(&name))
        };
        documine::ClientBuilder::from_variables(lookup).unwrap().clock(env.time.clone())
    };
    builder(true).token_store(store.clone()).build().unwrap().license().await.unwrap();
    // The next process has the client id alone, and uses the login in the store.
    let client = builder(false).token_store(store.clone()).build().unwrap();
    client.license().await.unwrap();
    assert_eq!(env.requests("token").len(), 1);
    env.time.advance(301);
    client.license().await.unwrap();
    assert_eq!(env.requests("token").len(), 2, "refreshed with the client secret of the environment");
    // The builder's store takes precedence over a store of the credentials.
    let empty = Credentials::stored(env.sim.client_id(), MemoryStore::default()).client_secret(env.sim.client_secret());
    builder(false).credentials(empty).token_store(store).build().unwrap().license().await.unwrap();
    assert_eq!(env.requests("token").len(), 2);
}

#[tokio::test]
async fn logins_of_a_builder_are_saved_in_its_store() {
    let env = rotating_env().await;
    let builder = env.builder().token_store(std::sync::Arc::new(MemoryStore::default()));
    let provider = env.sim.control().provider().clone();
    let person = env.sim.username().to_owned();
    let login = builder.login(env.sim.client_id()).unwrap().client_secret(env.sim.client_secret());
    login.device(move |code| assert!(provider.approve_device(&code.user_code, &person))).await.unwrap();
    let before = env.requests("token").len();
    builder.build().unwrap().license().await.unwrap();
    assert_eq!(env.requests("token").len(), before, "the client uses the saved login");
}
