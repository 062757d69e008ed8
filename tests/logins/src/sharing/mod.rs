//! Several processes share one login with rotating refresh tokens; killed processes do not log out the others.
//!
//! ```text
//! mod       logs in once; starts, kills and counts the processes
//! worker    a process with many tasks that call the service
//! ```

mod worker;

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use documine::{
    Credentials,
    auth::{FileStore, TokenStore},
};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

pub use worker::{WorkerArguments, hold_lock, work};

use crate::harness::{Harness, ensure, ensure_eq};
use crate::{Decision, Failure, Grant, Provider, REDIRECT, RealmKind};

/// The number of processes and tasks, and the duration.
#[derive(Clone, Copy, Debug)]
pub struct Sharing {
    /// At any time.
    pub processes: usize,
    /// In each of them.
    pub tasks: usize,
    /// All in all.
    pub time: Duration,
    /// One of them is killed (SIGKILL) and replaced each time that this has passed.
    pub kill_every: Option<Duration>,
}

/// The results of all processes.
#[derive(Debug, Default)]
struct Totals {
    calls: u64,
    failures: Vec<String>,
    refreshed: u64,
    adopted: u64,
    logins_needed: u64,
    killed: u64,
}

/// Shares a login at this provider; one line on how it went. `program` is this crate's own.
///
/// # Errors
/// A call failed, a process lost the login, or the refresh token was used more often than needed.
pub async fn share(provider: Arc<dyn Provider>, program: &Path, sharing: Sharing) -> Result<String, Failure> {
    let harness = Harness::new(provider).await?;
    let realm = harness.realm(RealmKind::Strict).clone();
    let folder = tempfile::tempdir()?;
    let store = FileStore::new(folder.path().join("login.json"));
    let login =
        harness.login(RealmKind::Strict, &realm.clients.public)?.store(store.clone()).authorization(REDIRECT)?;
    let address = harness.provider.visit(login.url(), &realm.users.plain, Decision::Allow).await?;
    login.finish_with_redirect(&address.ok_or("the provider did not send the browser back")?).await?;

    let before = harness.provider.token_requests(RealmKind::Strict, &realm.clients.public, Grant::Refresh).await?;
    let end = Instant::now() + sharing.time;
    let start = |number: usize| {
        let arguments = WorkerArguments {
            service: harness.service(RealmKind::Strict).base_url().to_owned(),
            workspace: realm.workspace.clone(),
            token_endpoint: realm.endpoint("token"),
            client_id: realm.clients.public.clone(),
            store: store.path().to_owned(),
            tasks: sharing.tasks,
            seconds: end.saturating_duration_since(Instant::now()).as_secs_f64(),
        };
        Process::start(program, &arguments).map_err(|error| Failure::from(format!("process {number}: {error}")))
    };
    let mut processes = (0..sharing.processes).map(start).collect::<Result<Vec<_>, _>>()?;
    let mut totals = Totals::default();
    if let Some(pause) = sharing.kill_every {
        let mut next = 0;
        while Instant::now() + pause < end {
            tokio::time::sleep(pause).await;
            // While this process holds the lock, no other process is refreshing. A process that dies between the provider's response and the write loses the token, which no
            // lock can prevent.
            let lock = store.lock().await?;
            let killed = std::mem::replace(&mut processes[next], start(next)?);
            killed.kill(&mut totals).await?;
            drop(lock);
            next = (next + 1) % sharing.processes;
        }
    }
    for process in processes {
        process.finish(&mut totals).await?;
    }
    let refreshes =
        harness.provider.token_requests(RealmKind::Strict, &realm.clients.public, Grant::Refresh).await? - before;
    // The stored login stays usable: after the access token has expired, the next program refreshes it.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let next = harness.client(RealmKind::Strict, Credentials::stored(&realm.clients.public, store))?;
    next.license().await?;
    next.wait_for_refresh().await;
    summarize(&sharing, &totals, refreshes)
}

fn summarize(sharing: &Sharing, totals: &Totals, refreshes: u64) -> Result<String, Failure> {
    let Totals { calls, failures, refreshed, adopted, logins_needed, killed } = totals;
    let line = format!(
        "{} processes with {} tasks, {} s: {calls} calls, {} failed, {logins_needed} logged out, {refreshes} refreshes at the provider, \
         {adopted} times adopted, {killed} killed",
        sharing.processes,
        sharing.tasks,
        sharing.time.as_secs(),
        failures.len(),
    );
    if let Some(first) = failures.first() {
        return Err(format!("{line}; the first: {first}").into());
    }
    ensure_eq("logged out", logins_needed, &0)?;
    // A killed process does not report its refreshes.
    if *killed == 0 {
        ensure_eq("refreshes that processes know of", refreshed, &refreshes)?;
    }
    // Access tokens of five seconds are renewed half a second before their end.
    let rounds = sharing.time.as_secs() / 5;
    ensure(&format!("one refresh each time, not one a process: {line}"), refreshes <= rounds + 2)?;
    ensure(&format!("there was something to refresh: {line}"), refreshes + 1 >= rounds && *calls > 0)?;
    Ok(line)
}

/// A worker process and its results.
struct Process {
    child: Child,
    results: JoinHandle<std::io::Result<Totals>>,
}

impl Process {
    fn start(program: &Path, arguments: &WorkerArguments) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments.arguments()).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| std::io::Error::other("no standard output"))?;
        let results = tokio::spawn(async move {
            let mut totals = Totals::default();
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines.next_line().await? {
                totals.add_line(&line);
            }
            Ok(totals)
        });
        Ok(Self { child, results })
    }

    async fn kill(mut self, totals: &mut Totals) -> Result<(), Failure> {
        self.child.kill().await?;
        totals.killed += 1;
        self.collect(totals).await
    }

    async fn finish(mut self, totals: &mut Totals) -> Result<(), Failure> {
        let status: ExitStatus = self.child.wait().await?;
        self.collect(totals).await?;
        ensure(&format!("a process comes to its end: {status}"), status.success())
    }

    async fn collect(self, totals: &mut Totals) -> Result<(), Failure> {
        let results = self.results.await??;
        totals.calls += results.calls;
        totals.failures.extend(results.failures);
        totals.refreshed += results.refreshed;
        totals.adopted += results.adopted;
        totals.logins_needed += results.logins_needed;
        Ok(())
    }
}

impl Totals {
    /// One line of a worker. The last line of a killed process may be cut.
    fn add_line(&mut self, line: &str) {
        let Ok(line) = serde_json::from_str::<Value>(line) else { return };
        match line["event"].as_str().unwrap_or_default() {
            "calls" => self.calls += line["count"].as_u64().unwrap_or_default(),
            "refreshed" => self.refreshed += 1,
            "adopted" => self.adopted += 1,
            "login_needed" => self.logins_needed += 1,
            other => self.failures.push(format!("{other}: {}", line["message"].as_str().unwrap_or_default())),
        }
    }
}
