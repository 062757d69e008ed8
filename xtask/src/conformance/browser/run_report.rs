//! Opens the run report of 10,000 documents in Chromium: search, filters, sorting, pages.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::SESSION_LIMIT;
use crate::conformance::cache::{self, Cache};
use crate::conformance::cargo;
use crate::conformance::error::{CheckError, CheckResult, failed};
use crate::process;
use crate::workspace::root;

/// The test of `documine-ingest` that writes the report.
const WRITER: &str = "report::tests::writes_reports_of_many_documents";
const BUILD_LIMIT: Duration = Duration::from_secs(1200);
/// Slowest reaction to an action, in milliseconds. Chromium needs a tenth of it on a laptop.
const SLOWEST: u64 = 3000;
/// A report of 10,000 documents has at least this many rows.
const LEAST_ROWS: u64 = 90_000;

pub(super) fn run(cache: &Cache, chromium: &Path) -> CheckResult {
    let folder = cache.folder.join("run-report");
    std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
    let command = &mut cargo::cargo(&root());
    command.env("DOCUMINE_REPORT_FOLDER", &folder);
    command.args(["test", "--quiet", "--package", "documine-ingest", "--lib", "--", "--exact", WRITER]);
    let written = process::run(command, "report-writer", &cache.folder, BUILD_LIMIT)?;
    if !written.success() {
        return Err(CheckError::Failed(written.tail()));
    }
    let script = cache.node("browser")?.join("report.mjs");
    let task = serde_json::json!({"file": folder.join("report.html"), "browser": chromium});
    let command = &mut Command::new("node");
    command.arg(script).arg(task.to_string());
    let finished = process::run(command, "report", &cache.folder, SESSION_LIMIT).map_err(cache::without_node)?;
    match serde_json::from_str(finished.stdout.trim()) {
        Ok(seen) if finished.success() => check(&seen),
        _ => Err(CheckError::Failed(finished.tail())),
    }
}

fn check(seen: &Value) -> CheckResult {
    let number = |name: &str| seen[name].as_u64().unwrap_or_default();
    let failures: Vec<_> = seen["failures"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !seen["failures"].is_array() || !failures.is_empty() {
        return Err(CheckError::Failed(format!("the report does not work: {}", failures.join("; "))));
    }
    let (rows, loaded, slowest) = (number("rows"), number("loaded"), number("slowest"));
    if rows < LEAST_ROWS || loaded.max(slowest) > SLOWEST {
        return Err(CheckError::Failed(format!("too few rows or too slow: {seen}")));
    }
    Ok(format!("{rows} rows; opened in {loaded} ms, slowest reaction {slowest} ms"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn rejects_failed_and_slow_reports() {
        let seen = json!({"rows": 99_000, "failures": [], "loaded": 400, "slowest": 200});
        assert!(check(&seen).is_ok());
        for (name, value) in [
            ("rows", json!(10)),
            ("failures", json!(["search"])),
            ("failures", json!(null)),
            ("loaded", json!(9000)),
            ("slowest", json!(9000)),
        ] {
            let mut seen = seen.clone();
            seen[name] = value;
            assert!(check(&seen).is_err(), "{name}");
        }
    }
}
