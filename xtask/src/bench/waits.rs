//! How soon waits end and what they cost the service, beside simple pollers; in simulated time, so that it is the same on every machine.

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
/// For how many files it is drawn.
const DRAWN: u64 = 1000;

/// Waits for 10, 1,000 and 10,000 files on each trace, and draws the plot.
pub(super) fn run(program: &Path, folder: &Path, quick: bool) -> Result<Vec<Value>, NotMeasured> {
    print("waiting for many files, in simulated time");
    let mut command = Command::new(program);
    command.args(["waits", "--files", if quick { "10,1000" } else { "10,1000,10000" }]);
    let said = output(&mut command, "waits", folder, LIMIT)?;
    let read = |line: &str| serde_json::from_str(line).map_err(|error| format!("waits says {line:?}: {error}"));
    let waits: Vec<Value> = said.lines().map(read).collect::<Result<_, _>>()?;
    let drawn: Vec<_> = waits.iter().filter(|wait| wait["files"] == DRAWN).collect();
    plot::draw(&drawn, &root().join("target/bench-wait.svg"))?;
    Ok(waits)
}

/// A line for each who waits, trace by trace.
pub(super) fn print_waits(waits: &[Value]) {
    if waits.is_empty() {
        return;
    }
    let head = ["trace", "who looks", "files", "requests", "median delay", "p95 delay"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for wait in waits {
        for line in who(wait) {
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
    print(
        "- as many, evenly: somebody who knew in advance when the last file is done, and spread just as many looks evenly up to then",
    );
    print("the plot: target/bench-wait.svg\n");
}

/// Ours, the same number evenly, and the others.
fn who(wait: &Value) -> impl Iterator<Item = &Value> {
    [&wait["ours"], &wait["even"]].into_iter().chain(wait["others"].as_array().into_iter().flatten())
}
