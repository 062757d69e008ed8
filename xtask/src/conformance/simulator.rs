//! The simulator as a server of a run.

use std::path::Path;
use std::process::Command;

use super::cache::{self, Cache, asset};
use super::cargo;
use super::error::CheckError;
use super::server::Server;

/// Builds and starts the simulator. The script `stop_with_stdin.py` stops it when this process ends.
pub(super) fn start(cache: &Cache, python: &Path, options: &[&str]) -> Result<Server, CheckError> {
    let program = cargo::program(&cache.folder, "--bin", "documine-sim", "documine-sim")?;
    let command = &mut Command::new(python);
    command.arg(asset("stop_with_stdin.py")).arg(program).args(["--listen", "127.0.0.1:0"]).args(options);
    Server::start(command, "simulator", &cache.folder).map_err(cache::without_python)
}
