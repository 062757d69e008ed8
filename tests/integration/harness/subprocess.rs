//! Stories that need a process of their own: for its environment, or for what its system allows it.

use std::path::Path;
use std::process::Command;

const MARKER: &str = "DOCUMINE_STORY_ALONE";

/// Whether this is the process that was started for the story. If not, starts it with `line`, a line of `sh`, and sees to it that the story ends well there.
pub fn runs_in_subprocess(test: &str, command: &str, environment: &[(&str, &Path)]) -> bool {
    if std::env::var_os(MARKER).is_some() {
        return true;
    }
    let mut process = Command::new("sh");
    process.args(["-c", command]).arg(std::env::current_exe().unwrap()).args([test, "--exact"]);
    // What it asks for is counted by nobody.
    process.env_remove("DOCUMINE_COVERAGE_FILE").env(MARKER, "1");
    let output = process.envs(environment.iter().copied()).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    false
}
