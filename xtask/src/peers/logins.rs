//! The login stories of `tests/logins`, told at a provider that runs already.

use std::process::Command;
use std::time::Duration;

use super::cache::Cache;
use super::verdict::{Judged, Stop};
use super::{cargo, process, say};

/// The stories take half a minute; each has a limit of its own.
const STORIES: Duration = Duration::from_secs(300);

/// Which stories.
#[derive(clap::Args)]
pub(super) struct Choice {
    /// Only the stories whose name holds this word (may be repeated).
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// Only start the provider, say where it is, and stop it when Enter is pressed.
    #[arg(long)]
    wait: bool,
}

impl Choice {
    /// Where somebody only wants to look at the provider, waits until they have.
    pub(super) fn waits(&self, base_url: &str) -> bool {
        if self.wait {
            say(&format!("{base_url}/auth/realms/acme and {base_url}/auth/realms/acme-short; Enter stops it"));
            let _ = std::io::stdin().read_line(&mut String::new());
        }
        self.wait
    }
}

/// Tells them at `provider`, the arguments of `documine-logins`, and gives its last line.
pub(super) fn tell(cache: &Cache, choice: &Choice, provider: &[&str]) -> Judged {
    let program = cargo::program(&cache.folder, "--bin", "documine-logins", "documine-logins")?;
    let command = &mut Command::new(program);
    for word in &choice.only {
        command.args(["--only", word]);
    }
    // All at once would be a rush that no provider sees, and too much for a small machine.
    command.args(["--at-once", "8"]).args(provider);
    let finished = process::run(command, "logins", &cache.folder, STORIES)?;
    let lines: Vec<&str> = finished.stdout.lines().collect();
    for line in &lines {
        say(&format!("        {line}"));
    }
    let sum = lines.last().copied().unwrap_or_default();
    if finished.success {
        return Ok(sum.to_owned());
    }
    let bad: Vec<&str> = lines.iter().copied().filter(|line| line.starts_with("FAILED")).collect();
    Err(Stop::Failed(format!("{sum}\n{}\n{}", bad.join("\n"), finished.stderr.trim_end())))
}
