//! A login that is kept: for the next run, and for other processes. Each client here stands for a process of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    BoxFuture, Client, Credentials, Error, ErrorKind, FileStore, LoginEvent, MemoryStore, Observer, Result, StoreLock,
    StoredLogin, TokenSet, TokenStore,
};
use futures_util::future::try_join_all;

use crate::log_in::tokens;
use crate::world::World;

/// What the observer was told, a word each.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Observer for Events {
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

impl Events {
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A client of that store, as another process would make one.
fn process(world: &World, store: impl TokenStore) -> (Client, Events) {
    let events = Events::default();
    let credentials = Credentials::stored(world.sim.client_id(), store).client_secret(world.sim.client_secret());
    (world.builder().credentials(credentials).observer(events.clone()).build().unwrap(), events)
}

/// Somebody logs in, with the tokens going into that store.
async fn somebody_logs_in(world: &World, store: impl TokenStore) -> TokenSet {
    let login = world.builder().login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
    let provider = world.sim.control().provider().clone();
    let person = world.sim.username().to_owned();
    login.store(store).device(move |code| assert!(provider.approve_device(&code.user_code, &person))).await.unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state").join("login.json")
    }

    /// The names of what is there.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path().join("state")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

async fn rotating() -> World {
    World::with(|builder| builder.rotate_refresh(true)).await
}

#[tokio::test]
async fn a_login_is_found_again_by_the_next_program() {
    let (world, folder) = (rotating().await, Folder::new());
    let store = FileStore::new(folder.file());
    somebody_logs_in(&world, store.clone()).await;
    let (client, events) = process(&world, store);
    client.license().await.unwrap();
    assert_eq!(events.told(), ["adopted"]);
    assert_eq!(world.requests("token").len(), 1, "the login's own");
    assert_eq!(folder.names(), ["login.json", "login.json.lock"]);
    let me = client.who_am_i().await.unwrap();
    assert_eq!((me.workspace.as_str(), me.account.as_deref()), (world.sim.workspace_id(), Some(world.sim.username())));
    assert!(me.refresh_expires_at > me.access_expires_at && me.access_expires_at.is_some(), "{me:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (world, folder) = (rotating().await, Folder::new());
    let store = FileStore::new(folder.file());
    somebody_logs_in(&world, store.clone()).await;
    let lock = folder.0.path().join("state/login.json.lock");
    let modes = [folder.file().parent().unwrap(), &folder.file(), &lock].map(mode);
    assert_eq!(modes.map(|mode| format!("{mode:o}")), ["700", "600", "600"]);
    // A refresh writes a new file, with the same rights.
    world.time.pass(301);
    process(&world, store.clone()).0.license().await.unwrap();
    assert_eq!(format!("{:o}", mode(&folder.file())), "600");

    std::fs::set_permissions(folder.file(), PermissionsExt::from_mode(0o644)).unwrap();
    let error = process(&world, store).0.license().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let place = folder.file();
    assert_eq!(
        error.to_string(),
        format!(
            "getLicense: the token store {} is accessible to other users (mode 0644); run `chmod 600` on it, and log in again if another user may have read it",
            place.display()
        )
    );
}

#[tokio::test]
async fn what_one_process_has_refreshed_the_others_adopt() {
    let (world, folder) = (rotating().await, Folder::new());
    let store = FileStore::new(folder.file());
    somebody_logs_in(&world, store.clone()).await;
    let processes: Vec<_> = (0..4).map(|_| process(&world, FileStore::new(folder.file()))).collect();
    for round in 1..=5 {
        world.time.pass(301);
        // All at once: the refresh token is good for one use, and a second one would end the session.
        let calls = processes.iter().flat_map(|(client, _)| (0..10).map(|_| client.license().send()));
        try_join_all(calls).await.unwrap();
        let mut told: Vec<_> = processes.iter().flat_map(|(_, events)| events.told()).collect();
        told.sort();
        assert_eq!(told, ["adopted", "adopted", "adopted", "refreshed"], "round {round}");
        assert_eq!(world.requests("token").len(), 1 + round);
    }
}

#[tokio::test]
async fn a_password_is_used_once_for_all_processes() {
    let world = rotating().await;
    let store = Arc::new(MemoryStore::default());
    let client = || {
        let sim = &world.sim;
        let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
        world.client_with(credentials.client_secret(sim.client_secret()).store(store.clone()))
    };
    for client in [client(), client(), client()] {
        client.license().await.unwrap();
    }
    assert_eq!(world.journal(), ["token 200", "getLicense 200", "getLicense 200", "getLicense 200"]);
    // The session has ended: the account logs in again, once.
    world.sim.control().provider().revoke_all();
    for client in [client(), client()] {
        client.license().await.unwrap();
    }
    assert_eq!(world.requests("token").iter().filter(|request| request.status == 200).count(), 2);
}

#[tokio::test]
async fn an_empty_store_says_that_nobody_has_logged_in_and_is_looked_at_again() {
    let (world, folder) = (rotating().await, Folder::new());
    let store = FileStore::new(folder.file());
    let (client, events) = process(&world, store.clone());
    for _ in 0..2 {
        let error = client.license().await.unwrap_err();
        assert_eq!(error.to_string(), "getLicense: the token store is empty: no login has been saved; log in again");
        assert!(error.needs_login());
    }
    assert_eq!(events.told(), ["login needed: the token store is empty: no login has been saved; log in again"]);
    assert_eq!(world.journal(), Vec::<String>::new());
    somebody_logs_in(&world, store).await;
    client.license().await.unwrap();
    assert_eq!(events.told(), ["adopted"]);
}

#[tokio::test]
async fn a_new_login_in_one_program_brings_the_others_back() {
    let world = rotating().await;
    let store = Arc::new(MemoryStore::default());
    somebody_logs_in(&world, store.clone()).await;
    let (client, events) = process(&world, store.clone());
    client.license().await.unwrap();
    world.sim.control().provider().revoke_all();
    world.time.pass(301);
    for _ in 0..3 {
        assert!(client.license().await.unwrap_err().needs_login());
    }
    assert_eq!(world.requests("token").len(), 2, "the provider's final word is not asked for again");
    assert_eq!(
        events.told(),
        [
            "adopted",
            "login needed: refresh of the access token: the identity provider refused: Session not active (invalid_grant); \
             log in again or give other credentials"
        ]
    );
    somebody_logs_in(&world, store).await;
    client.license().await.unwrap();
    assert_eq!(events.told(), ["adopted"]);
}

#[tokio::test]
async fn a_damaged_store_is_kept_aside() {
    let (world, folder) = (rotating().await, Folder::new());
    let store = FileStore::new(folder.file());
    somebody_logs_in(&world, store.clone()).await;
    let whole = std::fs::read_to_string(folder.file()).unwrap();
    for (number, damaged) in ["", "{}", &whole[..whole.len() / 2], "\u{fffd}"].into_iter().enumerate() {
        rewrite(&folder.file(), damaged);
        let error = process(&world, store.clone()).0.license().await.unwrap_err();
        let aside = if number == 0 { "damaged".to_owned() } else { format!("damaged-{number}") };
        let aside = format!("{}.{aside}", folder.file().display());
        assert!(error.needs_login());
        let line = error.to_string();
        assert!(
            line.contains("is damaged at line") && line.ends_with(&format!("and was moved to {aside}; log in again")),
            "{line}"
        );
        assert_eq!(std::fs::read_to_string(&aside).unwrap(), damaged);
        assert!(!folder.file().exists());
    }
    // It is in nobody's way.
    rewrite(&folder.file(), "damaged again");
    somebody_logs_in(&world, store.clone()).await;
    process(&world, store).0.license().await.unwrap();
}

/// Changes a file and leaves its rights as they are.
fn rewrite(path: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(path).unwrap(), text.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_left_alone() {
    let (world, folder) = (rotating().await, Folder::new());
    let store = FileStore::new(folder.file());
    somebody_logs_in(&world, store.clone()).await;
    let newer = r#"{"version": 2, "something": "else"}"#;
    rewrite(&folder.file(), newer);
    let (client, _) = process(&world, store.clone());
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
    let login = world.builder().login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
    let refused = login.store(store).device(|_| panic!("nobody is bothered for nothing")).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(std::fs::read_to_string(folder.file()).unwrap(), newer);
    assert_eq!(folder.names(), ["login.json", "login.json.lock"]);
}

#[tokio::test]
async fn tokens_are_shown_to_nobody_but_the_provider_that_gave_them() {
    let (world, other) = (rotating().await, rotating().await);
    let store = Arc::new(MemoryStore::default());
    somebody_logs_in(&world, store.clone()).await;
    let error = process(&other, store.clone()).0.license().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("use another store, or log out there first"), "{error}");
    assert_eq!(other.journal(), Vec::<String>::new());
    let stranger = world.client_with(Credentials::stored("another-client", store));
    assert_eq!(stranger.license().await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_told_and_ends_nothing() {
    let (world, folder) = (rotating().await, Folder::new());
    let store = FileStore::new(folder.file());
    somebody_logs_in(&world, store.clone()).await;
    let (client, events) = process(&world, store.clone().lock_timeout(Duration::from_millis(50)));
    client.license().await.unwrap();
    let held = store.lock().await.unwrap();
    // Near its end, the token is used on.
    world.time.pass(275);
    client.license().await.unwrap();
    while events.0.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let lock = format!("{}.lock", folder.file().display());
    let line = format!(
        "timed out after 50ms waiting for the lock {lock} of another process; check whether that process hangs"
    );
    assert_eq!(events.told(), ["adopted".to_owned(), format!("refresh failed: {line}")]);
    // At its end, there is nothing to go on with.
    world.time.pass(30);
    let error = client.license().await.unwrap_err();
    assert!(error.is_timeout() && !error.needs_login(), "{error:?}");
    assert_eq!(error.to_string(), format!("getLicense: {line}"));
    drop(held);
    client.license().await.unwrap();
    assert_eq!(world.requests("token").len(), 2);
}

/// A store whose disk is full at times.
#[derive(Clone, Default)]
struct FullDisk {
    store: Arc<MemoryStore>,
    full: Arc<Mutex<bool>>,
}

impl TokenStore for FullDisk {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        self.store.load()
    }

    fn compare_and_swap<'a>(
        &'a self,
        seen: Option<&'a StoredLogin>,
        fresh: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            if *self.full.lock().unwrap() {
                // Where an error of a caller's own comes from: anything that says no.
                return Err(StoredLogin::from_json("full").unwrap_err());
            }
            self.store.compare_and_swap(seen, fresh).await
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
async fn tokens_that_could_not_be_kept_are_used_and_kept_later() {
    let (world, disk) = (rotating().await, FullDisk::default());
    somebody_logs_in(&world, disk.clone()).await;
    let (client, events) = process(&world, disk.clone());
    client.license().await.unwrap();
    *disk.full.lock().unwrap() = true;
    world.time.pass(301);
    client.license().await.unwrap();
    let failed = "store failed: the stored login is damaged at line 1, column 2";
    assert_eq!(events.told(), ["adopted", "refreshed", failed]);
    *disk.full.lock().unwrap() = false;
    world.time.pass(10);
    client.license().await.unwrap();
    while world.requests("token").len() == 2
        && disk.load().await.unwrap().unwrap().tokens().access_token().expose() != client_token(&world).as_str()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.requests("token").len(), 2, "kept, not refreshed again");
    // Another process goes on from there.
    world.time.pass(301);
    process(&world, disk).0.license().await.unwrap();
    assert_eq!(events.told(), Vec::<String>::new());
}

/// What the last call was made with.
fn client_token(world: &World) -> String {
    let last = world.requests("getLicense").pop().unwrap();
    last.header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

#[tokio::test]
async fn a_logout_ends_the_login_everywhere() {
    let world = rotating().await;
    let store = Arc::new(MemoryStore::default());
    somebody_logs_in(&world, store.clone()).await;
    let ((client, _), (other, _)) = (process(&world, store.clone()), process(&world, store.clone()));
    client.license().await.unwrap();
    other.license().await.unwrap();
    let before = world.journal().len();
    let told = client.log_out().await.unwrap();
    assert!(told.revoked && told.session_ended, "{told:?}");
    assert_eq!(world.journal_since(before), ["revoke 200", "logout 204"]);
    assert_eq!(store.load().await.unwrap(), None);
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: this client has logged out; log in again");
    assert!(error.needs_login());
    world.time.pass(301);
    let error = other.license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getLicense: the login was removed from the token store: another process logged out; log in again"
    );
    assert!(error.needs_login());
    assert_eq!(world.journal_since(before), ["revoke 200", "logout 204"]);
}

#[tokio::test]
async fn a_logout_without_a_store_and_with_nothing_to_log_out_of() {
    let world = rotating().await;
    let (access, refresh) = tokens(&world).await;
    let credentials = Credentials::tokens(world.sim.client_id(), TokenSet::new(access.as_str()).refresh_token(refresh));
    let client = world.client_with(credentials.client_secret(world.sim.client_secret()));
    assert!(client.log_out().await.unwrap().revoked);
    assert!(client.license().await.unwrap_err().needs_login());
    // A second one has nothing to tell anybody.
    assert!(!client.log_out().await.unwrap().revoked);
    assert_eq!(world.journal(), ["token 200", "revoke 200", "logout 204"]);
    let bare = world.client_with(Credentials::access_token(access));
    assert!(!bare.log_out().await.unwrap().revoked);
    assert!(bare.license().await.unwrap_err().needs_login());
}

#[tokio::test]
async fn a_provider_that_is_away_does_not_keep_a_login_on_this_machine() {
    let world = rotating().await;
    let store = Arc::new(MemoryStore::default());
    somebody_logs_in(&world, store.clone()).await;
    let credentials = Credentials::stored(world.sim.client_id(), store.clone());
    // The endpoints lie where nobody listens.
    let nowhere = "http://127.0.0.1:9/away";
    let builder = world.builder().revocation_path(nowhere).end_session_path(nowhere);
    let client = builder.credentials(credentials.client_secret(world.sim.client_secret())).build().unwrap();
    let error = client.log_out().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(
        error.to_string().ends_with("the tokens were deleted locally, but the identity provider may still accept them"),
        "{error}"
    );
    assert_eq!(store.load().await.unwrap(), None);
    assert!(client.license().await.unwrap_err().needs_login());
}

#[test]
fn a_stored_login_shows_no_token_and_reads_what_it_wrote() {
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
async fn what_was_given_is_used_where_what_is_kept_is_worth_nothing() {
    let world = rotating().await;
    let store = Arc::new(MemoryStore::default());
    somebody_logs_in(&world, store.clone()).await;
    world.sim.control().provider().revoke_all();
    world.time.pass(301);
    let (access, refresh) = tokens(&world).await;
    let given = TokenSet::new(access.as_str()).refresh_token(refresh);
    let credentials = Credentials::tokens(world.sim.client_id(), given).client_secret(world.sim.client_secret());
    let client = world.client_with(credentials.store(store.clone()));
    client.license().await.unwrap();
    assert_eq!(client_token(&world), access);
    // From then on it is the login that is kept.
    let (other, events) = process(&world, store);
    other.license().await.unwrap();
    assert_eq!((events.told(), client_token(&world)), (vec!["adopted".to_owned()], access));
}

#[tokio::test]
async fn nobody_is_bothered_for_a_login_that_could_not_be_kept() {
    let (world, other) = (rotating().await, rotating().await);
    let folder = tempfile::tempdir().unwrap();
    let login = |store: &dyn Fn() -> Box<dyn TokenStore>| {
        let login = world.builder().login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
        login.store(Arc::<dyn TokenStore>::from(store()))
    };
    // A folder that is a file.
    std::fs::write(folder.path().join("state"), "").unwrap();
    let nowhere = folder.path().join("state").join("login.json");
    let store = || -> Box<dyn TokenStore> { Box::new(FileStore::new(&nowhere)) };
    let refused = login(&store).device(|_| panic!("bothered")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::File, "{refused}");
    // A store with the login of another program.
    let theirs = Arc::new(MemoryStore::default());
    somebody_logs_in(&other, theirs.clone()).await;
    let kept = theirs.load().await.unwrap();
    let store = || -> Box<dyn TokenStore> { Box::new(theirs.clone()) };
    let refused = login(&store).device(|_| panic!("bothered")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config, "{refused}");
    // A code is not spent for it either.
    let authorization = login(&store).authorization("http://127.0.0.1/callback").unwrap();
    assert_eq!(authorization.pasted("a-code").await.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(theirs.load().await.unwrap(), kept);
    assert_eq!(world.journal(), Vec::<String>::new());
}

#[tokio::test]
async fn a_login_that_can_not_be_kept_after_all_is_given_back() {
    let (world, disk) = (rotating().await, FullDisk::default());
    *disk.full.lock().unwrap() = true;
    let login = world.builder().login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
    let (provider, person) = (world.sim.control().provider().clone(), world.sim.username().to_owned());
    let show = move |code: &documine::DeviceCode| assert!(provider.approve_device(&code.user_code, &person));
    let error = login.store(disk).device(show).await.unwrap_err();
    assert!(error.to_string().ends_with("; the new login was revoked"), "{error}");
    assert_eq!(world.journal(), ["device 200", "token 200", "revoke 200", "logout 204"]);
}

#[tokio::test]
async fn whose_login_it_is_needs_no_network_even_when_it_is_old() {
    let world = rotating().await;
    let store = Arc::new(MemoryStore::default());
    somebody_logs_in(&world, store.clone()).await;
    world.time.pass(100_000);
    let before = world.journal().len();
    let (client, events) = process(&world, store);
    let me = client.who_am_i().await.unwrap();
    assert_eq!(me.account.as_deref(), Some(world.sim.username()));
    assert_eq!((world.journal_since(before), events.told()), (vec![], vec![]));
}

#[tokio::test]
async fn a_password_is_for_its_own_account_alone() {
    let world = rotating().await;
    let store = Arc::new(MemoryStore::default());
    let client = |user: &str| {
        let credentials = Credentials::password(world.sim.client_id(), user, world.sim.password());
        world.client_with(credentials.client_secret(world.sim.client_secret()).store(store.clone()))
    };
    client(world.sim.username()).license().await.unwrap();
    let error = client("somebody-else").license().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "getLicense: the token store holds a login of {:?}, not of \"somebody-else\"; use another store, or log out there first",
            world.sim.username()
        )
    );
}

#[tokio::test]
async fn a_password_goes_on_where_the_store_is_damaged() {
    let (world, folder) = (rotating().await, Folder::new());
    std::fs::create_dir(folder.file().parent().unwrap()).unwrap();
    rewrite(&folder.file(), "no login");
    let credentials = Credentials::password(world.sim.client_id(), world.sim.username(), world.sim.password());
    let store = FileStore::new(folder.file());
    let client = world.client_with(credentials.client_secret(world.sim.client_secret()).store(store));
    client.license().await.unwrap();
    assert_eq!(folder.names(), ["login.json", "login.json.damaged", "login.json.lock"]);
}

#[tokio::test]
async fn this_machines_clock_alone_ends_no_login() {
    let world = World::with(|builder| builder.rotate_refresh(true)).await;
    let (access, refresh) = tokens(&world).await;
    // As a machine sees it whose clock is ahead: everything is over.
    let given = TokenSet::new(access).refresh_token(refresh);
    let given = given.expires_at(std::time::UNIX_EPOCH).refresh_expires_at(std::time::UNIX_EPOCH);
    let credentials = Credentials::tokens(world.sim.client_id(), given).client_secret(world.sim.client_secret());
    world.client_with(credentials).license().await.unwrap();
    assert_eq!(world.journal(), ["token 200", "token 200", "getLicense 200"]);
}

/// A store whose lock is worth nothing: while tokens are asked for, somebody writes.
#[derive(Clone, Default)]
struct NoLock {
    store: Arc<MemoryStore>,
    /// What is there when the swap comes.
    meanwhile: Arc<Mutex<Option<StoredLogin>>>,
}

impl TokenStore for NoLock {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredLogin>>> {
        self.store.load()
    }

    fn compare_and_swap<'a>(
        &'a self,
        seen: Option<&'a StoredLogin>,
        fresh: &'a StoredLogin,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some(written) = meanwhile {
                let kept = self.store.load().await?;
                assert!(self.store.compare_and_swap(kept.as_ref(), &written).await?);
            }
            self.store.compare_and_swap(seen, fresh).await
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
async fn new_tokens_are_not_lost_to_old_ones_that_somebody_wrote_meanwhile() {
    let (world, store) = (rotating().await, NoLock::default());
    somebody_logs_in(&world, store.clone()).await;
    let old = store.load().await.unwrap().unwrap();
    let (client, events) = process(&world, store.clone());
    client.license().await.unwrap();
    world.time.pass(301);
    // Somebody puts a backup back: other text, and long over.
    let backup = old.to_json().expose().replace("\"scopes\": [", "\"scopes\": [\"backup\", ");
    *store.meanwhile.lock().unwrap() = Some(StoredLogin::from_json(&backup).unwrap());
    client.license().await.unwrap();
    assert_eq!(events.told(), ["adopted", "refreshed"]);
    // They are kept when that has settled, and no token was used twice.
    world.time.pass(10);
    client.license().await.unwrap();
    client.settle().await;
    let kept = store.load().await.unwrap().unwrap();
    assert_eq!(kept.tokens().access_token().expose(), client_token(&world));
    assert_eq!(world.requests("token").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_waits_for_a_refresh_and_takes_what_it_brings() {
    let world = rotating().await;
    let store = Arc::new(MemoryStore::default());
    somebody_logs_in(&world, store.clone()).await;
    let (client, _) = process(&world, store.clone());
    client.license().await.unwrap();
    for _ in 0..20 {
        // Near the end: the call goes on with the old token, and the refresh is on its way.
        world.time.pass(275);
        client.license().await.unwrap();
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(client.license().send())).collect();
        assert!(client.log_out().await.unwrap().revoked);
        for call in calls {
            // Before the logout or after it; one that was under way may have been refused by the service.
            if let Err(error) = call.await.unwrap() {
                assert!(error.needs_login() || error.is_unauthorized(), "{error:?}");
            }
        }
        assert_eq!(store.load().await.unwrap(), None);
        assert!(client.license().await.unwrap_err().needs_login());
        somebody_logs_in(&world, store.clone()).await;
        client.license().await.unwrap();
    }
}

#[tokio::test]
async fn a_source_of_ones_own_is_logged_out_of_elsewhere() {
    let world = rotating().await;
    let error = world.client_with(Credentials::source(Vault)).log_out().await.unwrap_err();
    assert_eq!(error.to_string(), "the tokens come from a custom token source; log out at that source");
}

struct Vault;

impl documine::TokenSource for Vault {
    fn token(&self, _: Option<&TokenSet>) -> BoxFuture<'_, Result<TokenSet>> {
        Box::pin(async { Ok(TokenSet::new("from the vault")) })
    }
}
