//! `cargo xtask stress`: the SDK against the simulator, through real sockets, for longer and with more going wrong than a story has room for.
//!
//! Without a command many clients do the whole job while a good part of all requests goes wrong (`crowd`); `cuts` fetches one large package in
//! processes that are killed on their way.

mod crowd;
mod kill_resume;
mod paper;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Many clients, many faults, and nothing lost, doubled or corrupt.
#[derive(Parser)]
#[command(name = "cargo xtask stress", version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(flatten)]
    crowd: crowd::Arguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// One large package, fetched by processes that are killed on their way
    KillResume(kill_resume::Arguments),
    /// Such a process
    #[command(hide = true)]
    Fetch(kill_resume::fetch::Arguments),
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    let seeded = |given: Option<u64>, run: &dyn Fn(u64) -> Result<bool, Failure>| {
        let seed = given.unwrap_or_else(|| fastrand::u64(..1_000_000));
        match run(seed) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => {
                print(&format!("failed; again with --seed {seed}"));
                ExitCode::FAILURE
            }
            Err(error) => {
                print(&format!("could not be run: {error}; again with --seed {seed}"));
                ExitCode::from(2)
            }
        }
    };
    match &arguments.command {
        None => seeded(arguments.crowd.seed, &|seed| crowd::run(&arguments.crowd, seed)),
        Some(Command::KillResume(cuts)) => seeded(cuts.seed, &|seed| kill_resume::run(cuts, seed)),
        Some(Command::Fetch(fetch)) => kill_resume::fetch::run(fetch),
    }
}

fn print(line: &str) {
    // Nothing can be said any more if standard output is closed.
    let _ = writeln!(std::io::stdout(), "{line}");
}
