//! The report of a conformance suite: one line for each check, a summary, and the exit code.

use std::process::ExitCode;

use super::cache::Cache;
use super::error::{CheckError, CheckResult};
use crate::workspace::print;

/// The results so far.
#[derive(Default)]
pub(super) struct Report {
    passed: usize,
    failed: usize,
    not_run: usize,
}

impl Report {
    /// Runs the checks of a suite with a cache. The output of the programs is kept when a check fails.
    pub(super) fn run(suite: &str, checks: impl FnOnce(&Cache, &mut Self)) -> ExitCode {
        let mut report = Self::default();
        match Cache::open() {
            Err(error) => report.add("cache", &Err(error)),
            Ok(cache) => {
                checks(&cache, &mut report);
                let keep = report.failed > 0;
                if keep {
                    print(&format!("output of this run: {}", cache.folder.display()));
                }
                cache.close(keep);
            }
        }
        report.finish(suite, requires_all())
    }

    /// Counts a result and prints it: one line, and the details of a failure below it.
    pub(super) fn add(&mut self, check: &str, result: &CheckResult) {
        let (label, text) = match result {
            Ok(text) => {
                self.passed += 1;
                ("passed ", text)
            }
            Err(CheckError::Failed(text)) => {
                self.failed += 1;
                ("FAILED ", text)
            }
            Err(CheckError::NotRun(text)) => {
                self.not_run += 1;
                ("NOT RUN", text)
            }
        };
        let mut lines = text.lines();
        print(&format!("{label} {check}: {}", lines.next().unwrap_or_default()));
        for line in lines {
            print(&format!("        {line}"));
        }
    }

    /// Returns whether a check has failed.
    pub(super) fn has_failures(&self) -> bool {
        self.failed > 0
    }

    fn finish(&self, suite: &str, requires_all: bool) -> ExitCode {
        let (lines, success) = self.summary(suite, requires_all);
        for line in lines {
            print(&line);
        }
        if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn summary(&self, suite: &str, requires_all: bool) -> ([String; 2], bool) {
        let Self { passed, failed, not_run } = *self;
        let failures = if requires_all { failed + not_run } else { failed };
        let lines = [
            format!("{suite}: {passed} passed, {failed} failed, {not_run} not run"),
            format!("{passed} passed, {failures} failed"),
        ];
        (lines, failures == 0)
    }
}

/// Returns whether a check that cannot run counts as failed: in CI.
fn requires_all() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_that_did_not_run_never_counts_as_passed() {
        let mut report = Report::default();
        report.add("one", &Ok(String::from("fine")));
        report.add("two", &Err(CheckError::NotRun(String::from("no python3"))));
        let lenient = report.summary("validators", false);
        assert_eq!(lenient.0[0], "validators: 1 passed, 0 failed, 1 not run");
        assert_eq!(lenient.0[1], "1 passed, 0 failed");
        assert!(lenient.1);
        let strict = report.summary("validators", true);
        assert_eq!(strict.0[1], "1 passed, 1 failed");
        assert!(!strict.1);
    }
}
