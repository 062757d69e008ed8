//! `cargo xtask stress`: runs the program `tests/stress`.

use std::process::ExitCode;

/// Options of `stress`.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Options of the program: `--minutes M`, `--operations N`, `--clients N`, `--share P`, `--seed S`, or `kill-resume` or `ingest` with its own options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let mut cargo = crate::process::cargo();
    cargo
        .args(["run", "--quiet", "--package", "documine-stress", "--bin", "documine-stress", "--"])
        .args(&args.options);
    match cargo.status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)),
        Err(error) => {
            crate::workspace::print_error(&format!("start cargo: {error}"));
            ExitCode::from(2)
        }
    }
}
