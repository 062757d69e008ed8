//! What judges say, and what all of it means for the exit code.

use std::process::ExitCode;

use super::say;

/// Why there is no good verdict.
#[derive(Debug, PartialEq)]
pub(super) enum Stop {
    /// Something is wrong with our work.
    Failed(String),
    /// The judge could not be asked: why, and how to get it.
    NotRun(String),
}

/// What a judge found: one line on what was checked, or why there is none.
pub(super) type Judged = Result<String, Stop>;

/// Puts what was being done before the reason of an error.
pub(super) fn failed(what: &str) -> impl FnOnce(std::io::Error) -> Stop + '_ {
    move |error| Stop::Failed(format!("{what}: {error}"))
}

/// The verdicts so far.
#[derive(Default)]
pub(super) struct Tally {
    passed: usize,
    failed: usize,
    not_run: usize,
}

impl Tally {
    /// Takes in one verdict and prints it: one line, and the details of a failure below it.
    pub(super) fn add(&mut self, judge: &str, judged: &Judged) {
        let (mark, text) = match judged {
            Ok(text) => {
                self.passed += 1;
                ("passed ", text)
            }
            Err(Stop::Failed(text)) => {
                self.failed += 1;
                ("FAILED ", text)
            }
            Err(Stop::NotRun(text)) => {
                self.not_run += 1;
                ("NOT RUN", text)
            }
        };
        let mut lines = text.lines();
        say(&format!("{mark} {judge}: {}", lines.next().unwrap_or_default()));
        for line in lines {
            say(&format!("        {line}"));
        }
    }

    /// Prints the sums of `job`. Where everything must run, what did not run has failed.
    pub(super) fn finish(&self, job: &str, strict: bool) -> ExitCode {
        let (lines, good) = self.sums(job, strict);
        for line in lines {
            say(&line);
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

/// Whether a judge that can't run is a failure: on the machines that decide, it is.
pub(super) fn strict() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judge_that_did_not_run_never_counts_as_passed() {
        let mut tally = Tally::default();
        tally.add("one", &Ok(String::from("fine")));
        tally.add("two", &Err(Stop::NotRun(String::from("no python3"))));
        let lenient = tally.sums("judges", false);
        assert_eq!(lenient.0[0], "judges: 1 passed, 0 failed, 1 not run");
        assert_eq!(lenient.0[1], "1 passed, 0 failed");
        assert!(lenient.1);
        let strict = tally.sums("judges", true);
        assert_eq!(strict.0[1], "1 passed, 1 failed");
        assert!(!strict.1);
    }
}
