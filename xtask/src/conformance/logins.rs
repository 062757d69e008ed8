//! The login tests of `tests/logins` at a third-party provider, and a login that several processes share there.

use std::process::{Command, ExitCode};
use std::time::Duration;

use super::cache::Cache;
use super::cargo;
use super::error::{CheckError, CheckResult};
use super::report::Report;
use super::server::Server;
use crate::process::{self, Finished};
use crate::workspace::print;

/// The tests take half a minute; each has a limit of its own.
const TESTS_LIMIT: Duration = Duration::from_secs(300);

/// Interval in seconds at which one of the processes that share a login is killed.
const KILL_INTERVAL: &str = "5";

/// Options of a run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only the tests whose name contains this word (may be repeated).
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// Seconds for which processes share a login: once undisturbed, and once with one process killed every five seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    share: u64,
    /// Only start the provider, print its address, and stop it when Enter is pressed.
    #[arg(long)]
    wait: bool,
}

/// A provider under test.
pub(super) struct Provider {
    /// Name for `cargo xtask conformance` and for `documine-logins`.
    pub(super) name: &'static str,
    /// Name and version for people.
    pub(super) title: &'static str,
    pub(super) start: fn(&Cache) -> Result<Server, CheckError>,
    /// Addresses in the ready line that `documine-logins` takes.
    pub(super) addresses: &'static [&'static str],
}

impl Provider {
    /// Starts the provider and runs the tests.
    pub(super) fn run(&self, args: &Args) -> ExitCode {
        Report::run(self.name, |cache, report| {
            let mut add = |check: &str, result: CheckResult| report.add(&format!("{check} at {}", self.title), &result);
            if let Err(error) = self.run_tests(cache, args, &mut add) {
                add("logins", Err(error));
            }
        })
    }

    fn run_tests(&self, cache: &Cache, args: &Args, add: &mut impl FnMut(&str, CheckResult)) -> Result<(), CheckError> {
        let server = (self.start)(cache)?;
        if args.wait {
            let base_url = server.text("base_url")?;
            print(&format!("{base_url}/auth/realms/acme and {base_url}/auth/realms/acme-short; press Enter to stop"));
            let _ = std::io::stdin().read_line(&mut String::new());
            return Ok(());
        }
        let program = cargo::program(&cache.folder, "--bin", "documine-logins", "documine-logins")?;
        let addresses: Vec<&str> = self.addresses.iter().map(|name| server.text(name)).collect::<Result<_, _>>()?;
        let run = |name: &str, options: &[&str]| -> CheckResult {
            let command = &mut Command::new(&program);
            process::without_settings(command);
            // More parallel logins overload a small machine.
            command.args(["--at-once", "8"]).args(options).arg(self.name).args(&addresses);
            result(&process::run(command, name, &cache.folder, TESTS_LIMIT)?)
        };
        let words: Vec<&str> = args.only.iter().flat_map(|word| ["--only", word]).collect();
        add("logins", run("tests", &words));
        if words.is_empty() {
            let share = ["--share", &args.share.to_string()];
            add("a login shared by processes", run("sharing", &share));
            let killing = [&share[..], &["--kill-every", KILL_INTERVAL]].concat();
            add("a login shared by killed processes", run("killing", &killing));
        }
        Ok(())
    }
}

/// Prints the output; the last line is the summary.
fn result(finished: &Finished) -> CheckResult {
    let mut lines: Vec<&str> = finished.stdout.lines().collect();
    let summary = lines.pop().unwrap_or_default();
    for line in &lines {
        print(&format!("        {line}"));
    }
    if finished.success() {
        return Ok(summary.to_owned());
    }
    let failures: Vec<&str> = lines.into_iter().filter(|line| line.starts_with("FAILED")).collect();
    Err(CheckError::Failed(format!("{summary}\n{}\n{}", failures.join("\n"), finished.stderr.trim_end())))
}
