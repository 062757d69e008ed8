//! `cargo xtask conformance keyring`: the store in the platform's keyring, with a real one (GNOME's) that is open, and one that is locked.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use super::cache::Cache;
use super::cargo::{self, Built};
use super::process;
use super::report::{CheckError, CheckResult, Report, failed, strict};
use super::{root, script};

/// It takes less than a second.
const LIMIT: Duration = Duration::from_secs(60);
const HELP: &str = "needs D-Bus and GNOME's keyring (Debian: apt install dbus gnome-keyring)";

/// Asks both keyrings and says how it ended.
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    match Cache::open() {
        Err(stop) => report.add("cache", &Err(stop)),
        Ok(cache) => {
            match program(&cache.folder) {
                Err(stop) => report.add("build", &Err(stop)),
                Ok(program) => {
                    for sort in ["open", "locked"] {
                        report.add(&format!("a keyring that is {sort}"), &ask(&cache.folder, sort, &program));
                    }
                }
            }
            cache.close(false);
        }
    }
    report.finish("keyring", strict())
}

fn program(folder: &Path) -> Result<std::path::PathBuf, CheckError> {
    let command = &mut cargo::cargo(&root());
    command.args(["build", "--quiet", "--message-format", "json-render-diagnostics", "--package", "documine"]);
    let built = Built::run(command.args(["--features", "keyring", "--test", "keyring"]), "build", folder)?;
    match built.failure() {
        Some(reason) => Err(CheckError::Failed(reason.to_owned())),
        None => built.program("keyring"),
    }
}

/// With a home and a bus of its own.
fn ask(folder: &Path, sort: &str, program: &Path) -> CheckResult {
    let missing = |stop| match stop {
        CheckError::NotRun(why) => CheckError::NotRun(format!("{why}; {HELP}")),
        failed @ CheckError::Failed(_) => failed,
    };
    for needed in ["dbus-daemon", "gnome-keyring-daemon"] {
        process::run(Command::new(needed).arg("--version"), "version", folder, LIMIT).map_err(missing)?;
    }
    let home = folder.join(sort);
    std::fs::create_dir_all(&home).map_err(failed("a home"))?;
    let mut command = Command::new("bash");
    command.arg(script("keyring.sh")).arg(sort).arg(program);
    command.env("HOME", &home).env("XDG_RUNTIME_DIR", &home);
    for name in ["XDG_DATA_HOME", "XDG_STATE_HOME", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
    let finished = process::run(&mut command, &format!("{sort}-said"), folder, LIMIT)?;
    if finished.success { Ok("as expected".into()) } else { Err(CheckError::Failed(finished.tail())) }
}
