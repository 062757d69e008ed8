//! Several processes with one login, whose refresh token is good for one use: nobody is logged out, whoever dies.
//!
//! ```text
//! here      a person logs in once; processes are started, killed and counted
//! worker    such a process: many tasks that call the service all the time
//! ```

mod worker;

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use documine::{FileStore, TokenStore};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

pub use worker::{Orders, hold, work};

use crate::stage::{Stage, holds, same};
use crate::{Act, Failure, Grant, Place, Provider, REDIRECT};

/// How many share the login, how hard, and for how long.
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

/// What came of it.
#[derive(Debug, Default)]
struct Sum {
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
/// A call failed, somebody was logged out, or the refresh token was used more often than needed.
pub async fn share(provider: Arc<dyn Provider>, program: &Path, sharing: Sharing) -> Result<String, Failure> {
    let stage = Stage::new(provider).await?;
    let realm = stage.realm(Place::Short).clone();
    let folder = tempfile::tempdir()?;
    let store = FileStore::new(folder.path().join("login.json"));
    let login = stage.login(Place::Short, &realm.clients.public)?.store(store.clone()).authorization(REDIRECT)?;
    let address = stage.provider.visit(login.url(), &realm.users.plain, Act::Allow).await?;
    login.redirected(&address.ok_or("the provider did not send the browser back")?).await?;

    let before = stage.provider.token_requests(Place::Short, &realm.clients.public, Grant::Refresh).await?;
    let end = Instant::now() + sharing.time;
    let start = |number: usize| {
        let orders = Orders {
            service: stage.service(Place::Short).base_url().to_owned(),
            workspace: realm.workspace.clone(),
            token_endpoint: realm.endpoint("token"),
            client_id: realm.clients.public.clone(),
            store: store.path().to_owned(),
            tasks: sharing.tasks,
            seconds: end.saturating_duration_since(Instant::now()).as_secs_f64(),
        };
        Process::start(program, &orders).map_err(|error| Failure::from(format!("process {number}: {error}")))
    };
    let mut processes = (0..sharing.processes).map(start).collect::<Result<Vec<_>, _>>()?;
    let mut sum = Sum::default();
    if let Some(pause) = sharing.kill_every {
        let mut next = 0;
        while Instant::now() + pause < end {
            tokio::time::sleep(pause).await;
            // With the lock in our hand nobody is asking the provider: what it has given to a process that dies before it could keep it, is lost, and no
            // lock helps there.
            let lock = store.lock().await?;
            let victim = std::mem::replace(&mut processes[next], start(next)?);
            victim.kill(&mut sum).await?;
            drop(lock);
            next = (next + 1) % sharing.processes;
        }
    }
    for process in processes {
        process.finish(&mut sum).await?;
    }
    let asked = stage.provider.token_requests(Place::Short, &realm.clients.public, Grant::Refresh).await? - before;
    verdict(&sharing, &sum, asked)
}

fn verdict(sharing: &Sharing, sum: &Sum, asked: u64) -> Result<String, Failure> {
    let Sum { calls, failures, refreshed, adopted, logins_needed, killed } = sum;
    let line = format!(
        "{} processes with {} tasks, {} s: {calls} calls, {} failed, {logins_needed} logged out, {asked} refreshes at the provider, \
         {adopted} times adopted, {killed} killed",
        sharing.processes,
        sharing.tasks,
        sharing.time.as_secs(),
        failures.len(),
    );
    if let Some(first) = failures.first() {
        return Err(format!("{line}; the first: {first}").into());
    }
    same("logged out", logins_needed, &0)?;
    // A killed process does not tell any more what it did.
    if *killed == 0 {
        same("refreshes that processes know of", refreshed, &asked)?;
    }
    // Access tokens of five seconds are renewed half a second before their end.
    let rounds = sharing.time.as_secs() / 5;
    holds(&format!("one refresh each time, not one a process: {line}"), asked <= rounds + 2)?;
    holds(&format!("there was something to refresh: {line}"), asked + 1 >= rounds && *calls > 0)?;
    Ok(line)
}

/// A worker, and what it says.
struct Process {
    child: Child,
    heard: JoinHandle<std::io::Result<Sum>>,
}

impl Process {
    fn start(program: &Path, orders: &Orders) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        command.args(orders.arguments()).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| std::io::Error::other("no standard output"))?;
        let heard = tokio::spawn(async move {
            let mut sum = Sum::default();
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines.next_line().await? {
                sum.hear(&line);
            }
            Ok(sum)
        });
        Ok(Self { child, heard })
    }

    async fn kill(mut self, sum: &mut Sum) -> Result<(), Failure> {
        self.child.kill().await?;
        sum.killed += 1;
        self.tell(sum).await
    }

    async fn finish(mut self, sum: &mut Sum) -> Result<(), Failure> {
        let status: ExitStatus = self.child.wait().await?;
        self.tell(sum).await?;
        holds(&format!("a process comes to its end: {status}"), status.success())
    }

    async fn tell(self, sum: &mut Sum) -> Result<(), Failure> {
        let heard = self.heard.await??;
        sum.calls += heard.calls;
        sum.failures.extend(heard.failures);
        sum.refreshed += heard.refreshed;
        sum.adopted += heard.adopted;
        sum.logins_needed += heard.logins_needed;
        Ok(())
    }
}

impl Sum {
    /// One line of a worker. A process that was killed may have left half a one.
    fn hear(&mut self, line: &str) {
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
