//! Programs that are run to their end, within a time limit.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::Missing;

/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Runs `command` to its end and gives what it wrote on standard output. What it writes goes through files in `folder`, so that no full
/// pipe holds it up; of a failure, the end of that is the reason.
pub(super) fn run(command: &mut Command, name: &str, folder: &Path, limit: Duration) -> Result<String, Missing> {
    let (out, err) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
    let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
    command.stdin(Stdio::null()).stdout(create(&out)?).stderr(create(&err)?);
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|error| format!("{program} can't be started: {error}"))?;
    let status = end(&mut child, limit).map_err(|error| format!("{name}: {error}"))?;
    let read = |path: &Path| std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let said = read(&out).unwrap_or_default();
    match status {
        Some(status) if status.success() => Ok(said),
        Some(status) => {
            let trouble = read(&err).unwrap_or_default();
            Err(format!("{name} failed ({status})\n{}", tail(&format!("{}\n{}", said.trim_end(), trouble.trim_end()))))
        }
        None => Err(format!("{name} did not end within {} s", limit.as_secs())),
    }
}

/// The first line that a short program writes, on standard output or else on standard error; `None` when it is not there.
pub(super) fn line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
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

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
