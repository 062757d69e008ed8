//! Processes many documents in runs that are killed (SIGKILL) at random points while a part of all requests fails, and once through to the end.
//!
//! An undisturbed run at another simulator gives the reference. Afterwards each document is at the service exactly once, each output equals the
//! reference without ids and times of the service, and nothing is left behind.

mod compare;
mod documents;
mod full_disk;
mod invoice;
mod kills;
pub(crate) mod process;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use documine::Client;
use documine_sim::{Fault, Faults, Simulator};

use crate::{Failure, print};
use documents::Documents;
use kills::{KillPlan, Outcome, Timing};
use process::{OUTPUTS, Process};

/// Files of a dossier in the campaign, so that a run needs several dossiers.
pub(crate) const MAX_FILES: u64 = 700;

/// Options of `ingest`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Number of documents
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..))]
    documents: u32,
    /// Number of processes that are killed before one may finish
    #[arg(long, value_name = "N", default_value_t = 30)]
    kills: u32,
    /// Share of the requests that fail, in percent
    #[arg(long, value_name = "P", default_value = "10", value_parser = percent)]
    faults: f64,
    /// Only the runs with a full disk, or only those without
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    /// Seed of kills and faults; printed when the run fails
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Kills,
    FullDisk,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim().parse::<f64>() {
        Ok(percent) if (0.0..=50.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("must be a percentage from 0 to 50".to_owned()),
    }
}

pub(crate) fn run(arguments: &Arguments, seed: u64) -> Result<bool, Failure> {
    tokio::runtime::Runtime::new()?.block_on(campaign(arguments, seed))
}

async fn campaign(arguments: &Arguments, seed: u64) -> Result<bool, Failure> {
    let begin = Instant::now();
    let folder = tempfile::tempdir()?;
    let documents = Documents::write(&folder.path().join("documents"), arguments.documents)?;
    let (reference, works) = (folder.path().join("reference"), folder.path().join("campaign"));
    std::fs::create_dir(&reference)?;
    std::fs::create_dir(&works)?;
    let timing = undisturbed(&documents, &reference, seed).await?;
    print(&format!(
        "seed {seed}: {} documents; undisturbed run {:.1?}, listing {:.0?}, outputs {:.0?}",
        documents.count, timing.total, timing.listing, timing.outputs
    ));
    let mut findings = Vec::new();
    if arguments.only != Some(Part::FullDisk) {
        findings.extend(with_kills(arguments, seed, &documents, (&reference, &works), timing).await?);
    }
    if arguments.only != Some(Part::Kills) {
        findings.extend(full_disk::run(&documents, &reference, folder.path(), seed).await?);
    }
    findings.extend(documents.changes()?);
    for finding in &findings {
        print(&format!("WRONG: {}", finding.chars().take(400).collect::<String>()));
    }
    if findings.is_empty() {
        print(&format!(
            "each document once, each output as in the undisturbed run, nothing left behind; {:.0?}",
            begin.elapsed()
        ));
    }
    Ok(findings.is_empty())
}

/// Runs once without faults, for the reference outputs.
async fn undisturbed(documents: &Documents, work: &Path, seed: u64) -> Result<Timing, Failure> {
    let sim = simulator(seed).await?;
    let (timing, ended) = Process::start(&sim, documents, work)?.run_to_end().await?;
    if ended.code() != Some(0) {
        return Err(format!("the undisturbed run failed: {ended}").into());
    }
    let findings = check(&sim, documents, (work, work)).await?;
    if let Some(finding) = findings.into_iter().next() {
        return Err(format!("the undisturbed run: {finding}").into());
    }
    sim.shutdown().await?;
    Ok(timing)
}

/// Returns the simulator of a run. Analyses are fast, so that processes spend their time in all steps.
pub(crate) async fn simulator(seed: u64) -> Result<Simulator, Failure> {
    Ok(Simulator::builder().seed(seed).speed(20.0).start().await?)
}

async fn with_kills(
    arguments: &Arguments,
    seed: u64,
    documents: &Documents,
    (reference, work): (&Path, &Path),
    timing: Timing,
) -> Result<Vec<String>, Failure> {
    let begin = Instant::now();
    // Other ids than in the reference.
    let sim = simulator(seed + 1).await?;
    sim.faults().add_all(&faults(arguments.faults));
    sim.faults().seed(seed);
    let mut findings = Vec::new();
    let mut table: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut plan = KillPlan::new(arguments.kills, timing, seed);
    while let Some(point) = plan.next() {
        if point.is_output() {
            // An output that is up to date is not written again.
            for name in OUTPUTS {
                drop(std::fs::remove_file(work.join(name)));
            }
        }
        let row = table.entry(point.name()).or_default();
        match Process::start(&sim, documents, work)?.run_and_kill(&point).await? {
            Outcome::Killed => row.0 += 1,
            Outcome::Ended(status) => {
                row.1 += 1;
                if !matches!(status.code(), Some(0 | 3)) {
                    findings.push(format!("a process that was to be killed ended with {status}"));
                }
            }
        }
    }
    let kill_time = begin.elapsed();
    let (_, ended) = Process::start(&sim, documents, work)?.run_to_end().await?;
    if ended.code() != Some(0) {
        findings.push(format!("the last process ended with {ended}"));
    }
    let hits: u64 = sim.faults().hits().values().sum();
    sim.faults().clear();
    print("  killed during   kills  ended before");
    for (name, (killed, ended)) in &table {
        print(&format!("  {name:<15} {killed:>5}  {ended:>12}"));
    }
    let requests = sim.requests();
    let uploads = requests.iter().filter(|request| is_stored_upload(request)).count();
    print(&format!(
        "  {} requests, {hits} faults; {uploads} uploads for {} documents; {kill_time:.0?} with kills, {:.0?} in total",
        requests.len(),
        documents.count,
        begin.elapsed()
    ));
    if uploads != documents.count {
        findings.push(format!("{uploads} uploads were stored for {} documents", documents.count));
    }
    findings.extend(check(&sim, documents, (reference, work)).await?);
    sim.shutdown().await?;
    Ok(findings)
}

/// Returns whether the service stored the file of a request, even if the response was lost.
pub(crate) fn is_stored_upload(request: &documine_sim::RecordedRequest) -> bool {
    request.operation.as_deref() == Some("uploadFile") && request.reached && (200..300).contains(&request.status)
}

/// Checks the files at the service, the outputs, and the folder of a run.
pub(crate) async fn check(
    sim: &Simulator,
    documents: &Documents,
    (reference, work): (&Path, &Path),
) -> Result<Vec<String>, Failure> {
    let mut findings = documents.check_service(&client(sim)?, sim.dossier_template_id()).await?;
    findings.extend(compare::outputs(reference, work)?);
    let mut expected: Vec<_> = OUTPUTS.iter().map(|name| (*name).to_owned()).collect();
    expected.push(process::JOURNAL.to_owned());
    expected.sort();
    let found = names(work)?;
    if found != expected {
        findings.push(format!("the folder of the run contains {found:?} instead of {expected:?}"));
    }
    Ok(findings)
}

/// Returns the sorted names in a folder.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn client(sim: &Simulator) -> Result<Client, Failure> {
    let credentials = documine::Credentials::password(sim.client_id(), sim.username(), sim.password());
    let builder = Client::builder(sim.base_url()).workspace(sim.workspace_id());
    Ok(builder.credentials(credentials.client_secret(sim.client_secret())).build()?)
}

/// Returns the faults, weighted so that the given share of all requests fails.
fn faults(share: f64) -> Faults {
    let any = || Fault::on("api/*");
    // Outside of the steps of documents, a whole response with half of its content ends the run.
    let of_documents = ["uploadFile", "getFiles", "getFile", "getComponents"];
    let weighted = [
        (3.0, any().unavailable(0)),
        (0.5, any().rate_limited(1)),
        (2.0, any().unseen()),
        // The service has processed the request, and the response is lost.
        (2.0, any().reset_before_headers()),
        (2.0, any().reset_after_headers()),
        (2.0, any().cut_after(20)),
        (0.5, any().bad_gateway_page()),
    ];
    let truncated = 1.0;
    let whole = truncated + weighted.iter().map(|(weight, _)| weight).sum::<f64>();
    let plan = Faults::default();
    for operation in of_documents {
        plan.add(Fault::on(operation).truncated_json().probability(share * truncated / whole));
    }
    for (weight, fault) in weighted {
        plan.add(fault.probability(share * weight / whole));
    }
    plan
}

/// The longest time of one process.
pub(crate) const PROCESS_LIMIT: Duration = Duration::from_secs(600);
