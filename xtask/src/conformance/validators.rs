//! `cargo xtask conformance validators`: independent programs validator the document, the simulator and the pipeline example.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::Value;

use super::cache::{self, Cache};
use super::cargo;
use super::process::{self, Finished};
use super::report::{CheckError, CheckResult, Report, failed, strict};
use super::server::{Server, get_json};
use super::{print, root, script, traffic};

/// The operations that the document has; schemathesis must have had a good answer from each.
const OPERATIONS: usize = 22;
const QUICK: Duration = Duration::from_secs(120);
const LONG: Duration = Duration::from_secs(1200);

/// Options of `validators`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Ask only these validators (may be repeated).
    #[arg(long, value_enum)]
    only: Vec<Validator>,
    /// Seed of the requests that schemathesis makes up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many requests schemathesis makes up for each operation.
    #[arg(long, default_value_t = 25)]
    examples: u32,
}

/// The validators, in the order they are asked.
#[derive(Clone, Copy, PartialEq, Debug, clap::ValueEnum)]
enum Validator {
    /// openapi-spec-validator on the document.
    OpenapiSpec,
    /// redocly on the document.
    Redocly,
    /// The document's examples against its schemas, and its own marks.
    Examples,
    /// schemathesis against the simulator.
    Schemathesis,
    /// The judging proxy between the pipeline example and the simulator.
    Proxy,
    /// Other programs open the pipeline's packages.
    Office,
}

const ALL: [Validator; 6] = [
    Validator::OpenapiSpec,
    Validator::Redocly,
    Validator::Examples,
    Validator::Schemathesis,
    Validator::Proxy,
    Validator::Office,
];

/// Asks the validators and says how it ended.
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut report = Report::default();
    match Cache::open() {
        Err(stop) => report.add("cache", &Err(stop)),
        Ok(cache) => {
            let mut bench = Bench { cache: &cache, args, pipeline_started: false, packages: None };
            let mut keep = false;
            for validator in ALL {
                if args.only.is_empty() || args.only.contains(&validator) {
                    let result = bench.ask(validator);
                    keep |= matches!(result, Err(CheckError::Failed(_)));
                    report.add(name(validator), &result);
                }
            }
            if keep {
                print(&format!("outputs of this run: {}", cache.folder.display()));
            }
            cache.close(keep);
        }
    }
    report.finish("validators", strict())
}

fn name(validator: Validator) -> &'static str {
    match validator {
        Validator::OpenapiSpec => "openapi-spec-validator 0.9.0",
        Validator::Redocly => "redocly 2.77.0",
        Validator::Examples => "examples and marks of the document",
        Validator::Schemathesis => "schemathesis 4.32.5 on the simulator",
        Validator::Proxy => "proxy with openapi-core 0.23.1 between pipeline and simulator",
        Validator::Office => "packages in zipfile and openpyxl 3.1.5",
    }
}

/// What the validators of one run share.
struct Bench<'a> {
    cache: &'a Cache,
    args: &'a Args,
    /// Whether the pipeline was started, and the packages that it wrote if it came to its end.
    pipeline_started: bool,
    packages: Option<Vec<PathBuf>>,
}

impl Bench<'_> {
    fn ask(&mut self, validator: Validator) -> CheckResult {
        match validator {
            Validator::OpenapiSpec => self.spec_validator(),
            Validator::Redocly => self.redocly(),
            Validator::Examples => self.examples(),
            Validator::Schemathesis => self.schemathesis(),
            Validator::Proxy => self.proxy(),
            Validator::Office => self.office(),
        }
    }

    fn run(&self, command: &mut Command, name: &str, limit: Duration) -> Result<Finished, CheckError> {
        process::run(command, name, &self.cache.folder, limit)
    }

    fn spec_validator(&self) -> CheckResult {
        let python = self.cache.python("lint")?;
        let command = &mut Command::new(python);
        let finished =
            self.run(command.args(["-m", "openapi_spec_validator"]).args(documents()), "validator", QUICK)?;
        good(&finished)?;
        Ok(String::from("both forms of the document are valid"))
    }

    fn redocly(&self) -> CheckResult {
        let program = self.cache.redocly()?;
        let command = &mut Command::new("node");
        command.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        command.arg(program).args(["lint", "--format", "json", "--config"]).arg(script("redocly.yaml"));
        let finished = self.run(command.args(documents()), "redocly", QUICK).map_err(cache::without_node)?;
        // One report for each form, one after the other.
        let reports: Vec<Value> =
            serde_json::Deserializer::from_str(&finished.stdout).into_iter().map_while(Result::ok).collect();
        let clean =
            |report: &Value| ["errors", "warnings"].iter().all(|kind| report["totals"][kind].as_u64() == Some(0));
        if finished.success && reports.len() == documents().len() && reports.iter().all(clean) {
            return Ok(String::from("no error and no warning in both forms of the document"));
        }
        Err(CheckError::Failed(finished.tail()))
    }

    fn examples(&self) -> CheckResult {
        let python = self.cache.python("lint")?;
        let finished =
            self.run(Command::new(python).arg(script("document.py")).args(documents()), "examples", QUICK)?;
        good(&finished)?;
        Ok(finished.stdout.trim().to_owned())
    }

    fn schemathesis(&self) -> CheckResult {
        let python = self.cache.python("schemathesis")?;
        let simulator = self.simulator(&python)?;
        let report = self.cache.folder.join("schemathesis.json");
        let command = &mut Command::new(&python);
        environment(command, &simulator, simulator.text("base_url")?);
        command
            .current_dir(&self.cache.folder)
            .env("PYTHONPATH", script(""))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
            .env("DOCUMINE_SAMPLE", root().join("documine/examples/samples/invoice.pdf"))
            .env("DOCUMINE_TALLY", &report)
            .args(["-m", "schemathesis.cli", "run"])
            .arg(root().join("openapi/documine.json"))
            .args(["--url", simulator.text("base_url")?, "--mode", "positive", "--no-color", "--seed"])
            .arg(self.args.seed.to_string())
            .arg("--max-examples")
            .arg(self.args.examples.to_string())
            .args([
                "--checks",
                "response_schema_conformance,status_code_conformance,content_type_conformance,not_a_server_error",
            ]);
        let finished = self.run(command, "schemathesis", LONG)?;
        good(&finished)?;
        let report = read_json(&report)?;
        let answers = report.as_object().cloned().unwrap_or_default();
        let is_good =
            |counts: &Value| counts.as_object().is_some_and(|map| map.keys().any(|status| status.starts_with('2')));
        let poor: Vec<&str> =
            answers.iter().filter(|(_, counts)| !is_good(counts)).map(|(name, _)| name.as_str()).collect();
        if answers.len() != OPERATIONS || !poor.is_empty() {
            let text = format!(
                "{} of {OPERATIONS} operations were reached; without a good answer: {}",
                answers.len(),
                poor.join(", ")
            );
            return Err(CheckError::Failed(text));
        }
        let requests: u64 =
            answers.values().filter_map(Value::as_object).flat_map(|map| map.values()).filter_map(Value::as_u64).sum();
        Ok(format!("0 failures in {requests} requests, each of the {OPERATIONS} operations had a good answer"))
    }

    fn proxy(&mut self) -> CheckResult {
        let python = self.cache.python("proxy")?;
        let simulator = self.simulator(&python)?;
        let report = self.cache.folder.join("proxy.json");
        let command = &mut Command::new(&python);
        command
            .arg(script("tee_proxy.py"))
            .arg("--report")
            .arg(&report)
            .arg("--document")
            .arg(root().join("openapi/documine.json"));
        command.args(["--upstream", simulator.text("base_url")?, "--workspace", simulator.text("workspace_id")?]);
        let mut proxy = Server::start(command, "proxy", &self.cache.folder)?;

        let target = self.cache.folder.join("pipeline");
        let pipeline = cargo::program(&self.cache.folder, "--example", "documine", "pipeline")?;
        let command = &mut Command::new(pipeline);
        environment(command, &simulator, proxy.text("base_url")?);
        self.pipeline_started = true;
        let finished =
            self.run(command.current_dir(root()).arg("--json").arg("--out").arg(&target), "pipeline", LONG)?;
        let journal = get_json(simulator.text("base_url")?, "/__sim/requests")?;
        proxy.stop();
        let report = read_json(&report)?;
        if !finished.success {
            return Err(CheckError::Failed(format!(
                "the pipeline failed\n{}\n{}",
                finished.tail(),
                report["violations"]
            )));
        }

        let summary: Value = serde_json::from_str(finished.stdout.lines().last().unwrap_or_default())
            .map_err(|error| CheckError::Failed(format!("the last line of the pipeline is no JSON: {error}")))?;
        let packages = summary["packages"].as_array().cloned().unwrap_or_default();
        let paths = packages.iter().filter_map(|package| package["path"].as_str());
        self.packages = Some(paths.map(|path| root().join(path)).collect());
        traffic::examine(&report, &journal).map_err(CheckError::Failed)
    }

    fn office(&mut self) -> CheckResult {
        let python = self.cache.python("office")?;
        if !self.pipeline_started {
            // Asked alone: only the packages count here, the traffic has a validator of its own.
            self.proxy().or_else(|stop| if self.packages.is_some() { Ok(String::new()) } else { Err(stop) })?;
        }
        let packages = self.packages.as_ref();
        let packages = packages.ok_or_else(|| {
            CheckError::NotRun(String::from("there are no packages: the pipeline did not get so far"))
        })?;
        let finished = self.run(Command::new(python).arg(script("office.py")).args(packages), "office", QUICK)?;
        good(&finished)?;
        Ok(finished.stdout.trim().to_owned())
    }

    /// The simulator on the leash of `python`, with work that goes faster than in life.
    fn simulator(&self, python: &Path) -> Result<Server, CheckError> {
        let program = cargo::program(&self.cache.folder, "--bin", "documine-sim", "documine-sim")?;
        let command = &mut Command::new(python);
        command.arg(script("leash.py")).arg(program);
        command.args(["--listen", "127.0.0.1:0", "--seed", "1", "--speed", "20"]);
        Server::start(command, "simulator", &self.cache.folder)
    }
}

/// The vendored document, in both forms.
fn documents() -> [PathBuf; 2] {
    ["openapi/documine.yaml", "openapi/documine.json"].map(|name| root().join(name))
}

/// Everything the simulator's ready line tells, with `base_url` in the place of its own address.
fn environment(command: &mut Command, simulator: &Server, base_url: &str) {
    for (key, value) in simulator.ready.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            command.env(format!("DOCUMINE_{}", key.to_uppercase()), text);
        }
    }
    command.env("DOCUMINE_BASE_URL", base_url);
}

fn good(finished: &Finished) -> Result<(), CheckError> {
    if finished.success { Ok(()) } else { Err(CheckError::Failed(finished.tail())) }
}

fn read_json(path: &Path) -> Result<Value, CheckError> {
    let text = std::fs::read_to_string(path).map_err(failed(&path.display().to_string()))?;
    serde_json::from_str(&text).map_err(|error| CheckError::Failed(format!("{}: {error}", path.display())))
}
