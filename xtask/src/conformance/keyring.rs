//! `cargo xtask conformance keyring`: the token store in the platform's keyring, with an unlocked and a locked keyring of GNOME.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use super::cache::asset;
use super::cargo::{self, BuildOutput};
use super::error::{CheckError, CheckResult, failed};
use super::report::Report;
use crate::process;
use crate::workspace::root;

/// A run takes less than a second.
const LIMIT: Duration = Duration::from_secs(60);
const HELP: &str = "needs D-Bus and GNOME's keyring (Debian: apt install dbus gnome-keyring)";

/// Runs the suite.
pub(crate) fn run() -> ExitCode {
    Report::run("keyring", |cache, report| match program(&cache.folder) {
        Err(error) => report.add("build", &Err(error)),
        Ok(program) => {
            for state in ["open", "locked"] {
                report.add(&format!("{state} keyring"), &check(&cache.folder, state, &program));
            }
        }
    })
}

fn program(folder: &Path) -> Result<std::path::PathBuf, CheckError> {
    let command = &mut cargo::cargo(&root());
    command.args(["build", "--quiet", "--message-format", "json-render-diagnostics", "--package", "documine"]);
    let built = BuildOutput::run(command.args(["--features", "keyring", "--test", "keyring"]), "build", folder)?;
    match built.failure() {
        Some(reason) => Err(CheckError::Failed(reason.to_owned())),
        None => built.program("keyring"),
    }
}

/// Runs the test with its own home folder and its own bus.
fn check(folder: &Path, state: &str, program: &Path) -> CheckResult {
    for needed in ["dbus-daemon", "gnome-keyring-daemon"] {
        process::run(Command::new(needed).arg("--version"), "version", folder, LIMIT)
            .map_err(|error| CheckError::from(error).with_help(HELP))?;
    }
    let home = folder.join(state);
    std::fs::create_dir_all(&home).map_err(failed("create a home folder"))?;
    let mut command = Command::new("bash");
    command.arg(asset("keyring.sh")).arg(state).arg(program);
    command.env("HOME", &home).env("XDG_RUNTIME_DIR", &home);
    for name in ["XDG_DATA_HOME", "XDG_STATE_HOME", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
    let finished = process::run(&mut command, &format!("{state}-output"), folder, LIMIT)?;
    if finished.success() { Ok("as expected".into()) } else { Err(CheckError::Failed(finished.tail())) }
}
