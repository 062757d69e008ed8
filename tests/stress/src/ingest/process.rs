//! The process that is killed: one run over all documents, which prints a line per event.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Instant;

use documine::{ClientBuilder, models::DossierTemplateId};
use documine_ingest::source::Folder;
use documine_ingest::table::Table;
use documine_ingest::{Event, Ingest, Outputs, RunReport, Verdict};
use documine_sim::Simulator;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::documents::Documents;
use super::kills::{KillPoint, Outcome, Progress, Timing};
use super::{MAX_FILES, PROCESS_LIMIT};
use crate::{Failure, print};

pub(crate) const JOURNAL: &str = "run.sqlite";
/// The outputs; `wide.csv` has one row per document.
pub(crate) const OUTPUTS: [&str; 7] =
    ["failed.jsonl", "run.html", "values.csv", "values.jsonl", "values.parquet", "values.xlsx", "wide.csv"];

/// Options of the process.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the documents
    source: PathBuf,
    /// Folder of the journal and the outputs
    work: PathBuf,
}

/// Runs once. Exit codes: 0 all documents are done, 3 some are not, 1 the run failed.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::from);
    match runtime.and_then(|runtime| runtime.block_on(ingest(arguments))) {
        Ok(report) if report.verdict == Verdict::All => ExitCode::SUCCESS,
        Ok(report) => {
            for failed in &report.failures {
                print(&format!("failed {}: {}", failed.source, failed.failure.cause));
            }
            if let Some(cause) = report.stop_cause {
                print(&format!("stopped: {cause}"));
            }
            ExitCode::from(3)
        }
        Err(error) => {
            print(&format!("error {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn ingest(arguments: &Arguments) -> Result<RunReport, Failure> {
    let client = ClientBuilder::from_env()?.build()?;
    let template: DossierTemplateId = std::env::var("DOCUMINE_DOSSIER_TEMPLATE_ID")?.parse()?;
    let mut outputs = Outputs::new();
    for name in OUTPUTS {
        let path = arguments.work.join(name);
        outputs = match name {
            "failed.jsonl" => outputs.failed_list(path),
            "run.html" => outputs.report(path),
            name => outputs.table(Table::from_path(path)?.wide(name.starts_with("wide"))),
        };
    }
    let report = Ingest::new(&client, template)
        .source(Folder::new(&arguments.source))
        .journal(arguments.work.join(JOURNAL))
        .dossier_name("Campaign")
        .max_files_per_dossier(MAX_FILES)
        .outputs(outputs)
        .on_event(|event| match event {
            Event::Listed { open, .. } => print(&format!("listed {open}")),
            Event::StepFinished { step, .. } => print(step.as_str()),
            Event::DocumentFinished { .. } => print("finished"),
            Event::OutputWritten { .. } => print("output"),
            _ => {}
        })
        .run()
        .await?;
    Ok(report)
}

/// A started process.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    begin: Instant,
    progress: Progress,
}

impl Process {
    pub(crate) fn start(sim: &Simulator, documents: &Documents, work: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("ingest-run")
            .arg(&documents.folder)
            .arg(work)
            .envs(sim.environment())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().ok_or("the process has no standard output")?;
        let lines = BufReader::new(output).lines();
        Ok(Self { child, lines, begin: Instant::now(), progress: Progress::default() })
    }

    /// Reads the next line. Returns `false` at the end of the output.
    async fn read(&mut self) -> Result<bool, Failure> {
        let Some(line) = self.lines.next_line().await? else { return Ok(false) };
        match line.split_once(' ') {
            Some(("listed", open)) => self.progress.listed(open.parse()?),
            Some(("error" | "failed" | "stopped:", _)) => {
                print(&format!("  process: {line}"));
                self.progress.error = Some(line);
            }
            _ => self.progress.count(&line),
        }
        Ok(true)
    }

    /// Waits for the end of the process and returns the times of its phases.
    pub(crate) async fn run_to_end(mut self) -> Result<(Timing, ExitStatus), Failure> {
        let mut timing = Timing::default();
        let mut finished_at = self.begin;
        tokio::time::timeout(PROCESS_LIMIT, async {
            while self.read().await? {
                match self.progress.last.as_str() {
                    "listed" => {
                        timing.listing = self.begin.elapsed();
                        finished_at = Instant::now();
                    }
                    "finished" => finished_at = Instant::now(),
                    "output" if timing.outputs.is_zero() => timing.outputs = finished_at.elapsed(),
                    _ => {}
                }
            }
            Ok::<_, Failure>(())
        })
        .await??;
        let status = self.child.wait().await?;
        timing.total = self.begin.elapsed();
        Ok((timing, status))
    }

    /// Runs until the end and returns the error line.
    pub(crate) async fn run_to_error(mut self) -> Result<(Option<String>, ExitStatus), Failure> {
        tokio::time::timeout(PROCESS_LIMIT, async {
            while self.read().await? {}
            Ok::<_, Failure>(())
        })
        .await??;
        Ok((self.progress.error.take(), self.child.wait().await?))
    }

    /// Kills the process at a point, unless the process ends before.
    pub(crate) async fn run_and_kill(mut self, point: &KillPoint) -> Result<Outcome, Failure> {
        let deadline = tokio::time::Instant::now() + PROCESS_LIMIT;
        while !point.is_reached(&self.progress) {
            let line = async {
                match point.delay_before_listing() {
                    Some(delay) => {
                        let pause = delay.saturating_sub(self.begin.elapsed());
                        tokio::select! {
                            biased;
                            () = tokio::time::sleep(pause) => Ok(None),
                            line = self.read() => line.map(Some),
                        }
                    }
                    None => self.read().await.map(Some),
                }
            };
            match tokio::time::timeout_at(deadline, line).await?? {
                // The time before the listing is over.
                None => break,
                Some(true) => {}
                Some(false) => return Ok(Outcome::Ended(self.child.wait().await?)),
            }
        }
        tokio::time::sleep(point.delay_after()).await;
        if let Some(status) = self.child.try_wait()? {
            return Ok(Outcome::Ended(status));
        }
        self.child.kill().await?;
        Ok(Outcome::Killed)
    }
}
