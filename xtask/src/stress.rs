//! `cargo xtask stress`: many clients, many faults, and nothing lost, doubled or corrupt. The program is `tests/stress`; this only runs it.

use std::process::{Command, ExitCode};

/// Options of `campaign`: those of the program. `--help` shows them.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Handed to the program: `--minutes M`, `--operations N`, `--clients N`, `--share P`, `--seed S`; or `cuts`, which has options of its own
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

#[expect(clippy::print_stderr, reason = "the command's complaint")]
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["run", "--quiet", "--package", "documine-stress", "--bin", "documine-stress", "--"])
        .args(&args.options);
    match cargo.status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)),
        Err(error) => {
            eprintln!("cargo can't be started: {error}");
            ExitCode::from(2)
        }
    }
}
