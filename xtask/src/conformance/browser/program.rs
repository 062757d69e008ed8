//! A program that says what it does, one JSON object a line on standard output.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;

use crate::conformance::process::end;
use crate::conformance::report::{CheckError, failed};

/// Longer than the pauses between two polls of a device login.
const LIMIT: Duration = Duration::from_secs(30);

/// A running program. Dropping it ends it.
pub(super) struct Program {
    child: Child,
    lines: Receiver<Value>,
    /// What it has said so far.
    told: Vec<Value>,
    log: PathBuf,
}

impl Program {
    /// Starts `command`; what it says on standard error goes to `NAME.err` in `folder`.
    pub(super) fn start(command: &mut Command, name: &str, folder: &Path) -> Result<Self, CheckError> {
        let log = folder.join(format!("{name}.err"));
        let errors = File::create(&log).map_err(failed(&log.display().to_string()))?;
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn().map_err(failed(name))?;
        let (sender, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if serde_json::from_str(&line).is_ok_and(|line| sender.send(line).is_err()) {
                        break;
                    }
                }
            });
        }
        Ok(Self { child, lines, told: Vec::new(), log })
    }

    /// Waits for this event.
    pub(super) fn event(&mut self, name: &str) -> Result<Value, CheckError> {
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            self.told.push(line.clone());
            if line["event"] == name {
                return Ok(line);
            }
        }
        Err(self.broken(&format!("the program did not get to {name}")))
    }

    /// Waits until it has ended, and gives all that it said.
    pub(super) fn end(&mut self) -> Result<Vec<Value>, CheckError> {
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            self.told.push(line);
        }
        match end(&mut self.child, LIMIT).map_err(failed("the program"))? {
            Some(_) => Ok(std::mem::take(&mut self.told)),
            None => Err(self.broken("the program did not come to its end")),
        }
    }

    fn broken(&self, what: &str) -> CheckError {
        let told: Vec<String> = self.told.iter().map(ToString::to_string).collect();
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        CheckError::Failed(format!("{what}\n{}\n{}", told.join("\n"), said.trim_end()))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn events_are_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let script =
            r#"echo '{"event": "a"}'; echo no; echo '{"event": "b", "n": 1}'; echo '{"event": "c"}'; echo trouble >&2"#;
        let start = || Program::start(Command::new("sh").args(["-c", script]), "sh", folder.path()).expect("starts");
        let mut program = start();
        assert_eq!(program.event("b").expect("comes")["n"], 1);
        assert_eq!(program.end().expect("ends").len(), 3);
        let Err(CheckError::Failed(why)) = start().event("d") else { panic!("there is no such event") };
        assert!(why.contains("get to d") && why.contains("trouble"), "{why}");
    }
}
