//! A login in the platform's keyring, with no keyring, an open one and a locked one.
//!
//! The test is its own program, because a process finds its keyring through its environment. Without an argument, the program runs itself
//! without a keyring. With `open` or `locked`, the session must have such a keyring; `cargo xtask conformance keyring` creates one.

use std::process::{Command, ExitCode};

use documine::{
    Error, Result,
    auth::{KeyringStore, StoredLogin, TokenStore},
};

const ACCOUNT: &str = "documine-test";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let case = std::env::args().nth(1);
    let done = match case.as_deref() {
        Some("none") => check_none().await,
        Some("open") => check_open().await,
        Some("locked") => check_locked().await,
        // Arguments of test runners.
        _ => return run_without_keyring(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs this program without a D-Bus session, and therefore without a keyring.
fn run_without_keyring() -> ExitCode {
    if !cfg!(target_os = "linux") {
        println!("keyring: a session without a keyring is available on Linux only");
        return ExitCode::SUCCESS;
    }
    let status = std::env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        let unreachable = [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere"), ("XDG_RUNTIME_DIR", "/nowhere")];
        command.arg("none").envs(unreachable).status()
    });
    let passed = status.is_ok_and(|status| status.success());
    println!("test reports_missing_keyring ... {}", if passed { "ok" } else { "FAILED" });
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn store() -> Result<KeyringStore> {
    KeyringStore::new("documine-test", ACCOUNT)
}

fn login(access: &str) -> Result<StoredLogin> {
    StoredLogin::from_json(&format!(
        r#"{{"version": 1, "client_id": "c", "token_endpoint": "https://id.example/token", "access_token": "{access}",
            "refresh_token": "{}", "id_token": null, "expires_at": 1000, "refresh_expires_at": null, "scopes": []}}"#,
        "r".repeat(3000)
    ))
}

fn ensure(condition: bool, what: &str) -> std::result::Result<(), String> {
    if condition { Ok(()) } else { Err(format!("does not hold: {what}")) }
}

#[expect(clippy::needless_pass_by_value, reason = "used in `map_err`")]
fn text(error: Error) -> String {
    error.to_string()
}

async fn check_none() -> std::result::Result<(), String> {
    let store = store().map_err(text)?;
    let fresh = login("a").map_err(text)?;
    let outcomes =
        [store.load().await.map(drop), store.compare_and_swap(None, &fresh).await.map(drop), store.clear().await];
    for outcome in outcomes {
        let line = outcome.err().map(text).unwrap_or_default();
        ensure(
            line == "no keyring is available (a server or container has none); use a file as the token store",
            &format!("the error says what to do: {line:?}"),
        )?;
    }
    Ok(())
}

async fn check_open() -> std::result::Result<(), String> {
    let store = store().map_err(text)?;
    let (first, second) = (login("first").map_err(text)?, login("second").map_err(text)?);
    let lock = store.lock().await.map_err(text)?;
    ensure(store.load().await.map_err(text)?.is_none(), "the keyring is empty at the beginning")?;
    ensure(store.compare_and_swap(None, &first).await.map_err(text)?, "the first login is saved")?;
    ensure(!store.compare_and_swap(None, &second).await.map_err(text)?, "an unseen login is not replaced")?;
    ensure(store.load().await.map_err(text)?.as_ref() == Some(&first), "the first login is stored")?;
    ensure(store.compare_and_swap(Some(&first), &second).await.map_err(text)?, "the first login is replaced")?;
    ensure(store.load().await.map_err(text)?.as_ref() == Some(&second), "the second login is stored")?;
    drop(lock);
    store.clear().await.map_err(text)?;
    store.clear().await.map_err(text)?;
    ensure(store.load().await.map_err(text)?.is_none(), "the keyring is empty at the end")?;
    check_damaged(&store, &first).await
}

/// Checks that a damaged entry is moved aside only under the lock, and that a login written meanwhile is kept.
async fn check_damaged(store: &KeyringStore, good: &StoredLogin) -> std::result::Result<(), String> {
    write_entry(ACCOUNT, "damaged").await?;
    let error = store.load().await.err().ok_or("a damaged entry is an error")?;
    ensure(
        error.needs_login() && read_entry(ACCOUNT).await?.as_deref() == Some("damaged"),
        "a read without the lock does not move the entry",
    )?;
    // Another process repairs the entry before the lock is taken.
    write_entry(ACCOUNT, good.to_json().expose()).await?;
    let lock = store.lock().await.map_err(text)?;
    let stored = store.load_or_quarantine().await.map_err(text)?;
    ensure(stored.as_ref() == Some(good), "the login that was written meanwhile is kept")?;
    write_entry(ACCOUNT, "damaged").await?;
    let error = store.load_or_quarantine().await.err().ok_or("a damaged entry is an error")?;
    ensure(
        error.needs_login() && error.to_string().contains(" and was moved to "),
        &format!("the entry is moved aside: {error}"),
    )?;
    drop(lock);
    ensure(store.load().await.map_err(text)?.is_none(), "the entry was moved")?;
    let moved = format!("{ACCOUNT} (damaged)");
    ensure(read_entry(&moved).await?.as_deref() == Some("damaged"), "the damaged text is preserved")
}

/// Writes a text into the keyring, as another program would.
async fn write_entry(account: &str, content: &str) -> std::result::Result<(), String> {
    let (account, content) = (account.to_owned(), content.to_owned());
    with_entry(move || keyring::v1::Entry::new("documine-test", &account)?.set_password(&content)).await.map(drop)
}

async fn read_entry(account: &str) -> std::result::Result<Option<String>, String> {
    let account = account.to_owned();
    with_entry(move || keyring::v1::Entry::new("documine-test", &account)?.get_password()).await
}

/// Accesses the keyring on the blocking thread pool; returns `None` for a missing entry.
async fn with_entry<T: Send + 'static>(
    work: impl FnOnce() -> keyring::v1::Result<T> + Send + 'static,
) -> std::result::Result<Option<T>, String> {
    match tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())? {
        Ok(done) => Ok(Some(done)),
        Err(keyring::v1::Error::NoEntry) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

async fn check_locked() -> std::result::Result<(), String> {
    let store = store().map_err(text)?;
    // The error must not claim a missing login, although a locked keyring reports every entry as missing.
    let line = store.load().await.err().map(text).unwrap_or_default();
    ensure(line.starts_with("the keyring is locked or denies access"), &format!("the error says so: {line:?}"))
}
