//! One login in several processes, at the simulator's provider; `cargo xtask conformance keycloak` does the same for longer at a real one.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use documine::auth::{FileStore, TokenStore};
use documine_logins::{Failure, Sharing, share, simulator::Simulator};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_documine-logins");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_a_login_while_some_are_killed() -> Result<(), Failure> {
    let sharing =
        Sharing { processes: 3, tasks: 10, time: Duration::from_secs(12), kill_every: Some(Duration::from_secs(3)) };
    let line = share(Arc::new(Simulator::start().await?), Path::new(PROGRAM), sharing).await?;
    assert!(line.ends_with(" 3 killed"), "{line}");
    Ok(())
}

#[tokio::test]
async fn releases_the_lock_of_a_killed_process() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("login.json");
    let store = FileStore::new(&path).lock_timeout(Duration::from_millis(100));
    let mut holder = Command::new(PROGRAM)
        .arg("hold")
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = holder.stdout.take().ok_or("no standard output")?;
    let line = BufReader::new(stdout).lines().next_line().await?;
    assert_eq!(line.as_deref(), Some(r#"{"event":"held"}"#));
    assert!(store.lock().await.is_err(), "it is held");
    holder.kill().await?;
    let killed = Instant::now();
    drop(store.lock_timeout(Duration::from_secs(120)).lock().await?);
    assert!(killed.elapsed() < Duration::from_secs(60), "the lock of a killed process is free: {:?}", killed.elapsed());
    Ok(())
}
