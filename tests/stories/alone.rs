//! Stories that need a process of their own: for its environment, or for what its system allows it.

use std::path::Path;
use std::process::Command;

const ALONE: &str = "DOCUMINE_STORY_ALONE";

/// Whether this is the process that was started for the story. If not, starts it with `line`, a line of `sh`, and sees to it that the story ends well there.
pub fn is_alone(story: &str, line: &str, environment: &[(&str, &Path)]) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut process = Command::new("sh");
    process.args(["-c", line]).arg(std::env::current_exe().unwrap()).args([story, "--exact"]);
    // What it asks for is counted by nobody.
    process.env_remove("DOCUMINE_COVERAGE_FILE").env(ALONE, "1");
    let ran = process.envs(environment.iter().copied()).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    false
}
