//! `cargo xtask conformance springdoc`: replaces the document by one that springdoc wrote.
//!
//! A small Spring service, `tests/conformance/springdoc`, has the paths and fields of DocuMine. Its document differs as springdoc documents do: other names,
//! other media types, gaps. The suite does with this document what a user does with the official one, in a copy of the workspace:
//! `cargo xtask regen --from`, a build, the pipeline example.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cache::{self, Cache};
use super::cargo::{self, BuildOutput};
use super::error::{CheckError, CheckResult, failed};
use super::report::Report;
use super::server::{Server, get};
use super::tree::{self, Snapshot};
use crate::process;
use crate::workspace::{print, root};

/// Time limit of `regen`, which builds the client.
const REGEN_LIMIT: Duration = Duration::from_secs(1200);
/// Time limit of the pipeline example.
const PIPELINE_LIMIT: Duration = Duration::from_secs(180);
const JSON: &str = "api-docs.json";
const YAML: &str = "api-docs.yaml";

/// Options of `springdoc`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only build and start the service, and write its two documents to this folder.
    #[arg(long, value_name = "FOLDER")]
    documents: Option<PathBuf>,
}

/// Runs the suite.
pub(crate) fn run(args: &Args) -> ExitCode {
    Report::run("springdoc", |cache, report| {
        let copy = run_steps(cache, args, &mut |step, result| report.add(step, &result));
        if let Some(copy) = copy.filter(|copy| copy.exists()) {
            if report.has_failures() {
                print(&format!("copy of the workspace: {}", copy.display()));
            } else {
                let _ = cache::clear(&copy);
            }
        }
    })
}

/// Runs all steps and returns the folder of the copy of the workspace, once there is one.
fn run_steps(cache: &Cache, args: &Args, add: &mut impl FnMut(&str, CheckResult)) -> Option<PathBuf> {
    let service_step = "document of the Spring service";
    let (service, documents) = match serve(cache, args) {
        Ok(served) => served,
        Err(stop) => {
            add(service_step, Err(stop));
            return None;
        }
    };
    add(service_step, documents.check());
    if args.documents.is_some() {
        return None;
    }

    let own = cargo::program(&cache.folder, "--example", "documine", "pipeline");
    add(
        "pipeline of the reconstruction, at the Spring service",
        own.and_then(|own| pipeline(cache, &own, "own", Some(&service))),
    );

    let regen_step = "regen with the document of the Spring service";
    let copy = match cache.copy_of_workspace() {
        Ok(copy) => copy,
        Err(stop) => {
            add(regen_step, Err(stop));
            return None;
        }
    };
    let work = WorkspaceCopy { cache, copy, documents };
    let replaced = work.regen();
    let is_replaced = replaced.is_ok();
    add(regen_step, replaced);
    let built = if is_replaced { work.build() } else { Err(not_run("the document was not replaced")) };
    let (built, program) = match built {
        Ok((line, program)) => (Ok(line), Ok(program)),
        Err(stop) => (Err(stop), Err(())),
    };
    add("build with that document", built);
    for (step, name, service) in [
        ("pipeline of that document, at the Spring service", "spring", Some(&service)),
        ("pipeline of that document, at its simulator", "simulator", None),
    ] {
        let result = match &program {
            Ok(program) => pipeline(cache, program, name, service),
            Err(()) => Err(not_run("the pipeline was not built")),
        };
        add(step, result);
    }
    Some(work.copy)
}

fn not_run(reason: &str) -> CheckError {
    CheckError::NotRun(String::from(reason))
}

/// The two documents of the service.
struct Documents {
    json: PathBuf,
    yaml: PathBuf,
}

/// Builds and starts the service and fetches its documents.
fn serve(cache: &Cache, args: &Args) -> Result<(Server, Documents), CheckError> {
    let jar = cache.spring_service()?;
    let command = &mut Command::new("java");
    // Options for a quick start, because the service runs for seconds.
    command.args(["-XX:TieredStopAtLevel=1", "-Xmx256m", "-jar"]).arg(jar).arg("--stop-with-stdin=true");
    let service = Server::start_with_ready_line(command, "service", &cache.folder, parse_ready_line)
        .map_err(cache::without_java)?;
    let folder = args.documents.clone().unwrap_or_else(|| cache.folder.join("documents"));
    std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
    let fetch = |path: &str, name: &str| {
        let text = get(service.text("base_url")?, path, "*/*")?;
        let target = folder.join(name);
        std::fs::write(&target, text).map_err(failed(&target.display().to_string()))?;
        std::path::absolute(&target).map_err(failed(&target.display().to_string()))
    };
    let documents = Documents { json: fetch("/v3/api-docs", JSON)?, yaml: fetch("/v3/api-docs.yaml", YAML)? };
    Ok((service, documents))
}

/// Parses the ready line `READY <port>`.
fn parse_ready_line(line: &str) -> Option<Value> {
    let port: u16 = line.strip_prefix("READY ")?.trim().parse().ok()?;
    Some(json!({"base_url": format!("http://127.0.0.1:{port}")}))
}

impl Documents {
    /// Checks version and number of operations.
    fn check(&self) -> CheckResult {
        let document: Value = serde_json::from_str(&read(&self.json)?)
            .map_err(|error| CheckError::Failed(format!("GET /v3/api-docs: invalid JSON: {error}")))?;
        let size = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
        let operations: usize =
            document["paths"].as_object().map(|paths| paths.values().map(size).sum()).unwrap_or_default();
        let version = document["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.0.") || operations < 22 {
            return Err(CheckError::Failed(format!(
                "OpenAPI {version:?} with {operations} operations; expected 3.0 with at least 22"
            )));
        }
        let schemas = size(&document["components"]["schemas"]);
        Ok(format!("OpenAPI {version}, {operations} operations, {schemas} schemas, in {}", self.json.display()))
    }
}

/// A copy of the workspace.
struct WorkspaceCopy<'a> {
    cache: &'a Cache,
    copy: PathBuf,
    documents: Documents,
}

impl WorkspaceCopy<'_> {
    /// Returns cargo in the copy, with a target folder that later runs reuse.
    fn cargo(&self) -> Command {
        let target = root().join("target/springdoc");
        let mut command = cargo::cargo(&self.copy);
        process::without_settings(&mut command);
        command.env("CARGO_TARGET_DIR", target).env("CARGO_INCREMENTAL", "0");
        command
    }

    /// Runs `regen` with both forms, which must give the same files and change nothing outside of openapi/.
    fn regen(&self) -> CheckResult {
        let files = workspace_files(self.cache)?;
        tree::copy(&root(), &self.copy, &files)?;
        let before = tree::snapshot(&self.copy)?;
        let from_json = self.regen_from(&self.documents.json, "regen-json", &before)?;
        // Restores the files for the other form.
        for path in tree::differences(&before, &tree::snapshot(&self.copy)?) {
            let _ = std::fs::remove_file(self.copy.join(&path));
            if before.contains_key(&path) {
                tree::copy(&root(), &self.copy, [path])?;
            }
        }
        let from_yaml = self.regen_from(&self.documents.yaml, "regen-yaml", &before)?;
        let other = tree::differences(&from_json, &from_yaml);
        if !other.is_empty() {
            return Err(CheckError::Failed(format!("JSON and YAML give different files\n{}", names(&other))));
        }
        Ok(format!(
            "JSON and YAML give the same files: {}",
            names(&tree::differences(&before, &from_yaml)).replace('\n', ", ")
        ))
    }

    /// Runs `regen` and hashes the copy. The two names of the source count as equal.
    fn regen_from(&self, source: &Path, name: &str, before: &Snapshot) -> Result<Snapshot, CheckError> {
        let mut command = self.cargo();
        command.args(["xtask", "regen", "--from"]).arg(source).args(["--report", "text"]);
        let finished = process::run(&mut command, name, &self.cache.folder, REGEN_LIMIT)?;
        if !finished.success() {
            return Err(CheckError::Failed(format!(
                "cargo xtask regen --from {}\n{}",
                source.display(),
                finished.tail()
            )));
        }
        let mut after = tree::snapshot(&self.copy)?;
        let changed = tree::differences(before, &after);
        let elsewhere: Vec<PathBuf> = changed.iter().filter(|path| !path.starts_with("openapi")).cloned().collect();
        if !elsewhere.is_empty() {
            return Err(CheckError::Failed(format!("regen changed files outside openapi/\n{}", names(&elsewhere))));
        }
        if changed.is_empty() {
            return Err(CheckError::Failed(String::from("regen changed nothing")));
        }
        for path in changed {
            if let Some(hash) = after.get_mut(&path) {
                *hash = tree::hash(read(&self.copy.join(&path))?.replace(YAML, JSON).as_bytes());
            }
        }
        Ok(after)
    }

    /// Builds the workspace without a warning and returns the pipeline example.
    fn build(&self) -> Result<(String, PathBuf), CheckError> {
        let mut command = self.cargo();
        command.args(["build", "--workspace", "--lib", "--bins", "--examples", "--message-format", "json"]);
        let started = Instant::now();
        let built = BuildOutput::run(&mut command, "build-copy", &self.cache.folder)?;
        let seconds = started.elapsed().as_secs();
        let diagnostics = built.diagnostics(&self.copy);
        if let Some(reason) = built.failure().filter(|_| diagnostics.is_empty()) {
            return Err(CheckError::Failed(reason.to_owned()));
        }
        if !diagnostics.is_empty() {
            let first = diagnostics.iter().take(10).copied().collect::<String>();
            return Err(CheckError::Failed(format!(
                "{} diagnostics of rustc\n{}",
                diagnostics.len(),
                first.trim_end()
            )));
        }
        let folder = built.out_dir("documine-api");
        let (bytes, lines) = folder.map(|folder| generated_size(&folder)).transpose()?.unwrap_or_default();
        let line = format!("no warning, {seconds} s; {bytes} bytes in {lines} lines of generated code");
        Ok((line, built.program("pipeline")?))
    }
}

/// Measures the generated code: bytes and lines.
fn generated_size(folder: &Path) -> Result<(usize, usize), CheckError> {
    let (mut bytes, mut lines) = (0, 0);
    for path in tree::snapshot(folder)?.keys().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let text = read(&folder.join(path))?;
        bytes += text.len();
        lines += text.lines().count();
    }
    Ok((bytes, lines))
}

/// Lists the files of the workspace: tracked by git, or new and not ignored.
fn workspace_files(cache: &Cache) -> Result<Vec<PathBuf>, CheckError> {
    let command = &mut Command::new("git");
    command.current_dir(root()).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let finished = process::run(command, "files", &cache.folder, PIPELINE_LIMIT)?;
    if !finished.success() {
        return Err(CheckError::Failed(finished.tail()));
    }
    Ok(finished.stdout.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

/// Runs the pipeline example at the service. `None`: at the built-in simulator.
fn pipeline(cache: &Cache, program: &Path, name: &str, service: Option<&Server>) -> CheckResult {
    let command = &mut Command::new(program);
    process::without_settings(command);
    if let Some(service) = service {
        command.env("DOCUMINE_BASE_URL", service.text("base_url")?);
        command.env("DOCUMINE_WORKSPACE_ID", "acme").env("DOCUMINE_ACCESS_TOKEN", "anything");
    }
    command.current_dir(&cache.folder).arg("--json").arg("--out").arg(cache.folder.join(format!("out-{name}")));
    let finished = process::run(command, &format!("pipeline-{name}"), &cache.folder, PIPELINE_LIMIT)?;
    if !finished.success() {
        return Err(CheckError::Failed(format!("the pipeline failed\n{}", finished.tail())));
    }
    check_summary(finished.stdout.lines().last().unwrap_or_default())
}

/// Checks the summary of the pipeline: three files with components and three packages with entries.
fn check_summary(line: &str) -> CheckResult {
    let summary: Value = serde_json::from_str(line)
        .map_err(|error| CheckError::Failed(format!("the last line of the pipeline is not JSON: {error}")))?;
    let count = |key: &str| summary[key].as_array().map_or(0, Vec::len);
    let without = |key: &str, part: &str| {
        let is_empty = |value: &Value| match &value[part] {
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => true,
        };
        summary[key].as_array().is_some_and(|list| list.iter().any(is_empty))
    };
    let (files, packages, lost) = (count("files"), count("packages"), count("failed"));
    if (files, packages, lost) != (3, 3, 0) || without("files", "components") || without("packages", "entries") {
        return Err(CheckError::Failed(format!(
            "expected 3 files with components and 3 packages with entries\n{line}"
        )));
    }
    Ok(format!("{files} files, {packages} packages, {} requests", summary["requests"]))
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n")
}

fn read(path: &Path) -> Result<String, CheckError> {
    std::fs::read_to_string(path).map_err(failed(&path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_port_of_the_ready_line() {
        assert_eq!(parse_ready_line("READY 4711"), Some(json!({"base_url": "http://127.0.0.1:4711"})));
        assert_eq!(parse_ready_line("READY"), None);
        assert_eq!(parse_ready_line("READY soon"), None);
        assert_eq!(parse_ready_line("Started in 3 seconds"), None);
    }

    #[test]
    fn rejects_a_pipeline_with_missing_results() {
        let file = json!({"components": {"Title": ["a"]}});
        let package = json!({"entries": ["a.pdf"]});
        let mut summary = json!({"files": [file, file, file], "packages": [package, package, package], "requests": 36});
        assert_eq!(check_summary(&summary.to_string()), Ok(String::from("3 files, 3 packages, 36 requests")));
        summary["files"][1]["components"] = json!({});
        assert!(check_summary(&summary.to_string()).is_err());
        summary["files"][1] = file;
        summary["packages"][2]["entries"] = json!([]);
        assert!(check_summary(&summary.to_string()).is_err());
        summary["packages"][2] = package;
        summary["failed"] = json!([{"name": "a.pdf"}]);
        assert!(check_summary(&summary.to_string()).is_err());
        assert!(check_summary("").is_err());
    }
}
