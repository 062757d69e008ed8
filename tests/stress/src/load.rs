//! Runs the whole workflow with many clients against the simulator through real sockets, while a part of all requests fails.
//!
//! Afterwards the records of the clients are compared with the state of the service: nothing is lost, duplicated or corrupt.

mod audit;
mod fault_plan;
mod record;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use documine::{Client, Credentials, retry::RetryPolicy};
use documine_sim::Simulator;
use tokio::runtime::{Builder, Runtime};

use crate::{Failure, print};
use record::Records;

/// Options of the load test.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Time limit in minutes
    #[arg(long, value_name = "M", default_value_t = 30.0)]
    minutes: f64,
    /// Number of calls
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    operations: u64,
    /// Number of concurrent clients
    #[arg(long, value_name = "N", default_value_t = 16)]
    clients: usize,
    /// Share of the requests that fail
    #[arg(long, value_name = "P", default_value_t = 0.2)]
    share: f64,
    /// Seed of faults, names and contents; printed when the run fails
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
}

/// Counts panics, also in detached tasks.
fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // The simulator parses PDFs in a thread that may panic.
        if std::thread::current().name() != Some("documine-sim-pdf") {
            counted.fetch_add(1, Ordering::Relaxed);
            default_hook(panic);
        }
    }));
    count
}

fn runtime(threads: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build()
}

pub(crate) fn run(arguments: &Arguments, seed: u64) -> Result<bool, Failure> {
    let panics = count_panics();
    let start = Instant::now();
    let deadline = start + Duration::try_from_secs_f64(arguments.minutes * 60.0)?;
    print(&format!(
        "seed {seed}: {} calls by {} clients, {:.0} % of the requests fail",
        arguments.operations,
        arguments.clients,
        arguments.share * 100.0
    ));
    // Two runtimes, so that the tasks of the clients can be counted without those of the simulator.
    let (service, users) = (runtime(1)?, runtime(2)?);
    let folder = tempfile::tempdir()?;
    let sim = service.block_on(Simulator::builder().seed(seed).speed(20.0).start())?;
    let files_before = open_files();
    sim.faults().add_all(&fault_plan::plan(arguments.share));
    sim.faults().seed(seed);

    let records = Arc::new(Records::new(arguments.operations, deadline));
    let workers: Vec<_> = clients(&sim, arguments.clients, &records)?
        .into_iter()
        .enumerate()
        .map(|(number, client)| {
            let worker = worker::Worker::new(number, seed, client, &sim, folder.path(), &records);
            users.spawn(worker.work())
        })
        .collect();
    let mut panicked_clients = 0;
    for worker in workers {
        panicked_clients += usize::from(users.block_on(worker).is_err());
    }
    let hits = sim.faults().hits();
    sim.faults().clear();

    let mut findings = users.block_on(audit::audit(&sim, client(&sim, None)?, &records))?;
    findings.extend(audit::leftovers(folder.path())?);
    // All clients are dropped, so that no task may be left.
    let finished = eventually(|| users.metrics().num_alive_tasks() == 0);
    if !finished {
        findings.push(format!("{} tasks are still running", users.metrics().num_alive_tasks()));
    }
    users.shutdown_timeout(Duration::from_secs(5));
    if !eventually(|| open_files() <= files_before) {
        findings.push(format!("{} files or connections are open; before: {files_before}", open_files()));
    }
    let panics = panics.load(Ordering::Relaxed);
    if panics > 0 || panicked_clients > 0 {
        findings.push(format!("{panics} panics, {panicked_clients} of them in clients"));
    }
    for violation in sim.violations() {
        findings.push(format!("violation of the document: {violation}"));
    }
    report(&records, &hits, &findings, start.elapsed());
    service.block_on(sim.shutdown())?;
    Ok(findings.is_empty())
}

/// Makes the clients: every fourth is new and the others are clones, so that refreshes, retries and connections are shared, too.
fn clients(sim: &Simulator, count: usize, records: &Arc<Records>) -> Result<Vec<Client>, Failure> {
    let mut clients: Vec<Client> = Vec::new();
    for number in 0..count {
        let client = match clients.last() {
            Some(last) if number % 4 != 0 => last.clone(),
            _ => client(sim, Some(records))?,
        };
        clients.push(client);
    }
    Ok(clients)
}

fn client(sim: &Simulator, records: Option<&Arc<Records>>) -> Result<Client, Failure> {
    let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
    let second = Duration::from_secs(1);
    let mut builder = Client::builder(sim.base_url())
        .workspace(sim.workspace_id())
        .credentials(credentials.client_secret(sim.client_secret()))
        .connect_timeout(2 * second)
        .attempt_timeout(5 * second)
        .idle_timeout(second)
        // The failures of this test would exhaust the retry budget.
        .retry_budget(None)
        .retry_policy(RetryPolicy::default().delays(Duration::from_millis(50), second));
    if let Some(records) = records {
        builder = builder.observer(Arc::clone(records));
    }
    Ok(builder.build()?)
}

/// Counts the open files and connections of this process.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Waits up to ten seconds for a condition.
fn eventually(holds: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    holds()
}

fn report(records: &Records, hits: &std::collections::BTreeMap<String, u64>, findings: &[String], elapsed: Duration) {
    let counts = records.counts();
    print(&format!(
        "{} calls in {:.0?}: {} succeeded, {} failed; {} retries",
        counts.calls,
        elapsed,
        counts.calls - counts.failed,
        counts.failed,
        counts.retries
    ));
    let faults: u64 = hits.values().sum();
    let list = |pairs: Vec<(String, u64)>| {
        pairs.into_iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    print(&format!("{faults} faults: {}", list(hits.clone().into_iter().collect())));
    print(&format!("errors seen by callers: {}", list(records.errors())));
    print(&format!("checked: {}", records.checked()));
    if findings.is_empty() {
        print("nothing lost, duplicated or corrupt; no error without a kind, no panic, no leftovers");
    }
    for finding in findings {
        print(&format!("WRONG: {finding}"));
    }
}
