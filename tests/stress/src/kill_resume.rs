//! One large package, fetched by processes that are killed (SIGKILL) after so many bytes as chance says, each of which goes on where the one before stopped.
//!
//! Counted is what the service has sent on the wire, heads of answers included: of the whole package, and at each cut at most [`PER_CUT`] once more.

pub(crate) mod fetch;
mod link;
mod package;

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use documine_sim::{Fault, RecordedRequest, Simulator};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{Failure, print};
use link::Link;

/// What one cut may cost.
const PER_CUT: u64 = 1024 * 1024;
/// No process needs longer, even when much goes wrong.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is fetched, and how often it is cut off.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How large the package is, in 1,000,000 bytes
    #[arg(long, value_name = "M", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    megabytes: u32,
    /// How many processes are killed before one may come to its end
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// The service's answers break off, stand still and are reset, too
    #[arg(long)]
    faults: bool,
    /// Contents and cuts follow from this number; one that fails is printed, and plays again
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
}

/// What one process has done.
struct Fetched {
    /// What the sidecar said before it.
    noted: u64,
    /// What has passed towards it.
    passed: u64,
}

pub(crate) fn run(arguments: &Arguments, seed: u64) -> Result<bool, Failure> {
    tokio::runtime::Runtime::new()?.block_on(cut(arguments, seed))
}

async fn cut(arguments: &Arguments, seed: u64) -> Result<bool, Failure> {
    let start = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    print(&format!("seed {seed}: a package of {} MB, cut {} times", arguments.megabytes, arguments.kills));
    let sim = Simulator::builder().seed(seed).speed(20.0).start().await?;
    let bytes = usize::try_from(arguments.megabytes)? * 1_000_000;
    let package = package::make(&sim, bytes, &mut random).await?;
    let (size, checksum) = package::known(&package).await?;
    sim.forget_requests();
    if arguments.faults {
        add_faults(&sim, &mut random);
    }

    let folder = tempfile::tempdir()?;
    let target = folder.path().join("package.zip");
    let environment = Setting { sim: &sim, id: package.id().to_string(), target: target.clone() };
    let made = Instant::now();
    let mut fetched = Vec::new();
    for further in spaces(bytes as u64, arguments.kills, &mut random) {
        let pause = Duration::from_millis(random.u64(..20));
        fetched.push(environment.killed(fetched.len(), further, pause).await?);
    }
    fetched.push(environment.whole(fetched.len()).await?);
    let elapsed = made.elapsed();

    let mut findings = asked(&sim, &fetched);
    if checksum_of(&target)? != checksum {
        findings.push("the file is not the package".to_owned());
    }
    let names: Vec<_> = std::fs::read_dir(folder.path())?
        .map(|entry| Ok::<_, Failure>(entry?.file_name()))
        .collect::<Result<_, _>>()?;
    if names != ["package.zip"] {
        findings.push(format!("{names:?} are there, and not the package alone"));
    }
    let passed: u64 = fetched.iter().map(|fetched| fetched.passed).sum();
    let more = passed.saturating_sub(size);
    if more > u64::from(arguments.kills) * PER_CUT {
        findings
            .push(format!("{} bytes a cut came once more, {PER_CUT} are allowed", more / u64::from(arguments.kills)));
    }
    let faults: u64 = sim.faults().hits().values().sum();
    print(&format!(
        "{size} bytes in {elapsed:.0?} ({:.0?} with all): {} processes, {} of them went on with a part, {faults} faults; {passed} bytes came, {more} of them once more: {} a cut",
        start.elapsed(),
        fetched.len(),
        fetched.iter().filter(|fetched| fetched.noted > 0).count(),
        more / u64::from(arguments.kills)
    ));
    if findings.is_empty() {
        print(&format!(
            "sha256 {checksum}: the file is the package; nothing is left beside it; each process asked for what was missing alone"
        ));
    }
    for finding in &findings {
        print(&format!("WRONG: {finding}"));
    }
    sim.shutdown().await?;
    Ok(findings.is_empty())
}

/// So many points, anywhere in the package, as the way from each to the next.
fn spaces(size: u64, points: u32, random: &mut fastrand::Rng) -> Vec<u64> {
    let mut points: Vec<u64> = (0..points).map(|_| random.u64(1..size)).collect();
    points.sort_unstable();
    points.iter().scan(0, |before, point| Some(point - std::mem::replace(before, *point))).collect()
}

/// Faults that lose nothing which has come: after them a process goes on by itself.
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

/// What the processes have in common.
struct Setting<'a> {
    sim: &'a Simulator,
    id: String,
    target: PathBuf,
}

impl Setting<'_> {
    /// A process that is killed when the service has sent so many bytes, or a moment later.
    async fn killed(&self, number: usize, further: u64, pause: Duration) -> Result<Fetched, Failure> {
        let noted = noted(&self.target)?;
        let link = Arc::new(Link::open(self.sim.address(), Some(further)).await?);
        let mut process = self.start(number, &link)?;
        tokio::select! {
            () = link.spent() => {}
            ended = process.wait() => return Err(format!("process {number} came to its end before its time: {}", ended?).into()),
            () = tokio::time::sleep(PATIENCE) => return Err(format!("process {number} hangs").into()),
        }
        tokio::time::sleep(pause).await;
        process.kill().await?;
        Ok(Fetched { noted, passed: link.passed() })
    }

    /// One that may come to its end.
    async fn whole(&self, number: usize) -> Result<Fetched, Failure> {
        let noted = noted(&self.target)?;
        let link = Arc::new(Link::open(self.sim.address(), None).await?);
        let mut process = self.start(number, &link)?;
        let ended: ExitStatus = tokio::time::timeout(PATIENCE, process.wait()).await??;
        if !ended.success() {
            return Err(format!("the last process failed: {ended}").into());
        }
        Ok(Fetched { noted, passed: link.passed() })
    }

    fn start(&self, number: usize, link: &Arc<Link>) -> Result<Child, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["fetch", &self.id, "--number", &number.to_string()])
            .arg(&self.target)
            .envs(self.sim.environment())
            .env("DOCUMINE_BASE_URL", &link.base_url)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("the process says nothing")?).lines();
        let link = Arc::clone(link);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                match line.parse() {
                    Ok(taken) => link.taken(taken),
                    Err(_) => print(&format!("process {number}: {line}")),
                }
            }
        });
        Ok(process)
    }
}

/// How many bytes the next process goes on behind: those that are safe by the sidecar's first line, and those written since by its last one.
fn noted(target: &Path) -> Result<u64, Failure> {
    let sidecar = target.with_extension("zip.part.json");
    if !sidecar.exists() {
        return Ok(0);
    }
    let text = std::fs::read_to_string(sidecar)?;
    let bytes = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line)?;
        line["bytes"].as_u64().ok_or_else(|| Failure::from("the sidecar says no number of bytes"))
    };
    let mut lines = text.lines();
    let safe = bytes(lines.next().unwrap_or_default())?;
    Ok(safe + lines.next_back().map(bytes).transpose()?.unwrap_or(0))
}

/// Whether each process asked for what was missing, and for that only if it is still the same.
fn asked(sim: &Simulator, fetched: &[Fetched]) -> Vec<String> {
    let mut findings = Vec::new();
    let requests = sim.requests();
    for (number, Fetched { noted, .. }) in fetched.iter().enumerate() {
        let name = format!("kill-resume/{number}");
        let own = |request: &&RecordedRequest| {
            let agent = request.header("user-agent").unwrap_or_default();
            request.operation.as_deref() == Some("downloadPackage") && agent.split(' ').any(|part| part == name)
        };
        let asked: Vec<_> = requests.iter().filter(own).collect();
        let ranges: Vec<_> = asked.iter().map(|request| request.header("range").unwrap_or("the whole")).collect();
        let first = if *noted == 0 { "the whole".to_owned() } else { format!("bytes={noted}-") };
        if ranges.first().is_some_and(|range| *range != first) {
            findings.push(format!("process {number} had {noted} bytes, and asked for {ranges:?}"));
        }
        if *noted > 0 && ranges.contains(&"the whole") {
            findings.push(format!("process {number} had {noted} bytes, and began anew"));
        }
        if asked.iter().any(|request| request.header("range").is_some() && request.header("if-range").is_none()) {
            findings.push(format!("process {number} asked for a part of whatever there is"));
        }
    }
    findings
}

fn checksum_of(path: &Path) -> Result<String, Failure> {
    let mut checksum = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut checksum)?;
    Ok(format!("{:x}", checksum.finalize()))
}
