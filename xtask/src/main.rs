//! Developer commands of the workspace, run as `cargo xtask COMMAND`.
//!
//! Each command has a module. No crate of the workspace that generation could break is a dependency, so that `regen` still works then.

#![cfg_attr(test, allow(clippy::expect_used, clippy::panic))]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use documine_codegen::{self as passes, code, yaml};

mod bench;
mod conformance;
mod documents;
mod process;
mod public_api;
mod regen;
mod stress;
mod style;
#[cfg(test)]
mod tests;
mod workspace;

/// Developer commands of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write openapi/documine.json, which the build reads, from openapi/documine.yaml or from a document of the user.
    Regen(regen::Args),
    /// Check `regen` and the build with documents that differ from the reconstruction.
    Documents(documents::Args),
    /// Measure the SDK, compared with hand-written reqwest and a generated client.
    Bench(bench::Args),
    /// Run many clients with many faults, and check that nothing is lost, duplicated or corrupt.
    Stress(stress::Args),
    /// Run independent programs that validate the document, the simulator and the SDK.
    #[command(subcommand)]
    Conformance(conformance::Suite),
    /// List the public items of `documine` in documine/public-api.txt, or compare them with that file.
    PublicApi(public_api::Args),
    /// Measure doc comments, comments, error texts and Markdown by the rules of style.
    Style(style::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Regen(args) => regen::run(&args),
        Command::Documents(args) => documents::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Stress(args) => stress::run(&args),
        Command::Conformance(suite) => conformance::run(&suite),
        Command::PublicApi(args) => public_api::run(&args),
        Command::Style(args) => style::run(&args),
    }
}
