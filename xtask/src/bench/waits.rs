//! Measures delay and requests of waits, compared with simple pollers, in simulated time, so that all machines give the same figures.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::figures::NotMeasured;
use super::plot;
use super::program::output;
use super::table::aligned;
use crate::workspace::{print, root};

const LIMIT: Duration = Duration::from_secs(900);
/// Number of files in the plot.
const PLOTTED_FILES: u64 = 1000;

/// Waits for 10, 1,000 and 10,000 files on each trace, and draws the plot.
pub(super) fn run(program: &Path, folder: &Path, quick: bool) -> Result<Vec<Value>, NotMeasured> {
    print("waiting for many files, in simulated time");
    let mut command = Command::new(program);
    command.args(["waits", "--files", if quick { "10,1000" } else { "10,1000,10000" }]);
    let text = output(&mut command, "waits", folder, LIMIT)?;
    let read = |line: &str| serde_json::from_str(line).map_err(|error| format!("waits printed {line:?}: {error}"));
    let waits: Vec<Value> = text.lines().map(read).collect::<Result<_, _>>()?;
    let drawn: Vec<_> = waits.iter().filter(|wait| wait["files"] == PLOTTED_FILES).collect();
    plot::draw(&drawn, &root().join("target/bench-wait.svg"))?;
    Ok(waits)
}

/// Prints a line for each poller, trace by trace.
pub(super) fn print_waits(waits: &[Value]) {
    if waits.is_empty() {
        return;
    }
    let head = ["trace", "poller", "files", "requests", "median delay", "p95 delay"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for wait in waits {
        for line in pollers(wait) {
            let seconds = |name: &str| format!("{:.2} s", line[name].as_f64().unwrap_or(f64::NAN));
            lines.push(vec![
                wait["trace"].as_str().unwrap_or_default().to_owned(),
                line["who"].as_str().unwrap_or_default().to_owned(),
                wait["files"].to_string(),
                line["requests"].to_string(),
                seconds("median_s"),
                seconds("p95_s"),
            ]);
        }
    }
    for line in aligned(&lines) {
        print(&line);
    }
    print("- as many, evenly: the same number of polls at a fixed interval up to the end of the last file");
    print("the plot: target/bench-wait.svg\n");
}

/// Returns ours, the same number of polls at a fixed interval, and the others.
fn pollers(wait: &Value) -> impl Iterator<Item = &Value> {
    [&wait["ours"], &wait["even"]].into_iter().chain(wait["others"].as_array().into_iter().flatten())
}
