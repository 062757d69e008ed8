//! `cargo xtask stress`: the SDK against the simulator through real sockets, longer and with more faults than in the integration tests.
//!
//! Without a subcommand, many clients run the whole workflow while a part of all requests fails (`load`). `kill-resume` downloads one large package in
//! processes that are killed during the transfer. `ingest` processes many documents in runs that are killed.

mod ingest;
mod kill_resume;
mod load;
mod pdf_fixture;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Run many clients with many faults, and check that nothing is lost, duplicated or corrupt.
#[derive(Parser)]
#[command(name = "cargo xtask stress", version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(flatten)]
    load: load::Arguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Download one large package in processes that are killed during the transfer
    KillResume(kill_resume::Arguments),
    /// Download a package; the process that is killed
    #[command(hide = true)]
    Fetch(kill_resume::fetch::Arguments),
    /// Process many documents in runs that are killed, and on a full disk
    Ingest(ingest::Arguments),
    /// Process documents; the process that is killed
    #[command(hide = true)]
    IngestRun(ingest::process::Arguments),
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    let seeded = |given: Option<u64>, run: &dyn Fn(u64) -> Result<bool, Failure>| {
        let seed = given.unwrap_or_else(|| fastrand::u64(..1_000_000));
        match run(seed) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => {
                print(&format!("failed; repeat with --seed {seed}"));
                ExitCode::FAILURE
            }
            Err(error) => {
                print(&format!("not run: {error}; repeat with --seed {seed}"));
                ExitCode::from(2)
            }
        }
    };
    match &arguments.command {
        None => seeded(arguments.load.seed, &|seed| load::run(&arguments.load, seed)),
        Some(Command::KillResume(cuts)) => seeded(cuts.seed, &|seed| kill_resume::run(cuts, seed)),
        Some(Command::Fetch(fetch)) => kill_resume::fetch::run(fetch),
        Some(Command::Ingest(campaign)) => seeded(campaign.seed, &|seed| ingest::run(campaign, seed)),
        Some(Command::IngestRun(run)) => ingest::process::run(run),
    }
}

fn print(line: &str) {
    // A closed standard output is no failure of the test.
    let _ = writeln!(std::io::stdout(), "{line}");
}
