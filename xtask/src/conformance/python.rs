//! Python without any package, for the scripts that keep servers on a leash.

use super::report::CheckError;

const HELP: &str = "needs Python 3.10 or newer (Debian: apt install python3)";

/// The program.
pub(super) fn program() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

/// Says how to get it, where it is what could not be started.
pub(super) fn missing(stop: CheckError) -> CheckError {
    match stop {
        CheckError::NotRun(reason) => CheckError::NotRun(format!("{HELP}\n{reason}")),
        failed @ CheckError::Failed(_) => failed,
    }
}
