//! The goals of the figures. Goals are printed, not asserted, because machines are shared and noisy.

use serde_json::{Value, json};

use super::build;
use super::figures::{Row, Subject, median};
use crate::workspace::print;

/// A number that should not exceed a limit.
struct Goal {
    text: &'static str,
    limit: f64,
    /// Returns `None` if nothing was measured.
    number: fn(&[Row]) -> Option<f64>,
}

const GOALS: [Goal; 16] = [
    Goal {
        text: "instructions per call, relative to hand-written reqwest",
        limit: 1.05,
        number: |rows| ratio(rows, "call", "instructions per call", Subject::Reqwest),
    },
    Goal {
        text: "instructions per call, relative to the generated client",
        limit: 1.0,
        number: |rows| ratio(rows, "call", "instructions per call", Subject::Generated),
    },
    Goal {
        text: "time to the first item of a list, relative to the whole time",
        limit: 0.05,
        number: |rows| {
            let job = longest(rows)?;
            Some(ours(rows, job, "first item")? / ours(rows, job, "wall per list")?)
        },
    },
    Goal {
        text: "peak memory of the list, relative to a short list",
        limit: 1.3,
        number: |rows| {
            let short = ours(rows, "1000 files, item by item", "peak memory")?;
            Some(ours(rows, longest(rows)?, "peak memory")? / short)
        },
    },
    Goal {
        text: "time of the streamed list, relative to serde_json on the whole body",
        limit: 1.25,
        number: |rows| ratio(rows, longest(rows)?, "wall per list", Subject::Reqwest),
    },
    Goal {
        text: "time of an upload, relative to reqwest",
        limit: MAX_SLOWDOWN,
        number: |rows| of_transfer(rows, "upload", "wall per GiB"),
    },
    Goal {
        text: "time of a download, relative to reqwest",
        limit: MAX_SLOWDOWN,
        number: |rows| of_transfer(rows, "download", "wall per GiB"),
    },
    Goal {
        text: "time of a download to a file, relative to reqwest",
        limit: MAX_SLOWDOWN,
        number: |rows| of_transfer(rows, "download to a file", "wall per GiB"),
    },
    Goal {
        text: "user CPU of an upload, relative to reqwest",
        limit: 1.05,
        number: |rows| of_transfer(rows, "upload", USER_CPU),
    },
    Goal {
        text: "user CPU of a download, relative to reqwest",
        limit: 1.05,
        number: |rows| of_transfer(rows, "download", USER_CPU),
    },
    Goal {
        text: "user CPU of a download to a file, relative to reqwest",
        limit: 1.05,
        number: |rows| of_transfer(rows, "download to a file", USER_CPU),
    },
    Goal { text: "peak memory of an upload, in MiB", limit: 32.0, number: |rows| mebibytes(rows, "upload") },
    Goal { text: "peak memory of a download, in MiB", limit: 32.0, number: |rows| mebibytes(rows, "download") },
    Goal {
        text: "peak memory of a download to a file, in MiB",
        limit: 32.0,
        number: |rows| mebibytes(rows, "download to a file"),
    },
    Goal {
        text: "CPU of a clean build, relative to octocrab",
        limit: 1.1,
        number: |rows| ratio(rows, "build", build::CPU, Subject::Octocrab),
    },
    Goal {
        text: "CPU of a clean build with minimal features, relative to async-openai",
        limit: 1.25,
        number: |rows| find(rows, "build", build::CPU)?.ratio_of(Subject::OursMinimal, Subject::AsyncOpenai),
    },
];

/// At least 95 % of the throughput.
const MAX_SLOWDOWN: f64 = 1.0 / 0.95;
const USER_CPU: &str = "user CPU per GiB";

/// Prints the state of each measured goal.
pub(super) fn print_goals(rows: &[Row]) {
    for goal in &GOALS {
        if let Some(number) = (goal.number)(rows) {
            let state = if number <= goal.limit { "met" } else { "NOT MET" };
            print(&format!("goal {state}: {} at most {:.3}: {number:.3}", goal.text, goal.limit));
        }
    }
}

pub(super) fn to_json(rows: &[Row]) -> Value {
    let goals = GOALS.iter().map(|goal| {
        let number = (goal.number)(rows);
        json!({ "goal": goal.text, "at_most": goal.limit, "measured": number, "met": number.map(|number| number <= goal.limit) })
    });
    goals.collect()
}

fn find<'a>(rows: &'a [Row], job: &str, metric: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.job == job && row.metric == metric)
}

fn ratio(rows: &[Row], job: &str, metric: &str, other: Subject) -> Option<f64> {
    find(rows, job, metric)?.ratio(other)
}

fn ours(rows: &[Row], job: &str, metric: &str) -> Option<f64> {
    median(find(rows, job, metric)?.rounds(Subject::Ours)?)
}

/// Returns the longest streamed list, which is the first.
fn longest(rows: &[Row]) -> Option<&str> {
    rows.iter().find(|row| row.job.ends_with("item by item")).map(|row| row.job.as_str())
}

fn of_transfer(rows: &[Row], job: &str, metric: &str) -> Option<f64> {
    ratio(rows, job, metric, Subject::Reqwest)
}

fn mebibytes(rows: &[Row], job: &str) -> Option<f64> {
    ours(rows, job, "peak memory").map(|kibibytes| kibibytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::super::figures::Unit;
    use super::*;

    #[test]
    fn goal_without_figures_is_neither_met_nor_missed() {
        let mut row = Row::new("call", "instructions per call", Unit::Count);
        row.add(Subject::Ours, Ok(vec![104.0]));
        row.add(Subject::Reqwest, Ok(vec![100.0]));
        let mut memory = Row::new("upload", "peak memory", Unit::Kibibytes);
        memory.add(Subject::Ours, Ok(vec![33.0 * 1024.0]));
        let goals = to_json(&[row, memory]);
        let met: Vec<_> = goals.as_array().into_iter().flatten().filter_map(|goal| goal["met"].as_bool()).collect();
        assert_eq!(met, [true, false]);
    }
}
