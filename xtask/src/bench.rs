//! `cargo xtask bench`: what calls, lists and transfers cost with the SDK, beside hand-written reqwest, the client that openapi-generator
//! makes from our document, and curl; how soon its waits end, beside simple pollers; and what it costs to build it, beside other SDKs.
//!
//! All clients ask one server process, in the same run, one after the other in turn. Instructions and allocations are counted by
//! callgrind as the difference of a run and one twice as long, so that starting the program does not count; they are the same in every
//! run and are what the goals are about. Wall time is the median of several rounds, with its spread, and says what else the machine did.
//!
//! Prints tables and writes `target/bench.json`, and a plot of the waits. What can't be measured is *not run*, with the reason; nothing is made up for it.

mod build;
mod callgrind;
mod clients;
mod figures;
mod goals;
mod jobs;
mod openapi_generator;
mod plot;
mod program;
mod server;
mod table;
mod transfers;
mod waits;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use serde_json::{Value, json};

use clients::Clients;
use figures::NotMeasured;
use jobs::Extent;

use crate::process::first_line;
use crate::workspace::{print, root};

/// How much is measured.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What is measured; everything, unless something is named.
    #[arg(value_enum)]
    what: Vec<Benchmark>,
    /// Fewer calls, fewer rounds, shorter lists, and builds only if they are named: some minutes less, some more noise.
    #[arg(long)]
    quick: bool,
    /// How much is uploaded and downloaded at a time, in GiB.
    #[arg(long, value_name = "N", default_value_t = 1)]
    gibibytes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Benchmark {
    /// Small calls, one after the other and many at a time.
    Call,
    /// A list of 100,000 files, whole and item by item.
    List,
    /// Large uploads and downloads.
    Transfer,
    /// Waits for many files.
    Wait,
    /// Clean builds.
    Build,
}

impl Args {
    fn has(&self, what: Benchmark) -> bool {
        if self.what.is_empty() { what != Benchmark::Build || !self.quick } else { self.what.contains(&what) }
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
    let clients = Clients::make(&folder)?;
    let server = server::Server::start(&mut Command::new(&clients.bench), &folder)?;
    let bench = jobs::Bench { clients: &clients, folder: &folder, base_url: &server.base_url, extent: &extent };
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
    let waits = if args.has(Benchmark::Wait) { waits::run(&clients.bench, &folder, args.quick)? } else { Vec::new() };
    if args.has(Benchmark::Build) {
        rows.extend(build::run(&folder));
    }
    let mut notes = clients.notes.clone();
    notes.push(format!("this machine: {} cores, load {} when it began", machine["cores"], machine["load"]));
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
        "clients": clients.to_json(),
        "extent": extent.to_json(),
        "rows": rows.iter().map(figures::Row::to_json).collect::<Vec<_>>(),
        "goals": goals::to_json(&rows),
        "waits": waits,
    });
    let path = root().join("target/bench.json");
    std::fs::write(&path, format!("{report:#}\n")).map_err(|error| format!("{}: {error}", path.display()))?;
    print(&format!("\nall figures: target/bench.json ({} s)", began.elapsed().as_secs()));
    Ok(())
}

/// Where everything is made that a run needs; kept, so that the next run finds it.
fn folder() -> Result<PathBuf, NotMeasured> {
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// The commit, and whether the tree differs from it.
fn commit() -> Value {
    let git = |arguments: &[&str]| first_line(Command::new("git").current_dir(root()).args(arguments));
    json!({
        "id": git(&["rev-parse", "HEAD"]),
        "changed": git(&["status", "--porcelain", "--untracked-files=no"]).map(|text| !text.is_empty()),
    })
}

/// The machine, and how many programs wanted to run on it in the minute before.
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
        // The generated client is built with the same lock file.
        "reqwest": locked("reqwest"),
        "hyper": locked("hyper"),
        "serde_json": locked("serde_json"),
        "tokio": locked("tokio"),
        "openapi-generator": openapi_generator::GENERATOR,
    })
}

/// The version of a crate in the workspace's lock file.
fn locked(name: &str) -> Option<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).ok()?;
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    let version = lines.nth(1)?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}
