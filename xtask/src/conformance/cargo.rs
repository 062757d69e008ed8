//! Builds programs of a workspace with cargo.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::error::CheckError;
use crate::process::{self, Finished};
use crate::workspace::root;

const LIMIT: Duration = Duration::from_secs(1200);

/// Returns the command of the running cargo in `workspace`.
pub(super) fn cargo(workspace: &Path) -> Command {
    let mut command = process::cargo();
    command.current_dir(workspace);
    command
}

/// Output of a build.
pub(super) struct BuildOutput {
    finished: Finished,
    messages: Vec<Value>,
}

impl BuildOutput {
    /// Runs `command`, a `cargo build` with JSON messages. The output goes to files in `folder`.
    pub(super) fn run(command: &mut Command, name: &str, folder: &Path) -> Result<Self, CheckError> {
        let finished = process::run(command, name, folder, LIMIT)?;
        let messages = finished.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Self { finished, messages })
    }

    /// Returns rustc's warnings and errors about the crates of the workspace.
    pub(super) fn diagnostics(&self, workspace: &Path) -> Vec<&str> {
        let is_of_workspace = |message: &&Value| {
            message["reason"] == "compiler-message"
                && message["manifest_path"].as_str().is_some_and(|path| Path::new(path).starts_with(workspace))
        };
        self.messages
            .iter()
            .filter(is_of_workspace)
            .filter_map(|message| message["message"]["rendered"].as_str())
            .collect()
    }

    /// Returns the standard error of a failed build.
    pub(super) fn failure(&self) -> Option<&str> {
        (!self.finished.success()).then(|| self.finished.stderr.trim_end())
    }

    /// Returns the path of a program or example. A program that is started directly, not through cargo, is a child of this process.
    pub(super) fn program(&self, name: &str) -> Result<PathBuf, CheckError> {
        let of_name = |message: &&Value| message["target"]["name"] == name;
        self.messages
            .iter()
            .filter(of_name)
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .next_back()
            .ok_or_else(|| CheckError::Failed(format!("build {name}: cargo reported no program")))
    }

    /// Returns the `OUT_DIR` of the package whose id contains `name`.
    pub(super) fn out_dir(&self, name: &str) -> Option<PathBuf> {
        let of_name = |message: &&Value| {
            message["reason"] == "build-script-executed"
                && message["package_id"].as_str().is_some_and(|id| id.contains(name))
        };
        self.messages.iter().filter(of_name).find_map(|message| message["out_dir"].as_str().map(PathBuf::from))
    }
}

/// Builds a program of this workspace and returns its path.
pub(super) fn program(folder: &Path, kind: &str, package: &str, name: &str) -> Result<PathBuf, CheckError> {
    let command = &mut cargo(&root());
    command.args(["build", "--quiet", "--message-format", "json-render-diagnostics"]);
    let built = BuildOutput::run(command.args(["--package", package, kind, name]), "build", folder)?;
    match built.failure() {
        Some(reason) => Err(CheckError::Failed(format!("build {name}\n{reason}"))),
        None => built.program(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ignores_messages_of_other_workspaces() {
        let message = |reason: &str, path: &str, text: &str| json!({"reason": reason, "manifest_path": path, "message": {"rendered": text}});
        let built = BuildOutput {
            finished: Finished { code: Some(0), stdout: String::new(), stderr: String::new() },
            messages: vec![
                message("compiler-message", "/copy/documine/Cargo.toml", "ours"),
                message("compiler-message", "/copy-of-another/Cargo.toml", "other"),
                message("compiler-artifact", "/copy/Cargo.toml", "no diagnostic"),
                json!({"reason": "compiler-artifact", "target": {"name": "pipeline"}, "executable": null}),
                json!({"reason": "compiler-artifact", "target": {"name": "pipeline"}, "executable": "/t/pipeline"}),
                json!({"reason": "build-script-executed", "package_id": "path+file:///copy#documine-api@0.1.0", "out_dir": "/t/out"}),
            ],
        };
        assert_eq!(built.diagnostics(Path::new("/copy")), ["ours"]);
        assert_eq!(built.program("pipeline"), Ok(PathBuf::from("/t/pipeline")));
        assert!(built.program("other").is_err());
        assert_eq!(built.out_dir("#documine-api@"), Some(PathBuf::from("/t/out")));
        assert_eq!(built.failure(), None);
    }
}
