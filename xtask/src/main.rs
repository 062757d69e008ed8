//! The workspace's own commands, run as `cargo xtask COMMAND`.
//!
//! One module a subcommand. Nothing here needs the crates of the workspace to compile, so that `regen` still works when
//! generation is broken.

#![cfg_attr(test, allow(clippy::expect_used, clippy::panic))]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

// The passes are the ones the build script runs. `src/passes` is a link to `openapi/passes`, so that cargo finds them when it packages
// the workspace.
mod bench;
#[path = "passes/code/mod.rs"]
mod code;
mod conformance;
mod documents;
mod passes;
mod process;
mod regen;
mod stress;
mod style;
#[cfg(test)]
mod tests;
mod workspace;
#[path = "passes/yaml.rs"]
mod yaml;

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
    Stress(stress::Args),
    /// Run programs by others that tell whether ours is right.
    #[command(subcommand)]
    Conformance(conformance::Suite),
    /// Measure doc comments, comments, error texts and Markdown against the rules of style.
    Style(style::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Regen(args) => regen::run(&args),
        Command::Documents(args) => documents::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Stress(args) => stress::run(&args),
        Command::Conformance(suite) => conformance::run(&suite),
        Command::Style(args) => style::run(&args),
    }
}
