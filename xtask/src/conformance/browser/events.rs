//! A program that reports its progress as lines of JSON on standard output.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::conformance::error::{CheckError, failed};
use crate::process::Background;

/// Longer than the interval between two polls of a device login.
const LIMIT: Duration = Duration::from_secs(30);

/// A running program. Dropping the value kills the program.
pub(super) struct EventSource {
    process: Background,
    /// Events so far.
    events: Vec<Value>,
}

impl EventSource {
    /// Starts `command`; the standard error goes to `NAME.err` in `folder`.
    pub(super) fn start(command: &mut Command, name: &str, folder: &Path) -> Result<Self, CheckError> {
        let process = Background::start(command, name, folder, Duration::ZERO)?;
        Ok(Self { process, events: Vec::new() })
    }

    /// Waits for the event of this name.
    pub(super) fn wait_for(&mut self, name: &str) -> Result<Value, CheckError> {
        while let Some(event) = self.next() {
            if event["event"] == name {
                return Ok(event);
            }
        }
        Err(self.error(&format!("the program did not report {name}")))
    }

    /// Waits for the end of the program and returns all events.
    pub(super) fn finish(&mut self) -> Result<Vec<Value>, CheckError> {
        while self.next().is_some() {}
        match self.process.wait(LIMIT).map_err(failed("the program"))? {
            Some(_) => Ok(std::mem::take(&mut self.events)),
            None => Err(self.error("the program did not end")),
        }
    }

    /// Returns the next line that is JSON.
    fn next(&mut self) -> Option<Value> {
        loop {
            let line = self.process.next_line(LIMIT)?;
            if let Ok(event) = serde_json::from_str::<Value>(&line) {
                self.events.push(event.clone());
                return Some(event);
            }
        }
    }

    fn error(&self, reason: &str) -> CheckError {
        let events: Vec<String> = self.events.iter().map(ToString::to_string).collect();
        CheckError::Failed(format!("{reason}\n{}\n{}", events.join("\n"), self.process.errors()))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn waits_for_events() {
        let folder = tempfile::tempdir().expect("a folder");
        let script =
            r#"echo '{"event": "a"}'; echo no; echo '{"event": "b", "n": 1}'; echo '{"event": "c"}'; echo failure >&2"#;
        let start = || EventSource::start(Command::new("sh").args(["-c", script]), "sh", folder.path());
        let mut program = start().expect("starts");
        assert_eq!(program.wait_for("b").expect("comes")["n"], 1);
        assert_eq!(program.finish().expect("ends").len(), 3);
        let Err(CheckError::Failed(reason)) = start().expect("starts").wait_for("d") else { panic!("no such event") };
        assert!(reason.contains("report d") && reason.contains("failure"), "{reason}");
    }
}
