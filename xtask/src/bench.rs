//! `cargo xtask bench`: measures calls, lists and transfers with the SDK, hand-written reqwest, the client of openapi-generator, and curl; waits, compared
//! with simple pollers; batch processing, compared with a straightforward program; and builds, compared with other SDKs.
//!
//! All clients use one server process in the same run and take turns. callgrind counts instructions and allocations as the difference of a run and a run
//! twice as long, so that the start of the program does not count. These numbers are the same in every run, and the goals refer to them. Wall time is the
//! median of several rounds, with its spread, and depends on the load of the machine.
//!
//! Prints tables, and writes `target/bench.json` and a plot of the waits. A figure that cannot be measured is *not run*, with the reason.

mod build;
mod callgrind;
mod clients;
mod figures;
mod goals;
mod ingest;
mod jobs;
mod openapi_generator;
mod plot;
mod program;
mod server;
mod table;
mod transfers;
mod waits;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use serde_json::{Value, json};

use clients::Clients;
use figures::NotMeasured;
use jobs::Extent;

use crate::process::first_line;
use crate::workspace::{print, root};

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Benchmarks to run; all by default.
    #[arg(value_enum)]
    benchmarks: Vec<Benchmark>,
    /// Fewer calls and rounds, shorter lists, and builds only if named: some minutes less and more noise.
    #[arg(long)]
    quick: bool,
    /// Number of documents of an additional run of `ingest`, for example 100000.
    #[arg(long, value_name = "N")]
    documents: Option<u64>,
    /// Size of an upload and a download in GiB.
    #[arg(long, value_name = "N", default_value_t = 1)]
    gibibytes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Benchmark {
    /// Small calls, sequential and concurrent.
    Call,
    /// A list of 100,000 files, whole and streamed.
    List,
    /// Large uploads and downloads.
    Transfer,
    /// Waits for many files.
    Wait,
    /// Batch processing; only if named.
    Ingest,
    /// Clean builds.
    Build,
}

impl Args {
    fn has(&self, benchmark: Benchmark) -> bool {
        if self.benchmarks.is_empty() {
            benchmark != Benchmark::Ingest && (benchmark != Benchmark::Build || !self.quick)
        } else {
            self.benchmarks.contains(&benchmark)
        }
    }

    /// Returns `true` if a benchmark of the clients was requested.
    fn has_runs(&self) -> bool {
        let has_clients = |benchmark: &Benchmark| !matches!(benchmark, Benchmark::Build | Benchmark::Ingest);
        self.benchmarks.is_empty() || self.benchmarks.iter().any(has_clients)
    }
}

/// Measures, prints the table and writes the figures.
pub(crate) fn run(args: &Args) -> ExitCode {
    match measure(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            print(&format!("bench: {reason}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<(), NotMeasured> {
    let began = Instant::now();
    let machine = machine();
    let folder = folder()?;
    let extent = if args.quick { Extent::QUICK } else { Extent::FULL };
    // Builds need neither the clients nor the server.
    let clients = if args.has_runs() { Some(Clients::make(&folder)?) } else { None };
    let (mut rows, waits) = match &clients {
        Some(clients) => run_clients(args, clients, &folder, &extent)?,
        None => (Vec::new(), Vec::new()),
    };
    if args.has(Benchmark::Build) {
        rows.extend(build::run(&folder));
    }
    let ingest = if args.has(Benchmark::Ingest) {
        ingest::run(&folder, ingest::Sizes::new(args.quick, args.documents))?
    } else {
        Value::Null
    };
    let mut notes = clients.as_ref().map(|clients| clients.notes.clone()).unwrap_or_default();
    notes.push(format!("this machine: {} cores, load {} at the start", machine["cores"], machine["load"]));
    table::print_rows(&rows, &notes);
    waits::print_waits(&waits);
    goals::print_goals(&rows);
    let report = json!({
        "date": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "commit": commit(),
        "quick": args.quick,
        "seconds": began.elapsed().as_secs(),
        "machine": machine,
        "tools": tools(),
        "clients": clients.as_ref().map(Clients::to_json),
        "extent": extent.to_json(),
        "rows": rows.iter().map(figures::Row::to_json).collect::<Vec<_>>(),
        "goals": goals::to_json(&rows),
        "waits": waits,
        "ingest": ingest,
    });
    let path = root().join("target/bench.json");
    std::fs::write(&path, format!("{report:#}\n")).map_err(|error| format!("{}: {error}", path.display()))?;
    print(&format!("\nall figures: target/bench.json ({} s)", began.elapsed().as_secs()));
    Ok(())
}

/// Runs the benchmarks that use the clients and the server.
fn run_clients(
    args: &Args,
    clients: &Clients,
    folder: &Path,
    extent: &Extent,
) -> Result<(Vec<figures::Row>, Vec<Value>), NotMeasured> {
    let server = server::Server::start(&mut Command::new(&clients.bench), folder)?;
    let bench = jobs::Bench { clients, folder, base_url: &server.base_url, extent };
    let mut rows = Vec::new();
    if args.has(Benchmark::Call) {
        rows.extend(bench.calls()?);
    }
    if args.has(Benchmark::List) {
        rows.extend(bench.lists()?);
    }
    if args.has(Benchmark::Transfer) {
        rows.extend(transfers::run(&bench, args.gibibytes)?);
    }
    drop(server);
    let waits = if args.has(Benchmark::Wait) { waits::run(&clients.bench, folder, args.quick)? } else { Vec::new() };
    Ok((rows, waits))
}

/// Returns the folder for programs and output; later runs reuse it.
fn folder() -> Result<PathBuf, NotMeasured> {
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Returns the commit, and whether the tree has changes.
fn commit() -> Value {
    let git = |arguments: &[&str]| first_line(Command::new("git").current_dir(root()).args(arguments));
    json!({
        "id": git(&["rev-parse", "HEAD"]),
        "changed": git(&["status", "--porcelain", "--untracked-files=no"]).map(|text| !text.is_empty()),
    })
}

/// Describes the machine and its load in the previous minute.
fn machine() -> Value {
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    json!({
        "cpu": model,
        "load": load,
        "cores": std::thread::available_parallelism().ok().map(usize::from),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

fn tools() -> Value {
    let version = |program: &str| first_line(Command::new(program).arg("--version"));
    json!({
        "rustc": version("rustc"),
        "valgrind": version("valgrind"),
        "curl": version("curl"),
        "java": version("java"),
        // The generated client uses the same lock file.
        "reqwest": locked("reqwest"),
        "hyper": locked("hyper"),
        "serde_json": locked("serde_json"),
        "tokio": locked("tokio"),
        "openapi-generator": openapi_generator::GENERATOR,
    })
}

/// Returns the version of a crate in the lock file of the workspace.
fn locked(name: &str) -> Option<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).ok()?;
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    let version = lines.nth(1)?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}
