//! A complete comparison of two documents by oasdiff, when it is installed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::sanitize::single_line;
use crate::process::{self, RunError};

/// A comparison takes less than a second.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Note for a machine without oasdiff.
const NOT_INSTALLED: &str =
    "complete comparison: oasdiff is not on the PATH; go install github.com/oasdiff/oasdiff@latest";

/// Returns the changelog that oasdiff writes for two documents, or a line on why there is none.
pub(super) fn changelog(program: &Path, old: &str, new: &str) -> String {
    compare(program, old, new).unwrap_or_else(|reason| format!("{reason}\n"))
}

fn compare(program: &Path, old: &str, new: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("complete comparison: {error}");
    let folder = tempfile::tempdir().map_err(failed)?;
    let [old_file, new_file] = ["old.json", "new.json"];
    fs::write(folder.path().join(old_file), old).map_err(failed)?;
    fs::write(folder.path().join(new_file), new).map_err(failed)?;
    // A document is untrusted input, so no reference may lead out of it.
    let mut command = Command::new(program);
    command.current_dir(folder.path()).args(["changelog", "--color", "never", "--allow-external-refs=false"]);
    command.args([old_file, new_file]);
    let finished = process::run(&mut command, "oasdiff", folder.path(), TIME_LIMIT).map_err(|error| match error {
        RunError::NotStarted(_) => NOT_INSTALLED.to_owned(),
        RunError::Failed(reason) => format!("complete comparison: {}", single_line(&reason)),
    })?;
    if !finished.success() {
        return Err(format!("complete comparison: oasdiff: {}", single_line(finished.stderr.trim_end())));
    }
    let text = finished.stdout.replace('\t', "  ");
    let lines: Vec<String> = text.lines().map(single_line).collect();
    Ok(format!("complete comparison by oasdiff:\n{}\n", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_command_that_installs_oasdiff() {
        assert_eq!(changelog(Path::new("no-such-oasdiff"), "{}", "{}"), format!("{NOT_INSTALLED}\n"));
    }

    #[cfg(unix)]
    #[test]
    fn shows_the_changelog_without_control_characters() {
        let text = changelog(Path::new("printf"), "{}", "{}");
        assert_eq!(text, "complete comparison by oasdiff:\nchangelog\n");
    }
}
