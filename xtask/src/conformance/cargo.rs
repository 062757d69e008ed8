//! Programs of a workspace, built by cargo.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::process::{self, Finished};
use super::report::CheckError;

const LIMIT: Duration = Duration::from_secs(1200);

/// The cargo that runs us, to be started in `workspace`.
pub(super) fn cargo(workspace: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace);
    command
}

/// What cargo told while it built.
pub(super) struct Built {
    finished: Finished,
    messages: Vec<Value>,
}

impl Built {
    /// Runs `command`, a `cargo build` with messages in JSON. Its output goes to files in `folder`.
    pub(super) fn run(command: &mut Command, name: &str, folder: &Path) -> Result<Self, CheckError> {
        let finished = process::run(command, name, folder, LIMIT)?;
        let messages = finished.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Self { finished, messages })
    }

    /// What rustc said about the crates of the workspace, warnings and errors, as it would show them.
    pub(super) fn diagnostics(&self, workspace: &Path) -> Vec<&str> {
        let of_ours = |message: &&Value| {
            message["reason"] == "compiler-message"
                && message["manifest_path"].as_str().is_some_and(|path| Path::new(path).starts_with(workspace))
        };
        self.messages.iter().filter(of_ours).filter_map(|message| message["message"]["rendered"].as_str()).collect()
    }

    /// Cargo's own complaints, where it failed.
    pub(super) fn failure(&self) -> Option<&str> {
        (!self.finished.success).then(|| self.finished.stderr.trim_end())
    }

    /// Where the program (or example) of this name is; started directly and not through cargo, it is our own child.
    pub(super) fn program(&self, name: &str) -> Result<PathBuf, CheckError> {
        let of_name = |message: &&Value| message["target"]["name"] == name;
        self.messages
            .iter()
            .filter(of_name)
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .next_back()
            .ok_or_else(|| CheckError::Failed(format!("cargo named no program {name}")))
    }

    /// The folder that the build script of the package whose id holds `name` wrote to.
    pub(super) fn out_dir(&self, name: &str) -> Option<PathBuf> {
        let of_name = |message: &&Value| {
            message["reason"] == "build-script-executed"
                && message["package_id"].as_str().is_some_and(|id| id.contains(name))
        };
        self.messages.iter().filter(of_name).find_map(|message| message["out_dir"].as_str().map(PathBuf::from))
    }
}

/// Builds one program of this workspace and returns where it is.
pub(super) fn program(folder: &Path, kind: &str, package: &str, name: &str) -> Result<PathBuf, CheckError> {
    let command = &mut cargo(&super::root());
    command.args(["build", "--quiet", "--message-format", "json-render-diagnostics"]);
    let built = Built::run(command.args(["--package", package, kind, name]), "build", folder)?;
    match built.failure() {
        Some(reason) => Err(CheckError::Failed(format!("{name} does not build\n{reason}"))),
        None => built.program(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_of_other_crates_are_not_ours() {
        let message = |reason: &str, path: &str, text: &str| json!({"reason": reason, "manifest_path": path, "message": {"rendered": text}});
        let built = Built {
            finished: Finished { success: true, stdout: String::new(), stderr: String::new() },
            messages: vec![
                message("compiler-message", "/copy/documine/Cargo.toml", "ours"),
                message("compiler-message", "/copy-of-another/Cargo.toml", "not ours"),
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
