//! Programs that are run to their end, within a time limit.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::report::{CheckError, failed};

/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(20);

/// What a program left behind.
pub(super) struct Finished {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Finished {
    /// The end of what it said, for a reader who has to find out what went wrong.
    pub(super) fn tail(&self) -> String {
        let all = format!("{}\n{}", self.stdout.trim_end(), self.stderr.trim_end());
        let lines: Vec<&str> = all.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

/// Runs `command` to its end. Its output goes through files in `folder`, so that no full pipe can hold it up.
///
/// A program that is not there gives `CheckError::NotRun`.
pub(super) fn run(command: &mut Command, name: &str, folder: &Path, limit: Duration) -> Result<Finished, CheckError> {
    let out = folder.join(format!("{name}.out"));
    let err = folder.join(format!("{name}.err"));
    let create = |path: &Path| File::create(path).map_err(failed(&path.display().to_string()));
    command.stdin(Stdio::null()).stdout(create(&out)?).stderr(create(&err)?);
    let mut child = command.spawn().map_err(|error| {
        let program = command.get_program().to_string_lossy();
        CheckError::NotRun(format!("{program} can't be started: {error}"))
    })?;
    let status = end(&mut child, limit).map_err(failed(name))?.ok_or_else(|| {
        CheckError::Failed(format!(
            "{name} did not end within {} s; its output is in {}",
            limit.as_secs(),
            out.display()
        ))
    })?;
    let read = |path: &Path| {
        std::fs::read(path)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(failed(&path.display().to_string()))
    };
    Ok(Finished { success: status.success(), stdout: read(&out)?, stderr: read(&err)? })
}

/// The settings of whoever runs this are not the test's.
pub(super) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DOCUMINE_") {
            command.env_remove(name);
        }
    }
}

/// Waits for the end of `child`; at the limit it is killed and the answer is `None`.
pub(super) fn end(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(TICK);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep starts");
        let status = end(&mut child, Duration::from_millis(50)).expect("it can be waited for");
        assert!(status.is_none());
        assert!(child.try_wait().expect("it was waited for").is_some());
    }
}
