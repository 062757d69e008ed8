//! A process that shares a login with others. It says what happens, one JSON object a line.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use documine::{
    Client, Credentials,
    auth::{FileStore, LoginEvent, TokenStore},
    observe::Observer,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Failure;

/// Each task calls about so often.
const PAUSE: Duration = Duration::from_secs(1);

/// Arguments of a worker process.
#[derive(Clone, Debug, clap::Args)]
pub struct WorkerArguments {
    /// The service
    #[arg(long)]
    pub service: String,
    /// The workspace
    #[arg(long)]
    pub workspace: String,
    /// The token endpoint
    #[arg(long)]
    pub token_endpoint: String,
    /// The client that logged in
    #[arg(long)]
    pub client_id: String,
    /// File of the stored login
    #[arg(long)]
    pub store: PathBuf,
    /// Number of tasks
    #[arg(long)]
    pub tasks: usize,
    /// For how long
    #[arg(long)]
    pub seconds: f64,
}

impl WorkerArguments {
    /// As a command line.
    pub(super) fn arguments(&self) -> Vec<String> {
        let given = [
            ("--service", self.service.clone()),
            ("--workspace", self.workspace.clone()),
            ("--token-endpoint", self.token_endpoint.clone()),
            ("--client-id", self.client_id.clone()),
            ("--store", self.store.display().to_string()),
            ("--tasks", self.tasks.to_string()),
            ("--seconds", self.seconds.to_string()),
        ];
        let given = given.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        std::iter::once(String::from("worker")).chain(given).collect()
    }
}

/// Reports events of the login.
struct Reporter;

impl Observer for Reporter {
    fn login(&self, event: &LoginEvent<'_>) {
        let (name, error) = match event {
            LoginEvent::Refreshed => ("refreshed", None),
            LoginEvent::Adopted => ("adopted", None),
            LoginEvent::LoginNeeded(error) => ("login_needed", Some(error)),
            LoginEvent::StoreFailed(error) => ("store_failed", Some(error)),
            LoginEvent::RefreshFailed(error) => ("refresh_failed", Some(error)),
            _ => ("other", None),
        };
        print(&json!({"event": name, "message": error.map(ToString::to_string)}));
    }
}

/// Calls the service in many tasks until the time is over.
///
/// # Errors
/// The client cannot be built. Failed calls are reported, and end nothing.
pub async fn work(arguments: &WorkerArguments) -> Result<(), Failure> {
    let credentials = Credentials::stored(&arguments.client_id, FileStore::new(&arguments.store));
    let client = Client::builder(&arguments.service)
        .workspace(&arguments.workspace)
        .token_path(&arguments.token_endpoint)
        .credentials(credentials)
        .observer(Reporter)
        .build()?;
    let end = Instant::now() + Duration::from_secs_f64(arguments.seconds);
    let calls = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for number in 0..arguments.tasks {
        let (client, calls) = (client.clone(), Arc::clone(&calls));
        tasks.spawn(async move {
            // Spread over one pause.
            tokio::time::sleep(PAUSE.mul_f64(f64::from(u32::try_from(number % 50).unwrap_or_default()) / 50.0)).await;
            while Instant::now() < end {
                match client.license().await {
                    Ok(_) => drop(calls.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => print(&json!({"event": "failed", "message": error.to_string()})),
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done?;
    }
    client.wait_for_refresh().await;
    print(&json!({"event": "calls", "count": calls.load(Ordering::Relaxed)}));
    Ok(())
}

/// Takes the lock of a store, reports that, and holds the lock until killed.
///
/// # Errors
/// The lock cannot be taken.
pub async fn hold_lock(store: &Path) -> Result<(), Failure> {
    let lock = FileStore::new(store).lock().await?;
    print(&json!({"event": "held"}));
    std::future::pending::<()>().await;
    drop(lock);
    Ok(())
}

fn print(line: &Value) {
    // One write: lines do not mix. Output is lost if standard output is closed.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}
