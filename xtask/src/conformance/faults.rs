//! `cargo xtask conformance faults`: the simulator's own faults against the same faults made by proxies that others wrote.
//!
//! The probe of `tests/stress` makes its calls through mitmproxy or nginx, which spoil them, and then with nothing in between and a fault
//! of the simulator. What a caller of the SDK sees must be the same.

mod cases;
mod compare;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::Value;

use super::cache::Cache;
use super::cargo;
use super::process;
use super::python;
use super::report::{CheckError, CheckResult, Report, strict};
use super::server::Server;
use super::{print, script};
use cases::Case;
use compare::Row;

/// A run of the probe takes a few seconds.
const PROBE: Duration = Duration::from_secs(120);
const NGINX_HELP: &str = "needs nginx (Debian: apt install nginx-light)";

/// Options of `faults`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this proxy (may be repeated).
    #[arg(long, value_enum)]
    only: Vec<Proxy>,
    /// Only the cases of this name (may be repeated).
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
}

/// The proxies, in the order they are asked.
#[derive(Clone, Copy, PartialEq, Debug, clap::ValueEnum)]
enum Proxy {
    /// mitmproxy, steered by a script.
    Mitmproxy,
    /// nginx, with settings as people write them.
    Nginx,
}

/// Asks the proxies and says how it ended.
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut report = Report::default();
    match Cache::open() {
        Err(stop) => report.add("cache", &Err(stop)),
        Ok(cache) => {
            let mut keep = false;
            let mut asked = false;
            for (proxy, name) in [(Proxy::Mitmproxy, "mitmproxy 11.0.2"), (Proxy::Nginx, "nginx")] {
                let cases = chosen(proxy, args);
                if !cases.is_empty() {
                    let result = ask(&cache, proxy, &cases);
                    asked = true;
                    keep |= matches!(result, Err(CheckError::Failed(_)));
                    report.add(name, &result);
                }
            }
            if !asked {
                report.add(
                    "cases",
                    &Err(CheckError::Failed(format!("there is none of the name {}", args.case.join(", ")))),
                );
            }
            if keep {
                print(&format!("outputs of this run: {}", cache.folder.display()));
            }
            cache.close(keep);
        }
    }
    report.finish("faults", strict())
}

/// The cases of this proxy that are wanted.
fn chosen(proxy: Proxy, args: &Args) -> Vec<Case> {
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

/// Goes through the cases of one proxy, with a simulator of its own behind it.
fn ask(cache: &Cache, proxy: Proxy, cases: &[Case]) -> CheckResult {
    let simulator = simulator(cache)?;
    let proxy = match proxy {
        Proxy::Mitmproxy => mitmproxy(cache, &simulator)?,
        Proxy::Nginx => nginx(cache, &simulator)?,
    };
    let program = cargo::program(&cache.folder, "--bin", "documine-stress", "probe")?;
    let probe = Probe { cache, program, simulator: &simulator };

    compare::head();
    let (mut problems, mut remarks) = (Vec::new(), Vec::new());
    let mut rows = 0;
    for case in cases {
        let through = probe.run(case, Some(proxy.text("base_url")?))?;
        let own = probe.run(case, None)?;
        let seen = compare::rows(case, &through, &own)?;
        rows += seen.len();
        for row in &seen {
            row.show();
            problems.extend(row.problem());
            remarks.extend(row.remark());
        }
        match (case.succeeds, seen.iter().all(Row::succeeded_at_once)) {
            (false, true) => problems.push(format!("{}: nothing went wrong, so the fault was not made", case.name)),
            (true, false) => problems.push(format!("{}: a call failed that must not", case.name)),
            _ => {}
        }
    }
    let text = match problems.len() {
        0 => format!("{} cases, {rows} calls: the same as with the simulator's own faults", cases.len()),
        count => format!("{count} findings in {} cases, {rows} calls", cases.len()),
    };
    let text = [&[text][..], &problems, &remarks].concat().join("\n");
    if problems.is_empty() { Ok(text) } else { Err(CheckError::Failed(text)) }
}

/// The probe, aimed at a simulator.
struct Probe<'a> {
    cache: &'a Cache,
    program: PathBuf,
    simulator: &'a Server,
}

impl Probe<'_> {
    /// What the probe sees, line by line: through the proxy at this address, or with the simulator's own fault.
    fn run(&self, case: &Case, proxy: Option<&str>) -> Result<Vec<Value>, CheckError> {
        let base_url = self.simulator.text("base_url")?;
        let command = &mut Command::new(&self.program);
        // The settings of whoever runs this are not the test's.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DOCUMINE_") {
                command.env_remove(name);
            }
        }
        for (key, value) in self.simulator.ready.as_object().into_iter().flatten() {
            if let Some(text) = value.as_str() {
                command.env(format!("DOCUMINE_{}", key.to_uppercase()), text);
            }
        }
        // The login goes around the proxy.
        let workspace = self.simulator.text("workspace_id")?;
        command.env("DOCUMINE_TOKEN_PATH", format!("{base_url}/auth/realms/{workspace}/protocol/openid-connect/token"));
        command.env("DOCUMINE_BASE_URL", proxy.unwrap_or(base_url));
        command.args(["--setup", base_url]).args(&case.options);
        let side = match (proxy, case.fault, &case.own) {
            (Some(_), Some(fault), _) => {
                command.args(["--header", &format!("X-Fault: {fault}")]);
                "proxy"
            }
            (None, _, Some(own)) => {
                command.args(["--faults", &own.to_string()]);
                "own"
            }
            _ => "plain",
        };
        command.args(case.calls);
        let finished = process::run(command, &format!("probe-{}-{side}", case.name), &self.cache.folder, PROBE)?;
        let lines: Option<Vec<Value>> = finished.stdout.lines().map(|line| serde_json::from_str(line).ok()).collect();
        match lines {
            Some(lines) if finished.success && lines.len() == case.calls.len() => Ok(lines),
            _ => Err(CheckError::Failed(format!("case {}: the probe could not run\n{}", case.name, finished.tail()))),
        }
    }
}

/// The simulator, with work that is done at once.
fn simulator(cache: &Cache) -> Result<Server, CheckError> {
    let program = cargo::program(&cache.folder, "--bin", "documine-sim", "documine-sim")?;
    let command = &mut Command::new(python::program());
    command.arg(script("leash.py")).arg(program);
    command.args(["--listen", "127.0.0.1:0", "--seed", "1", "--speed", "1000"]);
    Server::start(command, "simulator", &cache.folder).map_err(python::missing)
}

fn mitmproxy(cache: &Cache, simulator: &Server) -> Result<Server, CheckError> {
    let python = cache.python("mitmproxy")?;
    let program = python.parent().unwrap_or(Path::new("")).join("mitmdump");
    let command = &mut Command::new(program);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["--quiet", "--mode", &format!("reverse:{}", simulator.text("base_url")?)]);
    command.args(["--listen-host", "127.0.0.1", "--listen-port", "0", "--scripts"]).arg(script("faulty_mitmproxy.py"));
    // Where it puts its certificates; else it would be the user's home.
    command.arg("--set").arg(format!("confdir={}", cache.folder.join("mitmproxy").display()));
    Server::start(command, "mitmproxy", &cache.folder)
}

fn nginx(cache: &Cache, simulator: &Server) -> Result<Server, CheckError> {
    let base_url = simulator.text("base_url")?;
    let port = base_url.rsplit(':').next().unwrap_or_default();
    let command = &mut Command::new(python::program());
    command.arg(script("faulty_nginx.py")).arg(cache.folder.join("nginx")).arg(port);
    let server = Server::start(command, "nginx", &cache.folder).map_err(python::missing)?;
    if server.ready["missing"].is_string() {
        return Err(CheckError::NotRun(String::from(NGINX_HELP)));
    }
    Ok(server)
}
