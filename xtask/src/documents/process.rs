//! Programs that are run to their end, within a limit of time.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(10);

/// What a program left behind.
pub(super) struct Finished {
    /// `None`: a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// The cargo that runs this program, or the one in the path.
pub(super) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

/// Runs a program to its end. What it says goes to files called `name` in `folder`, so that no full pipe can hold it up.
pub(super) fn run(command: &mut Command, name: &str, folder: &Path, limit: Duration) -> Result<Finished, String> {
    let (out, err) = (folder.join(format!("{name}.out.txt")), folder.join(format!("{name}.err.txt")));
    let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
    command.stdin(Stdio::null()).stdout(create(&out)?).stderr(create(&err)?);
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut child = command.spawn().map_err(failed)?;
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(format!("{program} did not end within {} s; see {}", limit.as_secs(), err.display()));
        }
        thread::sleep(TICK);
    };
    let read = |path: &Path| match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    };
    Ok(Finished { code: status.code(), stdout: read(&out)?, stderr: read(&err)? })
}
