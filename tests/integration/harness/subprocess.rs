//! Runs tests that need their own process, for environment variables or for system limits.

use std::path::Path;
use std::process::Command;

const MARKER: &str = "DOCUMINE_TEST_SUBPROCESS";

/// Returns true in the subprocess started for `test`. Otherwise starts it with the shell command `command` and asserts that the test passes there.
pub fn runs_in_subprocess(test: &str, command: &str, environment: &[(&str, &Path)]) -> bool {
    if std::env::var_os(MARKER).is_some() {
        return true;
    }
    let mut process = Command::new("sh");
    process.args(["-c", command]).arg(std::env::current_exe().unwrap()).args([test, "--exact"]);
    // Requests of the subprocess do not count towards operation coverage.
    process.env_remove("DOCUMINE_COVERAGE_FILE").env(MARKER, "1");
    let output = process.envs(environment.iter().copied()).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}
