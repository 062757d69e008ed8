//! Downloads one large package in processes that are killed (SIGKILL) after a random number of bytes; each process resumes the download of the previous one.
//!
//! Counts the bytes that the service sends, response headers included: the package once, and at most [`MAX_REPEATED`] again for each kill.

pub(crate) mod fetch;
mod package;
mod throttled_proxy;

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use documine_sim::{Fault, RecordedRequest, Simulator};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{Failure, print};
use throttled_proxy::ThrottledProxy;

/// Bytes that a kill may cause to be sent again.
const MAX_REPEATED: u64 = 1024 * 1024;
/// Time limit of a process, long enough for many faults.
const WAIT_LIMIT: Duration = Duration::from_secs(300);

/// Options of `kill-resume`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Size of the package in 1,000,000 bytes
    #[arg(long, value_name = "M", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    megabytes: u32,
    /// Number of processes that are killed before one may finish
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// Truncate, stall and reset responses of the service as well
    #[arg(long)]
    faults: bool,
    /// Seed of contents and kills; printed when the run fails
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
}

/// Transfer of one process.
struct ProcessTransfer {
    /// Resume offset in the sidecar before the process started.
    resume_offset: u64,
    /// Bytes sent to the process.
    received: u64,
}

pub(crate) fn run(arguments: &Arguments, seed: u64) -> Result<bool, Failure> {
    tokio::runtime::Runtime::new()?.block_on(run_processes(arguments, seed))
}

async fn run_processes(arguments: &Arguments, seed: u64) -> Result<bool, Failure> {
    let start = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    print(&format!("seed {seed}: a package of {} MB, {} kills", arguments.megabytes, arguments.kills));
    let sim = Simulator::builder().seed(seed).speed(20.0).start().await?;
    let bytes = usize::try_from(arguments.megabytes)? * 1_000_000;
    let package = package::create(&sim, bytes, &mut random).await?;
    let (size, checksum) = package::size_and_checksum(&package).await?;
    sim.clear_requests();
    if arguments.faults {
        add_faults(&sim, &mut random);
    }

    let folder = tempfile::tempdir()?;
    let target = folder.path().join("package.zip");
    let runner = ProcessRunner { sim: &sim, id: package.id().to_string(), target: target.clone() };
    let transfer_start = Instant::now();
    let mut transfers = Vec::new();
    for bytes in random_sections(bytes as u64, arguments.kills, &mut random) {
        let delay = Duration::from_millis(random.u64(..20));
        transfers.push(runner.run_and_kill(transfers.len(), bytes, delay).await?);
    }
    transfers.push(runner.run_to_end(transfers.len()).await?);
    let elapsed = transfer_start.elapsed();

    let mut findings = check_requests(&sim, &transfers);
    if checksum_of(&target)? != checksum {
        findings.push("the file differs from the package".to_owned());
    }
    let names: Vec<_> = std::fs::read_dir(folder.path())?
        .map(|entry| Ok::<_, Failure>(entry?.file_name()))
        .collect::<Result<_, _>>()?;
    if names != ["package.zip"] {
        findings.push(format!("left behind beside the package: {names:?}"));
    }
    let received: u64 = transfers.iter().map(|transfer| transfer.received).sum();
    let repeated = received.saturating_sub(size);
    if repeated > u64::from(arguments.kills) * MAX_REPEATED {
        findings.push(format!(
            "{} bytes were sent again for each kill; the limit is {MAX_REPEATED}",
            repeated / u64::from(arguments.kills)
        ));
    }
    let faults: u64 = sim.faults().hits().values().sum();
    print(&format!(
        "{size} bytes in {elapsed:.0?} ({:.0?} in total): {} processes, {} of them resumed, {faults} faults; {received} bytes received, {repeated} of them again: {} for each kill",
        start.elapsed(),
        transfers.len(),
        transfers.iter().filter(|transfer| transfer.resume_offset > 0).count(),
        repeated / u64::from(arguments.kills)
    ));
    if findings.is_empty() {
        print(&format!(
            "sha256 {checksum}: the file is the package, no other file is left, each process requested only the missing bytes"
        ));
    }
    for finding in &findings {
        print(&format!("WRONG: {finding}"));
    }
    sim.shutdown().await?;
    Ok(findings.is_empty())
}

/// Divides the package at random points and returns the sizes of the sections.
fn random_sections(size: u64, points: u32, random: &mut fastrand::Rng) -> Vec<u64> {
    let mut points: Vec<u64> = (0..points).map(|_| random.u64(1..size)).collect();
    points.sort_unstable();
    points.iter().scan(0, |before, point| Some(point - std::mem::replace(before, *point))).collect()
}

/// Adds faults from which a process recovers without losing received bytes.
fn add_faults(sim: &Simulator, random: &mut fastrand::Rng) {
    let any = |chance: f64| Fault::on("downloadPackage").probability(chance);
    for _ in 0..4 {
        sim.faults().add(any(0.1).cut_after(random.u64(100_000..8_000_000)));
    }
    sim.faults().add(any(0.03).stall_after(random.u64(100_000..8_000_000)));
    sim.faults().add(any(0.1).reset_after_headers());
    sim.faults().add(any(0.1).reset_before_headers());
    sim.faults().add(any(0.1).unavailable(0));
    sim.faults().seed(random.u64(..));
}

/// Starts the processes.
struct ProcessRunner<'a> {
    sim: &'a Simulator,
    id: String,
    target: PathBuf,
}

impl ProcessRunner<'_> {
    /// Runs a process and kills it `delay` after the service has sent `bytes`.
    async fn run_and_kill(&self, number: usize, bytes: u64, delay: Duration) -> Result<ProcessTransfer, Failure> {
        let resume_offset = resume_offset(&self.target)?;
        let proxy = Arc::new(ThrottledProxy::open(self.sim.address(), Some(bytes)).await?);
        let mut process = self.start(number, &proxy)?;
        tokio::select! {
            () = proxy.limit_reached() => {}
            ended = process.wait() => return Err(format!("process {number} ended before the kill: {}", ended?).into()),
            () = tokio::time::sleep(WAIT_LIMIT) => return Err(format!("process {number} hangs").into()),
        }
        tokio::time::sleep(delay).await;
        process.kill().await?;
        Ok(ProcessTransfer { resume_offset, received: proxy.forwarded() })
    }

    /// Runs a process to its end.
    async fn run_to_end(&self, number: usize) -> Result<ProcessTransfer, Failure> {
        let resume_offset = resume_offset(&self.target)?;
        let proxy = Arc::new(ThrottledProxy::open(self.sim.address(), None).await?);
        let mut process = self.start(number, &proxy)?;
        let ended: ExitStatus = tokio::time::timeout(WAIT_LIMIT, process.wait()).await??;
        if !ended.success() {
            return Err(format!("the last process failed: {ended}").into());
        }
        Ok(ProcessTransfer { resume_offset, received: proxy.forwarded() })
    }

    fn start(&self, number: usize, proxy: &Arc<ThrottledProxy>) -> Result<Child, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["fetch", &self.id, "--number", &number.to_string()])
            .arg(&self.target)
            .envs(self.sim.environment())
            .env("DOCUMINE_BASE_URL", &proxy.base_url)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("the process has no standard output")?).lines();
        let proxy = Arc::clone(proxy);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                match line.parse() {
                    Ok(bytes) => proxy.set_consumed(bytes),
                    Err(_) => print(&format!("process {number}: {line}")),
                }
            }
        });
        Ok(process)
    }
}

/// Returns the resume offset of the next process: the bytes that the first line of the sidecar confirms, plus those of its last line.
fn resume_offset(target: &Path) -> Result<u64, Failure> {
    let sidecar = target.with_extension("zip.part.json");
    if !sidecar.exists() {
        return Ok(0);
    }
    let text = std::fs::read_to_string(sidecar)?;
    let bytes = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line)?;
        line["bytes"].as_u64().ok_or_else(|| Failure::from("the sidecar has no number of bytes"))
    };
    let mut lines = text.lines();
    let confirmed = bytes(lines.next().unwrap_or_default())?;
    Ok(confirmed + lines.next_back().map(bytes).transpose()?.unwrap_or(0))
}

/// Checks that each process requested only the missing bytes, with `If-Range`.
fn check_requests(sim: &Simulator, transfers: &[ProcessTransfer]) -> Vec<String> {
    let mut findings = Vec::new();
    let requests = sim.requests();
    for (number, ProcessTransfer { resume_offset, .. }) in transfers.iter().enumerate() {
        let name = format!("kill-resume/{number}");
        let is_own = |request: &&RecordedRequest| {
            let agent = request.header("user-agent").unwrap_or_default();
            request.operation.as_deref() == Some("downloadPackage") && agent.split(' ').any(|part| part == name)
        };
        let own: Vec<_> = requests.iter().filter(is_own).collect();
        let ranges: Vec<_> = own.iter().map(|request| request.header("range").unwrap_or("none")).collect();
        let first = if *resume_offset == 0 { "none".to_owned() } else { format!("bytes={resume_offset}-") };
        if ranges.first().is_some_and(|range| *range != first) {
            findings.push(format!("process {number} had {resume_offset} bytes and requested the ranges {ranges:?}"));
        }
        if *resume_offset > 0 && ranges.contains(&"none") {
            findings.push(format!("process {number} had {resume_offset} bytes and restarted the download"));
        }
        if own.iter().any(|request| request.header("range").is_some() && request.header("if-range").is_none()) {
            findings.push(format!("process {number} sent Range without If-Range"));
        }
    }
    findings
}

fn checksum_of(path: &Path) -> Result<String, Failure> {
    let mut checksum = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut checksum)?;
    Ok(format!("{:x}", checksum.finalize()))
}
