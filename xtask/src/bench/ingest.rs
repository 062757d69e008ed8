//! Measures batch processing: `documine-ingest` and a straightforward program, the cost per document, a second run, and the run report.
//!
//! Each run has a new simulator, which is a process of its own, and the two programs of a round take turns. Ratios are medians over the rounds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::figures::{NotMeasured, median};
use super::program::{cargo, optimized, output};
use super::table::aligned;
use crate::process::{Background, without_settings};
use crate::workspace::{print, root};

const BUILD_LIMIT: Duration = Duration::from_secs(1800);
const RUN_LIMIT: Duration = Duration::from_secs(3600);
const START_LIMIT: Duration = Duration::from_secs(20);

/// Numbers of documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Of the comparison with the straightforward program.
    compared: u64,
    rounds: usize,
    small: u64,
    large: u64,
    /// Only if requested.
    largest: Option<u64>,
}

impl Sizes {
    pub(super) fn new(is_quick: bool, largest: Option<u64>) -> Self {
        if is_quick {
            Self { compared: 200, rounds: 1, small: 200, large: 2000, largest }
        } else {
            Self { compared: 2000, rounds: 3, small: 1000, large: 10_000, largest }
        }
    }
}

/// A goal with its measured value.
struct IngestGoal {
    text: String,
    limit: f64,
    measured: f64,
}

/// Builds the programs, measures, and prints figures and goals. Returns both as JSON.
pub(super) fn run(folder: &Path, sizes: Sizes) -> Result<Value, NotMeasured> {
    let bench = IngestBench::build(folder)?;
    let mut goals = Vec::new();
    let (compared, mut lines) = bench.compare(sizes, &mut goals)?;
    let scale = bench.scale(sizes, &mut goals, &mut lines)?;
    for line in aligned(&lines) {
        print(&line);
    }
    for goal in &goals {
        let state = if goal.measured <= goal.limit { "met" } else { "NOT MET" };
        print(&format!("goal {state}: {} at most {:.3}: {:.3}", goal.text, goal.limit, goal.measured));
    }
    let goals: Vec<_> = goals
        .iter()
        .map(|goal| json!({ "goal": goal.text, "at_most": goal.limit, "measured": goal.measured, "met": goal.measured <= goal.limit }))
        .collect();
    Ok(json!({ "compared": compared, "scale": scale, "goals": goals }))
}

struct IngestBench {
    program: PathBuf,
    simulator: PathBuf,
    folder: PathBuf,
}

impl IngestBench {
    fn build(folder: &Path) -> Result<Self, NotMeasured> {
        print("building the programs of the batch benchmark");
        let target = root().join("target");
        let mut build = cargo();
        build.current_dir(root()).args(["build", "--release", "--package", "documine-bench", "--features", "ingest"]);
        build.args(["--package", "documine-sim", "--bin", "ingest-bench", "--bin", "documine-sim", "--target-dir"]);
        output(optimized(build.arg(&target)), "ingest-build", folder, BUILD_LIMIT)?;
        let folder = folder.join("ingest");
        clear(&folder)?;
        Ok(Self {
            program: target.join("release/ingest-bench"),
            simulator: target.join("release/documine-sim"),
            folder,
        })
    }

    /// Writes documents and returns their folder.
    fn documents(&self, count: u64) -> Result<PathBuf, NotMeasured> {
        let folder = self.folder.join(format!("documents-{count}"));
        if !folder.exists() {
            self.job("write", &folder, &self.folder, count, None)?;
        }
        Ok(folder)
    }

    /// Runs a job and returns the measured values.
    fn job(
        &self,
        name: &str,
        folder: &Path,
        work: &Path,
        count: u64,
        simulator: Option<&RunningSimulator>,
    ) -> Result<Value, NotMeasured> {
        let mut command = Command::new(&self.program);
        without_settings(&mut command);
        command.arg(name).arg("--folder").arg(folder).arg("--work").arg(work).args(["--count", &count.to_string()]);
        if let Some(simulator) = simulator {
            command.envs(simulator.environment.iter().map(|(name, value)| (*name, value)));
        }
        let text = output(&mut command, name, &self.folder, RUN_LIMIT)?;
        serde_json::from_str(&text).map_err(|error| format!("{name} printed {text:?}: {error}"))
    }

    fn work(&self, name: &str) -> Result<PathBuf, NotMeasured> {
        let work = self.folder.join(name);
        clear(&work)?;
        Ok(work)
    }

    /// Compares with the straightforward program.
    fn compare(
        &self,
        sizes: Sizes,
        goals: &mut Vec<IngestGoal>,
    ) -> Result<(Vec<Value>, Vec<Vec<String>>), NotMeasured> {
        let count = sizes.compared;
        print(&format!("{count} documents, {} rounds, beside a straightforward program", sizes.rounds));
        let documents = self.documents(count)?;
        let mut rounds = Vec::new();
        let mut lines = vec![["run", "documents", "wall", "CPU", "requests", "peak MiB"].map(str::to_owned).to_vec()];
        for round in 0..sizes.rounds {
            let mut both = serde_json::Map::new();
            for name in ["ours", "simple"] {
                let simulator = RunningSimulator::start(&self.simulator, &self.folder)?;
                let measured =
                    self.job(name, &documents, &self.work(&format!("{name}-{round}"))?, count, Some(&simulator))?;
                lines.push(line(name, &measured));
                both.insert(name.to_owned(), measured);
            }
            rounds.push(Value::Object(both));
        }
        for (text, value, limit) in
            [("wall time", "wall_s", 1.05), ("requests", "requests", 0.5), ("CPU", "cpu_s", 1.3)]
        {
            let ratios = rounds
                .iter()
                .filter_map(|round| Some(round["ours"][value].as_f64()? / round["simple"][value].as_f64()?));
            if let Some(measured) = median(&ratios.collect::<Vec<_>>()) {
                let text = format!("{text} of {count} documents, relative to a straightforward program,");
                goals.push(IngestGoal { text, limit, measured });
            }
        }
        Ok((rounds, lines))
    }

    /// Measures the cost per document, a second run, the journal and the report.
    fn scale(
        &self,
        sizes: Sizes,
        goals: &mut Vec<IngestGoal>,
        lines: &mut Vec<Vec<String>>,
    ) -> Result<Value, NotMeasured> {
        let mut measured = Vec::new();
        for count in [Some(sizes.small), Some(sizes.large), sizes.largest].into_iter().flatten() {
            print(&format!("{count} documents: a run, the same again, and the report"));
            let (documents, work) = (self.documents(count)?, self.work(&format!("scale-{count}"))?);
            let simulator = RunningSimulator::start(&self.simulator, &self.folder)?;
            let first = self.job("ours", &documents, &work, count, Some(&simulator))?;
            let again = self.job("ours", &documents, &work, count, Some(&simulator))?;
            drop(simulator);
            let hash = self.job("hash", &documents, &work, count, None)?;
            let report = self.job("report", &documents, &work, count, None)?;
            for (name, value) in [("ours", &first), ("again", &again), ("hash", &hash), ("report", &report)] {
                lines.push(line(name, value));
            }
            let number = |value: &Value, name: &str| value[name].as_f64().unwrap_or(f64::NAN);
            let of_count = number(&first, "documents");
            print(&format!(
                "{count} documents: {:.1} ms CPU each, journal {:.0} bytes each, {:.0} transitions/s, second run {:.2} s with {} uploads, hashing {:.2} s, report {:.2} s and {:.1} MB",
                1e3 * number(&first, "cpu_s") / of_count,
                number(&first, "journal_bytes") / of_count,
                number(&first, "transitions") / number(&first, "wall_s"),
                number(&again, "wall_s"),
                again["uploads"],
                number(&hash, "wall_s"),
                number(&report, "wall_s"),
                number(&report, "bytes") / 1e6,
            ));
            measured
                .push(json!({ "documents": count, "first": first, "again": again, "hash": hash, "report": report }));
        }
        let value = |index: usize, run: &str, name: &str| measured.get(index)?[run][name].as_f64();
        let per_document = |index: usize| Some(value(index, "first", "cpu_s")? / value(index, "first", "documents")?);
        let memory = |index: usize| value(index, "first", "peak_rss_kib");
        let last = measured.len() - 1;
        let mut add = |text: &str, limit: f64, measured: Option<f64>| {
            goals.extend(measured.map(|measured| IngestGoal { text: text.to_owned(), limit, measured }));
        };
        add(
            "CPU per document of the largest run, relative to the smallest,",
            1.1,
            per_document(last).zip(per_document(0)).map(|(large, small)| large / small),
        );
        add("peak memory of the largest run in MiB", 200.0, memory(last).map(|kibibytes| kibibytes / 1024.0));
        if sizes.largest.is_some() {
            add(
                "peak memory of the largest run, relative to the one before,",
                1.5,
                memory(last).zip(memory(last - 1)).map(|(large, small)| large / small),
            );
        }
        add(
            "a second run of unchanged documents, relative to hashing them,",
            0.1,
            value(last, "again", "wall_s").zip(value(last, "hash", "wall_s")).map(|(again, hash)| again / hash),
        );
        add("time of the report in s", 2.0, value(1, "report", "wall_s"));
        add("size of the report in MB", 20.0, value(1, "report", "bytes").map(|bytes| bytes / 1e6));
        Ok(json!(measured))
    }
}

/// A simulator with the environment of its clients. Dropping the value stops the simulator.
struct RunningSimulator {
    environment: Vec<(&'static str, String)>,
    _process: Background,
}

impl RunningSimulator {
    fn start(program: &Path, folder: &Path) -> Result<Self, NotMeasured> {
        let mut command = Command::new(program);
        without_settings(&mut command);
        let process = Background::start(&mut command, "simulator", folder, Duration::ZERO)?;
        let line = process.next_line(START_LIMIT).unwrap_or_default();
        let ready: Value =
            serde_json::from_str(&line).map_err(|_| format!("start the simulator: {}", process.errors()))?;
        let variables = [
            ("DOCUMINE_BASE_URL", "base_url"),
            ("DOCUMINE_WORKSPACE_ID", "workspace_id"),
            ("DOCUMINE_CLIENT_ID", "client_id"),
            ("DOCUMINE_CLIENT_SECRET", "client_secret"),
            ("DOCUMINE_USERNAME", "username"),
            ("DOCUMINE_PASSWORD", "password"),
            ("DOCUMINE_DOSSIER_TEMPLATE_ID", "dossier_template_id"),
        ];
        let environment = variables.map(|(name, field)| (name, ready[field].as_str().unwrap_or_default().to_owned()));
        Ok(Self { environment: environment.to_vec(), _process: process })
    }
}

/// Empties a folder, or creates it.
fn clear(folder: &Path) -> Result<(), NotMeasured> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn line(name: &str, measured: &Value) -> Vec<String> {
    let number = |name: &str, divisor: f64, digits: usize| {
        measured[name].as_f64().map(|number| format!("{:.digits$}", number / divisor)).unwrap_or_default()
    };
    let seconds = |name: &str| format!("{} s", number(name, 1.0, 2));
    let memory = number("peak_rss_kib", 1024.0, 0);
    vec![
        name.to_owned(),
        number("documents", 1.0, 0),
        seconds("wall_s"),
        seconds("cpu_s"),
        number("requests", 1.0, 0),
        memory,
    ]
}
