//! `cargo xtask conformance s3`: the object stores of `documine-ingest` at an S3 server made with the library moto.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use super::cache::{self, Cache, asset};
use super::cargo::{self, BuildOutput};
use super::error::{CheckError, CheckResult};
use super::report::Report;
use super::server::Server;
use crate::process;
use crate::workspace::root;

/// A run takes a quarter of a minute.
const LIMIT: Duration = Duration::from_secs(180);
const BUCKET: &str = "documine";

/// Runs the suite.
pub(crate) fn run() -> ExitCode {
    Report::run("s3", |cache, report| report.add("objects at moto 5.2.5", &check(cache)))
}

fn check(cache: &Cache) -> CheckResult {
    let program = program(&cache.folder)?;
    let python = cache.python("s3").map_err(cache::without_python)?;
    let command = &mut Command::new(python);
    let server = Server::start(command.arg(asset("s3_server.py")).arg(BUCKET), "s3-server", &cache.folder)?;
    let command = &mut Command::new(program);
    process::without_settings(command);
    // A profile or session of the developer, and a proxy.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("NO_PROXY", "127.0.0.1");
    command.env("DOCUMINE_TEST_S3_BUCKET", BUCKET).env("AWS_ENDPOINT", server.text("endpoint")?);
    command.envs([("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")]);
    command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    let finished = process::run(command, "s3-output", &cache.folder, LIMIT)?;
    match finished.stdout.lines().last() {
        Some(summary) if finished.success() => Ok(summary.to_owned()),
        _ => Err(CheckError::Failed(finished.tail())),
    }
}

fn program(folder: &Path) -> Result<PathBuf, CheckError> {
    let command = &mut cargo::cargo(&root());
    command.args(["build", "--quiet", "--message-format", "json-render-diagnostics", "--package", "documine-ingest"]);
    let built = BuildOutput::run(command.args(["--features", "aws", "--test", "s3"]), "build", folder)?;
    match built.failure() {
        Some(reason) => Err(CheckError::Failed(reason.to_owned())),
        None => built.program("s3"),
    }
}
