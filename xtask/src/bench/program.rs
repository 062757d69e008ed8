//! Runs the programs of a benchmark.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::figures::NotMeasured;
use crate::process;

/// Runs `command` to its end and returns its standard output. The error of a failed program is the end of its output.
pub(super) fn output(command: &mut Command, name: &str, folder: &Path, limit: Duration) -> Result<String, NotMeasured> {
    let finished = process::run(command, name, folder, limit)?;
    if finished.success() { Ok(finished.stdout) } else { Err(format!("{name} failed\n{}", finished.tail())) }
}

/// Returns cargo without the settings of this run and without the caller's document.
pub(super) fn cargo() -> Command {
    let mut command = process::cargo();
    command.env_remove("DOCUMINE_OPENAPI").env_remove("CARGO_TARGET_DIR");
    command
}

/// Adds line numbers to release builds, for profiles.
pub(super) fn optimized(cargo: &mut Command) -> &mut Command {
    cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only")
}
