//! Runs other programs: to their end within a time limit ([`run`]), or in the background until they are dropped ([`Background`]).
//!
//! No program outlives its caller: at the limit, and when a [`Background`] is dropped, the program is killed and reaped. Output goes to files, so that a
//! full pipe never blocks a program and the output of a failed run can be read afterwards.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use shared_child::SharedChild;

/// Number of lines in [`Finished::tail`].
const TAIL_LINES: usize = 40;

/// Status and output of a program that has ended.
pub(crate) struct Finished {
    /// Exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Returns the last lines of the output, for error messages.
    pub(crate) fn tail(&self) -> String {
        let output = format!("{}\n{}", self.stdout.trim_end(), self.stderr.trim_end());
        let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

/// Reason why a program did not run to its end.
#[derive(Debug, PartialEq)]
pub(crate) enum RunError {
    /// The program could not be started, usually because it is not installed.
    NotStarted(String),
    /// The program exceeded the limit, or its output could not be stored.
    Failed(String),
}

impl From<RunError> for String {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NotStarted(reason) | RunError::Failed(reason) => reason,
        }
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> RunError + '_ {
    move |error| RunError::Failed(format!("{}: {error}", path.display()))
}

/// Returns the command of the running cargo, or of the one on the PATH.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Removes the user's own `DOCUMINE_` settings from the environment of a command.
pub(crate) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DOCUMINE_") {
            command.env_remove(name);
        }
    }
}

/// Runs `command` to its end. The output goes to `NAME.out` and `NAME.err` in `folder`.
pub(crate) fn run(command: &mut Command, name: &str, folder: &Path, limit: Duration) -> Result<Finished, RunError> {
    let (out, err) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
    let create = |path: &Path| File::create(path).map_err(failed(path));
    command.stdin(Stdio::null()).stdout(create(&out)?).stderr(create(&err)?);
    let child = spawn(command)?;
    let status = wait(&child, limit).map_err(failed(Path::new(name)))?.ok_or_else(|| {
        RunError::Failed(format!("{name}: still running after {} s; output: {}", limit.as_secs(), out.display()))
    })?;
    let read =
        |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(failed(path));
    Ok(Finished { code: status.code(), stdout: read(&out)?, stderr: read(&err)? })
}

/// Returns the first line that a short program prints. `None`: the program is missing or fails.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
}

fn spawn(command: &mut Command) -> Result<SharedChild, RunError> {
    SharedChild::spawn(command)
        .map_err(|error| RunError::NotStarted(format!("start {}: {error}", command.get_program().to_string_lossy())))
}

/// Waits for the end of a program. At the limit the program is killed, and the result is `None`.
fn wait(child: &SharedChild, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let status = child.wait_timeout(limit)?;
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    Ok(status)
}

/// A program in the background. Dropping the value stops the program.
pub(crate) struct Background {
    child: SharedChild,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// File with the standard error.
    log: PathBuf,
    stop_limit: Duration,
}

impl Background {
    /// Starts `command`; the standard error goes to `NAME.err` in `folder`. A program that ends with its standard input gets `stop_limit` to do so.
    pub(crate) fn start(
        command: &mut Command,
        name: &str,
        folder: &Path,
        stop_limit: Duration,
    ) -> Result<Self, RunError> {
        let log = folder.join(format!("{name}.err"));
        let errors = File::create(&log).map_err(failed(&log))?;
        let child = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors))?;
        let (sender, lines) = mpsc::channel();
        if let Some(output) = child.take_stdout() {
            // Reads to the end even when nothing receives the lines, so that the program never writes to a closed pipe.
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Self { stdin: child.take_stdin(), child, lines, log, stop_limit })
    }

    /// Returns the next line of the standard output. `None`: the output has ended, or the limit has passed.
    pub(crate) fn next_line(&self, limit: Duration) -> Option<String> {
        self.lines.recv_timeout(limit).ok()
    }

    /// Returns the standard error so far.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default().trim_end().to_owned()
    }

    /// Waits for the end of the program. At the limit the program is killed, and the result is `None`.
    pub(crate) fn wait(&self, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
        wait(&self.child, limit)
    }

    /// Closes the standard input and waits for the end of the program; kills it at the limit.
    pub(crate) fn stop(&mut self) {
        drop(self.stdin.take());
        let _ = wait(&self.child, self.stop_limit);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn collects_status_and_output() {
        let folder = tempfile::tempdir().expect("a folder");
        let finished = run(&mut shell("echo out; echo err >&2; exit 3"), "sh", folder.path(), Duration::from_secs(60));
        let finished = finished.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!((finished.code, finished.tail().as_str()), (Some(3), "out\nerr"));
    }

    #[test]
    fn kills_a_program_at_the_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let result = run(&mut shell("exec sleep 60"), "sleep", folder.path(), Duration::from_millis(50));
        assert!(matches!(result, Err(RunError::Failed(reason)) if reason.starts_with("sleep: still running")));
    }

    #[test]
    fn reports_a_missing_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let result = run(&mut Command::new("no-such-program"), "x", folder.path(), Duration::from_secs(60));
        assert!(matches!(result, Err(RunError::NotStarted(reason)) if reason.starts_with("start no-such-program: ")));
        assert_eq!(first_line(&mut Command::new("no-such-program")), None);
    }

    #[test]
    fn background_program_ends_with_its_standard_input() {
        let folder = tempfile::tempdir().expect("a folder");
        let limit = Duration::from_secs(60);
        let mut program = Background::start(&mut shell("echo ready; cat; echo late >&2"), "sh", folder.path(), limit)
            .unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(program.next_line(limit).as_deref(), Some("ready"));
        program.stop();
        assert_eq!(program.errors(), "late");
        assert_eq!(program.next_line(limit), None);
    }
}
