//! `cargo xtask conformance faults`: compares the faults of the simulator with the same faults made by third-party proxies.
//!
//! The probe of `tests/stress` makes its calls twice: through mitmproxy or nginx, which make the fault, and directly to the simulator with its own fault. A
//! caller of the SDK must observe the same.

mod cases;
mod compare;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::Value;

use super::cache::{self, Cache, PYTHON, asset};
use super::error::{CheckError, CheckResult};
use super::report::Report;
use super::server::Server;
use super::{cargo, simulator};
use crate::process;
use crate::workspace::print;
use cases::Case;
use compare::Comparison;

/// A run of the probe takes a few seconds.
const PROBE_LIMIT: Duration = Duration::from_secs(120);
const NGINX_HELP: &str = "needs nginx (Debian: apt install nginx-light)";

/// Options of `faults`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only this proxy (may be repeated).
    #[arg(long, value_enum)]
    only: Vec<Proxy>,
    /// Run only the cases of this name (may be repeated).
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
}

/// The proxies, in the order of the run.
#[derive(Clone, Copy, PartialEq, Debug, clap::ValueEnum)]
enum Proxy {
    /// mitmproxy with a script.
    Mitmproxy,
    /// nginx with common settings.
    Nginx,
}

/// Runs the suite.
pub(crate) fn run(args: &Args) -> ExitCode {
    Report::run("faults", |cache, report| {
        let mut is_empty = true;
        for (proxy, name) in [(Proxy::Mitmproxy, "mitmproxy 11.0.2"), (Proxy::Nginx, "nginx")] {
            let cases = selected(proxy, args);
            if !cases.is_empty() {
                report.add(name, &check(cache, proxy, &cases));
                is_empty = false;
            }
        }
        if is_empty {
            let reason = format!("no case is called {}", args.case.join(", "));
            report.add("cases", &Err(CheckError::Failed(reason)));
        }
    })
}

/// Selects the cases of a proxy.
fn selected(proxy: Proxy, args: &Args) -> Vec<Case> {
    if !args.only.is_empty() && !args.only.contains(&proxy) {
        return Vec::new();
    }
    let mut cases = match proxy {
        Proxy::Mitmproxy => cases::mitmproxy(),
        Proxy::Nginx => cases::nginx(),
    };
    cases.retain(|case| args.case.is_empty() || args.case.iter().any(|name| name == case.name));
    cases
}

/// Runs the cases of one proxy with a new simulator behind it.
fn check(cache: &Cache, proxy: Proxy, cases: &[Case]) -> CheckResult {
    let simulator = simulator::start(cache, Path::new(PYTHON), &["--seed", "1", "--speed", "1000"])?;
    let proxy = match proxy {
        Proxy::Mitmproxy => mitmproxy(cache, &simulator)?,
        Proxy::Nginx => nginx(cache, &simulator)?,
    };
    let program = cargo::program(&cache.folder, "--bin", "documine-stress", "probe")?;
    let probe = Probe { cache, program, simulator: &simulator };

    print(&compare::header());
    let (mut problems, mut remarks) = (Vec::new(), Vec::new());
    let mut calls = 0;
    for case in cases {
        let proxied = probe.run(case, Some(proxy.text("base_url")?))?;
        let direct = probe.run(case, None)?;
        let comparisons = compare::compare(case, &proxied, &direct)?;
        calls += comparisons.len();
        for comparison in &comparisons {
            print(&comparison.line());
            problems.extend(comparison.problem());
            remarks.extend(comparison.remark());
        }
        match (case.succeeds, comparisons.iter().all(Comparison::succeeded_at_once)) {
            (false, true) => problems.push(format!("{}: all calls succeeded, so the fault was not made", case.name)),
            (true, false) => problems.push(format!("{}: a call failed unexpectedly", case.name)),
            _ => {}
        }
    }
    let text = match problems.len() {
        0 => format!("{} cases, {calls} calls: proxies and simulator agree", cases.len()),
        count => format!("{count} findings in {} cases, {calls} calls", cases.len()),
    };
    let text = [&[text][..], &problems, &remarks].concat().join("\n");
    if problems.is_empty() { Ok(text) } else { Err(CheckError::Failed(text)) }
}

/// The probe with a simulator.
struct Probe<'a> {
    cache: &'a Cache,
    program: PathBuf,
    simulator: &'a Server,
}

impl Probe<'_> {
    /// Runs the probe and returns its lines: through the proxy at this address, or with the fault of the simulator.
    fn run(&self, case: &Case, proxy: Option<&str>) -> Result<Vec<Value>, CheckError> {
        let base_url = self.simulator.text("base_url")?;
        let command = &mut Command::new(&self.program);
        process::without_settings(command);
        for (key, value) in self.simulator.ready.as_object().into_iter().flatten() {
            if let Some(text) = value.as_str() {
                command.env(format!("DOCUMINE_{}", key.to_uppercase()), text);
            }
        }
        // The login bypasses the proxy.
        let workspace = self.simulator.text("workspace_id")?;
        command.env("DOCUMINE_TOKEN_PATH", format!("{base_url}/auth/realms/{workspace}/protocol/openid-connect/token"));
        command.env("DOCUMINE_BASE_URL", proxy.unwrap_or(base_url));
        command.args(["--setup", base_url]).args(&case.options);
        let side = match (proxy, case.fault, &case.simulator_fault) {
            (Some(_), Some(fault), _) => {
                command.args(["--header", &format!("X-Fault: {fault}")]);
                "proxy"
            }
            (None, _, Some(fault)) => {
                command.args(["--faults", &fault.to_string()]);
                "simulator"
            }
            _ => "plain",
        };
        command.args(case.calls);
        let finished = process::run(command, &format!("probe-{}-{side}", case.name), &self.cache.folder, PROBE_LIMIT)?;
        let lines: Option<Vec<Value>> = finished.stdout.lines().map(|line| serde_json::from_str(line).ok()).collect();
        match lines {
            Some(lines) if finished.success() && lines.len() == case.calls.len() => Ok(lines),
            _ => Err(CheckError::Failed(format!("case {}: the probe failed\n{}", case.name, finished.tail()))),
        }
    }
}

fn mitmproxy(cache: &Cache, simulator: &Server) -> Result<Server, CheckError> {
    let python = cache.python("mitmproxy")?;
    let program = python.parent().unwrap_or(Path::new("")).join("mitmdump");
    let command = &mut Command::new(program);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["--quiet", "--mode", &format!("reverse:{}", simulator.text("base_url")?)]);
    command.args(["--listen-host", "127.0.0.1", "--listen-port", "0", "--scripts"]).arg(asset("faulty_mitmproxy.py"));
    // Folder of its certificates; the default is the home folder of the user.
    command.arg("--set").arg(format!("confdir={}", cache.folder.join("mitmproxy").display()));
    Server::start(command, "mitmproxy", &cache.folder)
}

fn nginx(cache: &Cache, simulator: &Server) -> Result<Server, CheckError> {
    let base_url = simulator.text("base_url")?;
    let port = base_url.rsplit(':').next().unwrap_or_default();
    let command = &mut Command::new(PYTHON);
    command.arg(asset("faulty_nginx.py")).arg(cache.folder.join("nginx")).arg(port);
    let server = Server::start(command, "nginx", &cache.folder).map_err(cache::without_python)?;
    if server.ready["missing"].is_string() {
        return Err(CheckError::NotRun(String::from(NGINX_HELP)));
    }
    Ok(server)
}
