//! Measures the jobs: small calls, large lists, concurrent calls.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::callgrind::{self, Counted};
use super::clients::{Clients, Task};
use super::figures::NotMeasured;
use super::figures::{Row, Subject, Unit};
use super::program::output;
use crate::workspace::print;

/// The longest run takes some seconds.
const LIMIT: Duration = Duration::from_secs(180);

const DECODING: [Subject; 3] = [Subject::Ours, Subject::Reqwest, Subject::Generated];
pub(super) const ALL: [Subject; 4] = [Subject::Ours, Subject::Reqwest, Subject::Generated, Subject::Curl];
/// Length of the short list.
const SHORT_LIST: u64 = 1000;

/// Sizes of the jobs.
pub(super) struct Extent {
    pub(super) rounds: usize,
    /// Sequential calls, for wall time.
    calls: u64,
    /// Calls under callgrind; a second run makes twice as many.
    counted_calls: u64,
    files: u64,
    concurrent_calls: u64,
}

impl Extent {
    pub(super) const FULL: Self =
        Self { rounds: 9, calls: 4000, counted_calls: 500, files: 100_000, concurrent_calls: 20_000 };
    pub(super) const QUICK: Self =
        Self { rounds: 3, calls: 1000, counted_calls: 100, files: 10_000, concurrent_calls: 4000 };

    pub(super) fn to_json(&self) -> Value {
        json!({
            "rounds": self.rounds,
            "calls": self.calls,
            "counted_calls": self.counted_calls,
            "files": self.files,
            "concurrent_calls": self.concurrent_calls,
        })
    }
}

/// Programs, folder and server of a run.
pub(super) struct Bench<'a> {
    pub(super) clients: &'a Clients,
    pub(super) folder: &'a Path,
    pub(super) base_url: &'a str,
    pub(super) extent: &'a Extent,
}

impl Bench<'_> {
    fn task(&self, job: &'static str, count: u64, concurrency: u64) -> Task<'_> {
        let Self { base_url, extent, .. } = *self;
        Task { job, base_url, count, concurrency, files: extent.files, bytes: 0, file: Path::new("unused") }
    }

    /// Measures small calls, sequential and concurrent.
    pub(super) fn calls(&self) -> Result<Vec<Row>, NotMeasured> {
        print("counting instructions and allocations of calls");
        let mut rows =
            self.counted("call", &ALL, "per call", 1, &self.task("call", self.extent.counted_calls, 1)).to_vec();
        print("measuring sequential and concurrent calls");
        let time = Unit::Nanoseconds;
        let of_calls = [("wall per call", time), ("CPU per call", time)];
        rows.extend(self.timed("call", &ALL, &self.task("call", self.extent.calls, 1), &of_calls)?);
        let of_many = [("wall per call", time), ("CPU per call", time), ("peak memory", Unit::Kibibytes)];
        for concurrency in [1, 16, 256] {
            let task = self.task("concurrent", self.extent.concurrent_calls, concurrency);
            rows.extend(self.timed(&format!("{concurrency} at a time"), &DECODING, &task, &of_many)?);
        }
        Ok(rows)
    }

    /// Measures a large list, whole and streamed. For the latter, the hand-written client reads the whole body into the models of the SDK.
    pub(super) fn lists(&self) -> Result<Vec<Row>, NotMeasured> {
        let files = self.extent.files;
        print("counting instructions and allocations of lists");
        let list = format!("list of {files} files");
        let mut rows = self.counted(&list, &DECODING, "per file", files, &self.task("list", 1, 1)).to_vec();
        print("measuring lists");
        let (time, memory) = (Unit::Nanoseconds, Unit::Kibibytes);
        let of_list = [("wall per list", time), ("CPU per list", time), ("peak memory", memory)];
        rows.extend(self.timed(&list, &ALL, &self.task("list", 1, 1), &of_list)?);
        let by_item = [("wall per list", time), ("first item", time), ("peak memory", memory)];
        let both = [Subject::Ours, Subject::Reqwest];
        for files in [files, SHORT_LIST] {
            let task = Task { files, ..self.task("items", 1, 1) };
            rows.extend(self.timed(&format!("{files} files, item by item"), &both, &task, &by_item)?);
        }
        Ok(rows)
    }

    /// Counts instructions and allocations as the difference of a run and a run twice as long, divided by the `parts` of a call.
    fn counted(&self, job: &str, who: &[Subject], per: &'static str, parts: u64, task: &Task<'_>) -> [Row; 2] {
        let names = match per {
            "per file" => ["instructions per file", "allocations per file"],
            _ => ["instructions per call", "allocations per call"],
        };
        let mut rows = names.map(|name| Row::new(job, name, Unit::Count));
        for who in who.iter().copied() {
            let once = |count| -> Result<Counted, NotMeasured> {
                let task = Task { count, ..*task };
                callgrind::count(
                    &self.clients.command(who, &task)?,
                    &format!("{}.{}.{count}", who.name(), task.job),
                    self.folder,
                )
            };
            let both = once(task.count).and_then(|short| Ok((short, once(2 * task.count)?)));
            let pick = |value: fn(&Counted) -> u64| {
                let (short, long) = both.as_ref().map_err(Clone::clone)?;
                Ok(vec![per_part(value(long).saturating_sub(value(short)), task.count * parts)])
            };
            rows[0].add(who, pick(|counted| counted.instructions));
            rows[1].add(who, pick(|counted| counted.allocations));
        }
        rows
    }

    /// Collects the values that the programs print: several rounds, in each round one client after the other.
    pub(super) fn timed(
        &self,
        job: &str,
        who: &[Subject],
        task: &Task<'_>,
        metrics: &[(&'static str, Unit)],
    ) -> Result<Vec<Row>, NotMeasured> {
        // A warm-up run: fills caches and makes the server generate the list.
        self.once(Subject::Reqwest, task)?;
        let mut reports: Vec<Result<Vec<RunReport>, NotMeasured>> = who.iter().map(|_| Ok(Vec::new())).collect();
        for _ in 0..self.extent.rounds {
            for (who, reports) in who.iter().zip(&mut reports) {
                let Ok(so_far) = reports else { continue };
                match self.once(*who, task) {
                    Ok(report) => so_far.push(report),
                    Err(reason) => *reports = Err(reason),
                }
            }
        }
        let row = |(metric, unit): &(&'static str, Unit)| {
            let mut row = Row::new(job, metric, *unit);
            // curl reports the wall time only.
            let is_reported = |who: Subject| who != Subject::Curl || metric.starts_with("wall");
            for (who, reports) in who.iter().zip(&reports).filter(|(who, _)| is_reported(**who)) {
                row.add(*who, reports.as_ref().map_err(Clone::clone).and_then(|reports| numbers(reports, metric)));
            }
            row
        };
        Ok(metrics.iter().map(row).collect())
    }

    fn once(&self, who: Subject, task: &Task<'_>) -> Result<RunReport, NotMeasured> {
        let mut command = self.clients.command(who, task)?;
        if task.job == "save" {
            // Unwritten data of the previous run must not be flushed during this run.
            let _ = std::fs::remove_file(task.file);
        }
        let text = output(&mut command, &format!("{}-{}", who.name(), task.job), self.folder, LIMIT)?;
        if who == Subject::Curl {
            // The first of several transfers opens the connection, like the first call of the other clients.
            let seconds: Vec<f64> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
            let counted = &seconds[usize::from(seconds.len() > 1)..];
            return Ok(RunReport {
                calls: task.count,
                wall: Some(counted.iter().sum::<f64>() * 1e9),
                ..RunReport::default()
            });
        }
        let report: Value =
            serde_json::from_str(&text).map_err(|error| format!("{} printed {text:?}: {error}", who.name()))?;
        Ok(RunReport {
            calls: task.count,
            wall: report["wall_ns"].as_f64(),
            cpu: report["cpu_ns"].as_f64(),
            user: report["user_ns"].as_f64(),
            first: report["first_ns"].as_f64(),
            memory: report["peak_rss_kib"].as_f64(),
        })
    }
}

/// Values that one run reports.
#[derive(Default)]
struct RunReport {
    calls: u64,
    wall: Option<f64>,
    cpu: Option<f64>,
    user: Option<f64>,
    first: Option<f64>,
    memory: Option<f64>,
}

fn numbers(reports: &[RunReport], metric: &str) -> Result<Vec<f64>, NotMeasured> {
    let number = |report: &RunReport| match metric {
        "peak memory" => report.memory,
        "first item" => report.first,
        metric if metric.starts_with("user CPU") => report.user.map(|nanos| nanos / as_float(report.calls)),
        metric if metric.starts_with("CPU") => report.cpu.map(|nanos| nanos / as_float(report.calls)),
        _ => report.wall.map(|nanos| nanos / as_float(report.calls)),
    };
    reports.iter().map(number).collect::<Option<_>>().ok_or_else(|| "the system does not report this value".to_owned())
}

fn per_part(count: u64, parts: u64) -> f64 {
    as_float(count) / as_float(parts)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
fn as_float(number: u64) -> f64 {
    number as f64
}
