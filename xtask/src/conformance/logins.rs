//! The login stories of `tests/logins`, told at a provider that others wrote; and one login shared by several processes there.

use std::process::{Command, ExitCode};
use std::time::Duration;

use super::cache::Cache;
use super::process::Finished;
use super::report::{CheckError, CheckResult, Report, strict};
use super::server::Server;
use super::{cargo, print, process};

/// The stories take half a minute; each has a limit of its own.
const STORIES: Duration = Duration::from_secs(300);

/// How often one of the processes that share a login is killed, in seconds.
const KILL_EVERY: &str = "5";

/// Options of a telling.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the stories whose name holds this word (may be repeated).
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// How many seconds processes share a login: once left alone, and once with one of them killed every five seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    share: u64,
    /// Only start the provider, print where it is, and stop it when Enter is pressed.
    #[arg(long)]
    wait: bool,
}

/// A provider to tell them at.
pub(super) struct Provider {
    /// Its name for `cargo xtask conformance` and for `documine-logins`.
    pub(super) name: &'static str,
    /// The same for people, with its version.
    pub(super) title: &'static str,
    pub(super) start: fn(&Cache) -> Result<Server, CheckError>,
    /// What of its ready line `documine-logins` has to know.
    pub(super) addresses: &'static [&'static str],
}

impl Provider {
    /// Starts it, tells the stories and says how it ended.
    pub(super) fn run(&self, args: &Args) -> ExitCode {
        let mut report = Report::default();
        match Cache::open() {
            Err(stop) => report.add("cache", &Err(stop)),
            Ok(cache) => {
                let mut keep = false;
                let mut add = |what: &str, result: CheckResult| {
                    keep |= matches!(result, Err(CheckError::Failed(_)));
                    report.add(&format!("{what} at {}", self.title), &result);
                };
                if let Err(stop) = self.tell(&cache, args, &mut add) {
                    add("logins", Err(stop));
                }
                if keep {
                    print(&format!("outputs of this run: {}", cache.folder.display()));
                }
                cache.close(keep);
            }
        }
        report.finish(self.name, strict())
    }

    fn tell(&self, cache: &Cache, args: &Args, add: &mut impl FnMut(&str, CheckResult)) -> Result<(), CheckError> {
        let server = (self.start)(cache)?;
        if args.wait {
            let base_url = server.text("base_url")?;
            print(&format!("{base_url}/auth/realms/acme and {base_url}/auth/realms/acme-short; Enter stops it"));
            let _ = std::io::stdin().read_line(&mut String::new());
            return Ok(());
        }
        let program = cargo::program(&cache.folder, "--bin", "documine-logins", "documine-logins")?;
        let addresses: Vec<&str> = self.addresses.iter().map(|name| server.text(name)).collect::<Result<_, _>>()?;
        let run = |name: &str, options: &[&str]| {
            let command = &mut Command::new(&program);
            process::without_settings(command);
            // All at once would be a rush that no provider sees, and too much for a small machine.
            command.args(["--at-once", "8"]).args(options).arg(self.name).args(&addresses);
            process::run(command, name, &cache.folder, STORIES).and_then(|finished| validator(&finished))
        };
        let words: Vec<&str> = args.only.iter().flat_map(|word| ["--only", word]).collect();
        add("logins", run("stories", &words));
        if words.is_empty() {
            let share = ["--share", &args.share.to_string()];
            add("a login in several processes", run("sharing", &share));
            let killing = [&share[..], &["--kill-every", KILL_EVERY]].concat();
            add("a login in processes that are killed", run("killing", &killing));
        }
        Ok(())
    }
}

/// The last line sums up; those before it are shown as they are.
fn validator(finished: &Finished) -> CheckResult {
    let mut lines: Vec<&str> = finished.stdout.lines().collect();
    let sum = lines.pop().unwrap_or_default();
    for line in &lines {
        print(&format!("        {line}"));
    }
    if finished.success {
        return Ok(sum.to_owned());
    }
    let bad: Vec<&str> = lines.into_iter().filter(|line| line.starts_with("FAILED")).collect();
    Err(CheckError::Failed(format!("{sum}\n{}\n{}", bad.join("\n"), finished.stderr.trim_end())))
}
