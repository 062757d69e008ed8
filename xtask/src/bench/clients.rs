//! Builds the programs that run the jobs, all with the same options.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::figures::NotMeasured;
use super::figures::Subject;
use super::openapi_generator;
use super::program::{cargo, optimized, output};
use crate::process::first_line;
use crate::workspace::{print, root};

const BUILD_LIMIT: Duration = Duration::from_secs(1200);

/// Values that every client sends as `X-TENANT-ID` and as the token, as in `tests/bench/src/jobs.rs`.
const TENANT: &str = "acme";
const TOKEN: &str = "e30.";
const TOKEN_REPEATED: usize = 256;

/// The programs.
pub(super) struct Clients {
    /// Program with the SDK, the hand-written client and the server.
    pub(super) bench: PathBuf,
    openapi_generator: Result<PathBuf, NotMeasured>,
    curl: Result<(), NotMeasured>,
    /// Notes for readers of the table.
    pub(super) notes: Vec<String>,
}

/// Parameters of a job.
pub(super) struct Task<'a> {
    pub(super) job: &'static str,
    pub(super) base_url: &'a str,
    pub(super) count: u64,
    pub(super) concurrency: u64,
    pub(super) files: u64,
    /// Size of a package.
    pub(super) bytes: u64,
    /// File to upload, or target of a download.
    pub(super) file: &'a Path,
}

impl Clients {
    /// Builds all programs. An error of the SDK's program ends the run; other missing programs are reported as not run.
    pub(super) fn make(folder: &Path) -> Result<Self, NotMeasured> {
        print("building the SDK's client and the hand-written one");
        let target = root().join("target");
        let mut build = cargo();
        build.current_dir(root()).args(["build", "--release", "--package", "documine-bench", "--target-dir"]);
        output(optimized(build.arg(&target)), "own-build", folder, BUILD_LIMIT)?;
        print("generating and building the client of openapi-generator");
        let openapi_generator = openapi_generator::make(folder);
        let curl = first_line(Command::new("curl").arg("--version"));
        Ok(Self {
            bench: target.join("release/documine-bench"),
            openapi_generator,
            curl: curl.map(|_| ()).ok_or_else(|| "needs curl (Debian: apt install curl)".to_owned()),
            notes: [
                "reqwest: hand-written, known fields as plain texts, without retries, timeouts and token refresh",
                "generated: the client of openapi-generator parses timestamps; ours and reqwest keep the text",
                "ours keeps unknown fields and enum values; the others drop or reject them",
                "curl decodes nothing: the cost of the transfer alone",
            ]
            .map(str::to_owned)
            .to_vec(),
        })
    }

    /// Returns the command with which a client runs a task.
    pub(super) fn command(&self, who: Subject, task: &Task<'_>) -> Result<Command, NotMeasured> {
        let program = match who {
            Subject::Generated => self.openapi_generator.as_ref().map_err(Clone::clone)?,
            Subject::Curl => {
                self.curl.clone()?;
                return Ok(curl(task));
            }
            _ => &self.bench,
        };
        let mut command = Command::new(program);
        if who != Subject::Generated {
            command.args(["--client", who.name()]);
        }
        command.args(["--job", task.job, "--base-url", task.base_url]);
        let numbers = [
            ("--count", task.count),
            ("--concurrency", task.concurrency),
            ("--files", task.files),
            ("--bytes", task.bytes),
        ];
        for (name, value) in numbers {
            command.args([name, &value.to_string()]);
        }
        command.arg("--file").arg(task.file);
        Ok(command)
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "missing": { "generated": self.openapi_generator.as_ref().err(), "curl": self.curl.as_ref().err() }, "notes": self.notes })
    }
}

/// Returns a curl command that sends the same requests on one connection and prints the seconds of each.
fn curl(task: &Task<'_>) -> Command {
    let mut command = Command::new("curl");
    command.args(["--silent", "--fail", "--noproxy", "*", "--write-out", "%{time_total}\\n", "--output"]);
    if task.job == "save" {
        command.arg(task.file)
    } else {
        command.arg("/dev/null")
    };
    command.args(["--header", &format!("Authorization: Bearer {}", TOKEN.repeat(TOKEN_REPEATED))]);
    command.args(["--header", &format!("X-TENANT-ID: {TENANT}")]);
    let files =
        |dossier| format!("/api/dossier-templates/f6a601da-8165-485f-bc9f-f257f1f76fde/dossiers/{dossier}/files");
    // The server ignores the query. The first of several requests opens the connection.
    let path = match task.job {
        "upload" => {
            command.args(["--form", &format!("file=@{};type=application/pdf", task.file.display())]);
            files(1)
        }
        "fetch" | "save" => format!("/api/downloads/{}/download", task.bytes),
        // As in `tests/bench/src/jobs.rs`.
        "fetch-untagged" => format!("/api/downloads/{}-untagged/download", task.bytes),
        "list" => format!("{}?[0-{}]", files(task.files), task.count),
        _ => format!("/api/license?[0-{}]", task.count),
    };
    command.arg(format!("{}{path}", task.base_url));
    command
}
