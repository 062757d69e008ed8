//! The result of a run: the summary, and the failed files and packages.

use crate::failure::{Code, Failure};
use crate::show::Show;
use crate::summary::{FailedSummary, Summary};

/// A run that came to its end.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) summary: Summary,
    files: Vec<Failure>,
    packages: Vec<Failure>,
}

impl Outcome {
    /// Records a failed file. The others continue, unless the failure would affect them as well.
    pub(crate) fn file_failed(&mut self, show: &Show, name: String, failure: Failure) -> Result<(), Failure> {
        let failure = self.failed(show, name, failure)?;
        self.files.push(failure);
        Ok(())
    }

    /// Records a failed package. The others continue, unless the failure would affect them as well.
    pub(crate) fn package_failed(&mut self, show: &Show, kind: &str, failure: Failure) -> Result<(), Failure> {
        let failure = self.failed(show, format!("package {kind:?}"), failure)?;
        self.packages.push(failure);
        Ok(())
    }

    fn failed(&mut self, show: &Show, name: String, failure: Failure) -> Result<Failure, Failure> {
        if failure.concerns_everything() {
            return Err(failure);
        }
        show.line(format_args!("FAILED {failure}"));
        self.summary.failed.push(FailedSummary { name, error: failure.to_string() });
        Ok(failure)
    }

    /// No file is left to process.
    pub(crate) fn nothing_is_left(&self) -> Failure {
        match self.files.as_slice() {
            [] => Failure::new(Code::Other, "the dossier holds no processed file; pass a PDF"),
            [only] => only.clone(),
            [first, others @ ..] => {
                let code =
                    if others.iter().all(|other| other.code() == first.code()) { first.code() } else { Code::Other };
                Failure::new(code, format!("all {} files failed: {}", self.files.len(), joined(&self.files)))
            }
        }
    }

    /// `None`: everything succeeded.
    pub(crate) fn failure(&self) -> Option<Failure> {
        if let Some(first) = self.packages.first() {
            let all: Vec<_> = self.packages.iter().chain(&self.files).cloned().collect();
            return Some(Failure::new(first.code(), joined(&all)));
        }
        if self.files.is_empty() {
            return None;
        }
        let all = self.files.len() + self.summary.files.len();
        let line = format!("{} of {all} files failed, the others are done: {}", self.files.len(), joined(&self.files));
        Some(Failure::new(Code::SomeFiles, line))
    }
}

fn joined(failures: &[Failure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}
