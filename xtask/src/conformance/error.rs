//! Errors of checks.

use crate::process::RunError;

/// Reason why a check did not pass.
#[derive(Debug, PartialEq)]
pub(super) enum CheckError {
    /// The check found a mistake in this workspace.
    Failed(String),
    /// The check could not run; the text names what is missing and how to install it.
    NotRun(String),
}

impl CheckError {
    /// Adds a hint on how to install what is missing to a check that could not run.
    pub(super) fn with_help(self, help: &str) -> Self {
        match self {
            Self::NotRun(reason) => Self::NotRun(format!("{help}\n{reason}")),
            failed @ Self::Failed(_) => failed,
        }
    }
}

impl From<RunError> for CheckError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NotStarted(reason) => Self::NotRun(reason),
            RunError::Failed(reason) => Self::Failed(reason),
        }
    }
}

/// Result of a check: one line on what was checked, or the reason why the check did not pass.
pub(super) type CheckResult = Result<String, CheckError>;

/// Prefixes an I/O error with the operation or the path.
pub(super) fn failed(context: &str) -> impl FnOnce(std::io::Error) -> CheckError + '_ {
    move |error| CheckError::Failed(format!("{context}: {error}"))
}
