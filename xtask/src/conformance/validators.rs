//! `cargo xtask conformance validators`: independent programs validate the document, the simulator and the pipeline example.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::Value;

use super::cache::{self, Cache, asset};
use super::error::{CheckError, CheckResult, failed};
use super::report::Report;
use super::server::{Server, get_json};
use super::{cargo, simulator, traffic};
use crate::process::{self, Finished};
use crate::workspace::root;

/// Operations of the document. schemathesis must get a successful response from each.
const OPERATIONS: usize = 22;
/// Time limit of a short run.
const SHORT_LIMIT: Duration = Duration::from_secs(120);
/// Time limit of a long run.
const LONG_LIMIT: Duration = Duration::from_secs(1200);

/// Options of `validators`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only this validator (may be repeated).
    #[arg(long, value_enum)]
    only: Vec<Validator>,
    /// Seed of the requests that schemathesis generates.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of requests that schemathesis generates for each operation.
    #[arg(long, default_value_t = 25)]
    examples: u32,
}

/// The validators, in the order of the run.
#[derive(Clone, Copy, PartialEq, Debug, clap::ValueEnum)]
enum Validator {
    /// openapi-spec-validator on the document.
    OpenapiSpec,
    /// redocly on the document.
    Redocly,
    /// The examples of the document against its schemas, and the provenance marks.
    Examples,
    /// schemathesis against the simulator.
    Schemathesis,
    /// The validating proxy between the pipeline example and the simulator.
    Proxy,
    /// Other ZIP and Excel readers on the packages of the pipeline.
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

/// Runs the validators.
pub(crate) fn run(args: &Args) -> ExitCode {
    Report::run("validators", |cache, report| {
        let mut run = ValidatorRun { cache, args, pipeline_started: false, packages: None };
        for validator in ALL {
            if args.only.is_empty() || args.only.contains(&validator) {
                report.add(name(validator), &run.validate(validator));
            }
        }
    })
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

/// State that the validators of a run share.
struct ValidatorRun<'a> {
    cache: &'a Cache,
    args: &'a Args,
    pipeline_started: bool,
    /// Packages that a successful pipeline wrote.
    packages: Option<Vec<PathBuf>>,
}

impl ValidatorRun<'_> {
    fn validate(&mut self, validator: Validator) -> CheckResult {
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
        Ok(process::run(command, name, &self.cache.folder, limit)?)
    }

    fn spec_validator(&self) -> CheckResult {
        let python = self.cache.python("lint")?;
        let command = &mut Command::new(python);
        let finished =
            self.run(command.args(["-m", "openapi_spec_validator"]).args(documents()), "validator", SHORT_LIMIT)?;
        check_success(&finished)?;
        Ok(String::from("both forms of the document are valid"))
    }

    fn redocly(&self) -> CheckResult {
        let program = self.cache.node("redocly")?.join("node_modules/@redocly/cli/bin/cli.js");
        let command = &mut Command::new("node");
        command.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        command.arg(program).args(["lint", "--format", "json", "--config"]).arg(asset("redocly.yaml"));
        let finished = self.run(command.args(documents()), "redocly", SHORT_LIMIT).map_err(cache::without_node)?;
        // One report for each form of the document.
        let reports: Vec<Value> =
            serde_json::Deserializer::from_str(&finished.stdout).into_iter().map_while(Result::ok).collect();
        let clean =
            |report: &Value| ["errors", "warnings"].iter().all(|kind| report["totals"][kind].as_u64() == Some(0));
        if finished.success() && reports.len() == documents().len() && reports.iter().all(clean) {
            return Ok(String::from("no error and no warning in both forms of the document"));
        }
        Err(CheckError::Failed(finished.tail()))
    }

    fn examples(&self) -> CheckResult {
        let python = self.cache.python("lint")?;
        let finished =
            self.run(Command::new(python).arg(asset("document.py")).args(documents()), "examples", SHORT_LIMIT)?;
        check_success(&finished)?;
        Ok(finished.stdout.trim().to_owned())
    }

    fn schemathesis(&self) -> CheckResult {
        let python = self.cache.python("schemathesis")?;
        let simulator = self.simulator(&python)?;
        let counts = self.cache.folder.join("schemathesis.json");
        let command = &mut Command::new(&python);
        set_environment(command, &simulator, simulator.text("base_url")?);
        command
            .current_dir(&self.cache.folder)
            .env("PYTHONPATH", asset(""))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
            .env("DOCUMINE_SAMPLE", root().join("documine/examples/samples/invoice.pdf"))
            .env("DOCUMINE_COUNTS", &counts)
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
        let finished = self.run(command, "schemathesis", LONG_LIMIT)?;
        check_success(&finished)?;
        let responses = read_json(&counts)?.as_object().cloned().unwrap_or_default();
        let has_success =
            |counts: &Value| counts.as_object().is_some_and(|map| map.keys().any(|status| status.starts_with('2')));
        let without_success: Vec<&str> =
            responses.iter().filter(|(_, counts)| !has_success(counts)).map(|(name, _)| name.as_str()).collect();
        if responses.len() != OPERATIONS || !without_success.is_empty() {
            let text = format!(
                "{} of {OPERATIONS} operations received requests; without a successful response: {}",
                responses.len(),
                without_success.join(", ")
            );
            return Err(CheckError::Failed(text));
        }
        let requests: u64 = responses
            .values()
            .filter_map(Value::as_object)
            .flat_map(|map| map.values())
            .filter_map(Value::as_u64)
            .sum();
        Ok(format!("0 failures in {requests} requests, a successful response of each of the {OPERATIONS} operations"))
    }

    fn proxy(&mut self) -> CheckResult {
        let python = self.cache.python("proxy")?;
        let simulator = self.simulator(&python)?;
        let report = self.cache.folder.join("proxy.json");
        let command = &mut Command::new(&python);
        command
            .arg(asset("tee_proxy.py"))
            .arg("--report")
            .arg(&report)
            .arg("--document")
            .arg(root().join("openapi/documine.json"));
        command.args(["--upstream", simulator.text("base_url")?, "--workspace", simulator.text("workspace_id")?]);
        let mut proxy = Server::start(command, "proxy", &self.cache.folder)?;

        let target = self.cache.folder.join("pipeline");
        let pipeline = cargo::program(&self.cache.folder, "--example", "documine", "pipeline")?;
        let command = &mut Command::new(pipeline);
        set_environment(command, &simulator, proxy.text("base_url")?);
        self.pipeline_started = true;
        let finished =
            self.run(command.current_dir(root()).arg("--json").arg("--out").arg(&target), "pipeline", LONG_LIMIT)?;
        let journal = get_json(simulator.text("base_url")?, "/__sim/requests")?;
        proxy.stop();
        let report = read_json(&report)?;
        if !finished.success() {
            return Err(CheckError::Failed(format!(
                "the pipeline failed\n{}\n{}",
                finished.tail(),
                report["violations"]
            )));
        }

        let summary: Value = serde_json::from_str(finished.stdout.lines().last().unwrap_or_default())
            .map_err(|error| CheckError::Failed(format!("the last line of the pipeline is not JSON: {error}")))?;
        let packages = summary["packages"].as_array().cloned().unwrap_or_default();
        let paths = packages.iter().filter_map(|package| package["path"].as_str());
        self.packages = Some(paths.map(|path| root().join(path)).collect());
        traffic::check(&report, &journal).map_err(CheckError::Failed)
    }

    fn office(&mut self) -> CheckResult {
        let python = self.cache.python("office")?;
        if !self.pipeline_started {
            // Only the packages count here; the traffic has its own validator.
            self.proxy().or_else(|stop| if self.packages.is_some() { Ok(String::new()) } else { Err(stop) })?;
        }
        let packages = self.packages.as_ref();
        let packages = packages.ok_or_else(|| CheckError::NotRun(String::from("no packages: the pipeline failed")))?;
        let finished = self.run(Command::new(python).arg(asset("office.py")).args(packages), "office", SHORT_LIMIT)?;
        check_success(&finished)?;
        Ok(finished.stdout.trim().to_owned())
    }

    /// Starts a simulator whose work takes a twentieth of the usual time.
    fn simulator(&self, python: &Path) -> Result<Server, CheckError> {
        simulator::start(self.cache, python, &["--seed", "1", "--speed", "20"])
    }
}

/// Returns both forms of the document.
fn documents() -> [PathBuf; 2] {
    ["openapi/documine.yaml", "openapi/documine.json"].map(|name| root().join(name))
}

/// Sets the settings from the ready line of the simulator, with `base_url` as the address.
fn set_environment(command: &mut Command, simulator: &Server, base_url: &str) {
    for (key, value) in simulator.ready.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            command.env(format!("DOCUMINE_{}", key.to_uppercase()), text);
        }
    }
    command.env("DOCUMINE_BASE_URL", base_url);
}

fn check_success(finished: &Finished) -> Result<(), CheckError> {
    if finished.success() { Ok(()) } else { Err(CheckError::Failed(finished.tail())) }
}

fn read_json(path: &Path) -> Result<Value, CheckError> {
    let text = std::fs::read_to_string(path).map_err(failed(&path.display().to_string()))?;
    serde_json::from_str(&text).map_err(|error| CheckError::Failed(format!("{}: {error}", path.display())))
}
