//! A login in the platform's keyring, with a keyring of each sort: none, an open one, a locked one.
//!
//! A program of its own, because a process has one keyring and finds it by its environment. Without an argument it runs itself where there is none; with
//! `open` or `locked` it expects the session around it to have such a one: `cargo xtask conformance keyring` makes them.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::{Command, ExitCode};

use documine::{Error, KeyringStore, Result, StoredLogin, TokenStore};

const ACCOUNT: &str = "documine-test";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let case = std::env::args().nth(1);
    let done = match case.as_deref() {
        Some("none") => none().await,
        Some("open") => open().await,
        Some("locked") => locked().await,
        // Whatever else test runners say.
        _ => return by_itself(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Where there is no bus, there is no keyring.
fn by_itself() -> ExitCode {
    if !cfg!(target_os = "linux") {
        println!("keyring: a session without one can be made on Linux alone");
        return ExitCode::SUCCESS;
    }
    let ended = std::env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        let nowhere = [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere"), ("XDG_RUNTIME_DIR", "/nowhere")];
        command.arg("none").envs(nowhere).status()
    });
    let passed = ended.is_ok_and(|status| status.success());
    println!("test a_machine_without_a_keyring ... {}", if passed { "ok" } else { "FAILED" });
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

fn is(so: bool, what: &str) -> std::result::Result<(), String> {
    if so { Ok(()) } else { Err(format!("not so: {what}")) }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn text(error: Error) -> String {
    error.to_string()
}

async fn none() -> std::result::Result<(), String> {
    let store = store().map_err(text)?;
    let fresh = login("a").map_err(text)?;
    let ends =
        [store.load().await.map(drop), store.compare_and_swap(None, &fresh).await.map(drop), store.clear().await];
    for end in ends {
        let line = end.err().map(text).unwrap_or_default();
        is(
            line == "no keyring can be reached from here (a server or container has none); take a file as the token store",
            &format!("the error says what to do: {line:?}"),
        )?;
    }
    Ok(())
}

async fn open() -> std::result::Result<(), String> {
    let store = store().map_err(text)?;
    let (first, second) = (login("first").map_err(text)?, login("second").map_err(text)?);
    let lock = store.lock().await.map_err(text)?;
    is(store.load().await.map_err(text)?.is_none(), "nothing is kept at the beginning")?;
    is(store.compare_and_swap(None, &first).await.map_err(text)?, "the first login is kept")?;
    is(!store.compare_and_swap(None, &second).await.map_err(text)?, "what was not seen is not replaced")?;
    is(store.load().await.map_err(text)?.as_ref() == Some(&first), "the first login is there")?;
    is(store.compare_and_swap(Some(&first), &second).await.map_err(text)?, "it is replaced")?;
    is(store.load().await.map_err(text)?.as_ref() == Some(&second), "the second login is there")?;
    drop(lock);
    store.clear().await.map_err(text)?;
    store.clear().await.map_err(text)?;
    is(store.load().await.map_err(text)?.is_none(), "nothing is kept at the end")?;
    damaged(&store, &first).await
}

/// A damaged entry is moved aside under the lock alone, and a login that was written meanwhile stays.
async fn damaged(store: &KeyringStore, good: &StoredLogin) -> std::result::Result<(), String> {
    write(ACCOUNT, "damaged").await?;
    let error = store.load().await.err().ok_or("a damaged entry is an error")?;
    is(
        error.needs_login() && read(ACCOUNT).await?.as_deref() == Some("damaged"),
        "a read without the lock moves nothing",
    )?;
    // Another process repairs it before the lock is taken.
    write(ACCOUNT, good.to_json().expose()).await?;
    let lock = store.lock().await.map_err(text)?;
    let kept = store.load_or_quarantine().await.map_err(text)?;
    is(kept.as_ref() == Some(good), "the login that was written meanwhile is kept")?;
    write(ACCOUNT, "damaged").await?;
    let error = store.load_or_quarantine().await.err().ok_or("a damaged entry is an error")?;
    is(error.needs_login() && error.to_string().contains("it is kept as "), &format!("it is moved aside: {error}"))?;
    drop(lock);
    is(store.load().await.map_err(text)?.is_none(), "its place is free")?;
    let aside = format!("{ACCOUNT} (damaged)");
    is(read(&aside).await?.as_deref() == Some("damaged"), "its text is kept")
}

/// Puts a text into the keyring, as another program would.
async fn write(account: &str, content: &str) -> std::result::Result<(), String> {
    let (account, content) = (account.to_owned(), content.to_owned());
    entry(move || keyring::v1::Entry::new("documine-test", &account)?.set_password(&content)).await.map(drop)
}

async fn read(account: &str) -> std::result::Result<Option<String>, String> {
    let account = account.to_owned();
    entry(move || keyring::v1::Entry::new("documine-test", &account)?.get_password()).await
}

/// Nothing where there is no such entry.
async fn entry<T: Send + 'static>(
    work: impl FnOnce() -> keyring::v1::Result<T> + Send + 'static,
) -> std::result::Result<Option<T>, String> {
    match tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())? {
        Ok(done) => Ok(Some(done)),
        Err(keyring::v1::Error::NoEntry) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

async fn locked() -> std::result::Result<(), String> {
    let store = store().map_err(text)?;
    // Not "nobody has logged in", which such a keyring says of everything.
    let line = store.load().await.err().map(text).unwrap_or_default();
    is(line.starts_with("the keyring is locked or lets nobody in"), &format!("the error says so: {line:?}"))
}
