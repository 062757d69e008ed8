//! A complete comparison of two documents by oasdiff, when it is installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::sanitize::single_line;

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
    let output = fs::write(folder.path().join(old_file), old)
        .and_then(|()| fs::write(folder.path().join(new_file), new))
        .and_then(|()| {
            // A document is untrusted input, so that no reference may lead out of it.
            let command = &mut Command::new(program);
            command.current_dir(folder.path()).args(["changelog", "--color", "never", "--allow-external-refs=false"]);
            command.args([old_file, new_file]).output()
        });
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(NOT_INSTALLED.to_owned()),
        other => other.map_err(failed)?,
    };
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(format!("complete comparison: oasdiff: {}", single_line(message.trim_end())));
    }
    let text = String::from_utf8_lossy(&output.stdout).replace('\t', "  ");
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
