//! The workspace's own commands, run as `cargo xtask COMMAND`.
//!
//! One module a subcommand. Nothing here needs the crates of the workspace to compile, so that `regen` still works when
//! generation is broken.

#![cfg_attr(test, allow(clippy::expect_used, clippy::panic))]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use documine_codegen::{self as passes, code, yaml};

mod bench;
mod campaign;
mod documents;
mod peers;
mod regen;
#[cfg(test)]
mod tests;

/// The workspace's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make openapi/documine.json, which the build reads: from openapi/documine.yaml, or `--from` a document of yours.
    Regen(regen::Args),
    /// Hold `regen` and the build against documents that differ from ours in many ways.
    Documents(documents::Args),
    /// Measure what calls cost, beside hand-written reqwest and a generated client.
    Bench(bench::Args),
    /// Let many clients work while much goes wrong, and look whether anything was lost, doubled or corrupt.
    Campaign(campaign::Args),
    /// Run programs by others that tell whether ours is right.
    #[command(subcommand)]
    Peers(peers::Peer),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Regen(args) => regen::run(&args),
        Command::Documents(args) => documents::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Campaign(args) => campaign::run(&args),
        Command::Peers(peer) => peers::run(&peer),
    }
}
