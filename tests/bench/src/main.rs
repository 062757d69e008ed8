//! Does one job with one client, or serves what all clients ask for. `cargo xtask bench` runs it many times and compares.
//!
//! ```text
//! documine-bench serve                                                       a line of JSON with base_url when it is ready
//! documine-bench waits                                                       lines of JSON, in simulated time
//! documine-bench --client ours --job call --base-url URL --count 1000        a line of JSON with what it took
//! ```
//!
//! The third client is what openapi-generator makes from our document. It is a program of its own, made anew for each run from
//! `rival/`, with the same jobs (`jobs.rs`).

mod hand_written;
mod jobs;
mod ours;
mod server;
mod waits;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use jobs::Job;

/// Does one job with one client and says what it took.
#[derive(Parser)]
#[command(name = "documine-bench", version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Who does it.
    #[arg(long, value_enum, required = true)]
    client: Option<Choice>,
    #[command(flatten)]
    job: Option<Job>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the answers until standard input ends.
    Serve,
    Waits(waits::Waits),
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    /// The crate `documine`.
    Ours,
    /// What a careful person writes with reqwest and serde.
    Reqwest,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match (arguments.command, arguments.client, arguments.job) {
        (Some(Command::Serve), _, _) => server::run(),
        (Some(Command::Waits(waits)), _, _) => waits.run(),
        (None, Some(Choice::Ours), Some(job)) => job.run(ours::Ours::new),
        (None, Some(Choice::Reqwest), Some(job)) => job.run(hand_written::HandWritten::new),
        (None, _, _) => Err("give --client and a job, or serve; see --help".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be said any more if standard error is closed.
            let _ = writeln!(std::io::stderr(), "documine-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
