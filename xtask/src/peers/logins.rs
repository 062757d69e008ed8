//! The login stories of `tests/logins`, told at a provider that others wrote.

use std::process::{Command, ExitCode};
use std::time::Duration;

use super::cache::Cache;
use super::server::Server;
use super::verdict::{Judged, Stop, Tally, strict};
use super::{cargo, process, say};

/// The stories take half a minute; each has a limit of its own.
const STORIES: Duration = Duration::from_secs(300);

/// Options of a telling.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the stories whose name holds this word (may be repeated).
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// Only start the provider, say where it is, and stop it when Enter is pressed.
    #[arg(long)]
    wait: bool,
}

/// A provider to tell them at.
pub(super) struct Provider {
    /// Its name for `cargo xtask peers` and for `documine-logins`.
    pub(super) name: &'static str,
    /// The same for people, with its version.
    pub(super) title: &'static str,
    pub(super) start: fn(&Cache) -> Result<Server, Stop>,
    /// What of its ready line `documine-logins` has to know.
    pub(super) addresses: &'static [&'static str],
}

impl Provider {
    /// Starts it, tells the stories and says how it ended.
    pub(super) fn run(&self, args: &Args) -> ExitCode {
        let mut tally = Tally::default();
        match Cache::open() {
            Err(stop) => tally.add("cache", &Err(stop)),
            Ok(cache) => {
                let judged = self.tell(&cache, args);
                let keep = matches!(judged, Err(Stop::Failed(_)));
                tally.add(&format!("logins at {}", self.title), &judged);
                if keep {
                    say(&format!("outputs of this run: {}", cache.folder.display()));
                }
                cache.close(keep);
            }
        }
        tally.finish(self.name, strict())
    }

    fn tell(&self, cache: &Cache, args: &Args) -> Judged {
        let server = (self.start)(cache)?;
        if args.wait {
            let base_url = server.text("base_url")?;
            say(&format!("{base_url}/auth/realms/acme and {base_url}/auth/realms/acme-short; Enter stops it"));
            let _ = std::io::stdin().read_line(&mut String::new());
            return Ok(String::from("it ran"));
        }
        let program = cargo::program(&cache.folder, "--bin", "documine-logins", "documine-logins")?;
        let command = &mut Command::new(program);
        for word in &args.only {
            command.args(["--only", word]);
        }
        // All at once would be a rush that no provider sees, and too much for a small machine.
        command.args(["--at-once", "8", self.name]);
        for address in self.addresses {
            command.arg(server.text(address)?);
        }
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
}
