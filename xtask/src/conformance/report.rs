//! What validators print, and what all of it means for the exit code.

use std::process::ExitCode;

use super::print;

/// Why there is no good verdict.
#[derive(Debug, PartialEq)]
pub(super) enum CheckError {
    /// Something is wrong with our work.
    Failed(String),
    /// The validator could not be asked: why, and how to get it.
    NotRun(String),
}

/// What a validator found: one line on what was checked, or why there is none.
pub(super) type CheckResult = Result<String, CheckError>;

/// Puts what was being done before the reason of an error.
pub(super) fn failed(what: &str) -> impl FnOnce(std::io::Error) -> CheckError + '_ {
    move |error| CheckError::Failed(format!("{what}: {error}"))
}

/// The verdicts so far.
#[derive(Default)]
pub(super) struct Report {
    passed: usize,
    failed: usize,
    not_run: usize,
}

impl Report {
    /// Takes in one verdict and prints it: one line, and the details of a failure below it.
    pub(super) fn add(&mut self, validator: &str, result: &CheckResult) {
        let (mark, text) = match result {
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
        print(&format!("{mark} {validator}: {}", lines.next().unwrap_or_default()));
        for line in lines {
            print(&format!("        {line}"));
        }
    }

    /// Prints the sums of `job`. Where everything must run, what did not run has failed.
    pub(super) fn finish(&self, job: &str, strict: bool) -> ExitCode {
        let (lines, good) = self.sums(job, strict);
        for line in lines {
            print(&line);
        }
        if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn sums(&self, job: &str, strict: bool) -> ([String; 2], bool) {
        let Self { passed, failed, not_run } = *self;
        let failures = if strict { failed + not_run } else { failed };
        let lines = [
            format!("{job}: {passed} passed, {failed} failed, {not_run} not run"),
            format!("{passed} passed, {failures} failed"),
        ];
        (lines, failures == 0)
    }
}

/// Whether a validator that can't run is a failure: on the machines that decide, it is.
pub(super) fn strict() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judge_that_did_not_run_never_counts_as_passed() {
        let mut report = Report::default();
        report.add("one", &Ok(String::from("fine")));
        report.add("two", &Err(CheckError::NotRun(String::from("no python3"))));
        let lenient = report.sums("validators", false);
        assert_eq!(lenient.0[0], "validators: 1 passed, 0 failed, 1 not run");
        assert_eq!(lenient.0[1], "1 passed, 0 failed");
        assert!(lenient.1);
        let strict = report.sums("validators", true);
        assert_eq!(strict.0[1], "1 passed, 1 failed");
        assert!(!strict.1);
    }
}
