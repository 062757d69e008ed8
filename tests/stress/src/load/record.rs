//! The records of the clients: calls, failures, and the expected state of each object.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use documine::{
    Error,
    observe::{CallEnded, Observer, Retrying},
};

/// Expected state of an object, by the response to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExpectedState {
    /// The object exists.
    Present,
    /// The request was not sent, so that the object does not exist.
    NotSent,
    /// The request was sent and failed; the object may exist.
    Unknown,
    /// The object was deleted.
    Deleted,
    /// The deletion was sent and failed; the object may exist.
    MaybeDeleted,
}

impl ExpectedState {
    /// Returns the state after a failed creation.
    pub(crate) fn after_error(error: &Error) -> Self {
        if error.was_sent() { Self::Unknown } else { Self::NotSent }
    }
}

/// Records that all clients share.
pub(crate) struct Records {
    limit: u64,
    deadline: Instant,
    calls: AtomicU64,
    failed: AtomicU64,
    retries: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Dossiers by their unique names.
    dossiers: BTreeMap<String, ExpectedState>,
    /// Files by the names of dossier and file.
    files: BTreeMap<(String, String), ExpectedState>,
    errors: BTreeMap<String, u64>,
    packages: u64,
    /// Packages that resumed the partial file of an earlier call.
    resumed: u64,
    findings: Vec<String>,
}

/// Counts for the report.
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    pub(crate) retries: u64,
}

impl Records {
    pub(crate) fn new(limit: u64, deadline: Instant) -> Self {
        Self {
            limit,
            deadline,
            calls: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// Returns whether calls and time are left.
    pub(crate) fn has_budget(&self) -> bool {
        self.calls.load(Ordering::Relaxed) < self.limit && Instant::now() < self.deadline
    }

    pub(crate) fn dossier(&self, name: &str, expected: ExpectedState) {
        self.state().dossiers.insert(name.to_owned(), expected);
    }

    pub(crate) fn file(&self, dossier: &str, name: &str, expected: ExpectedState) {
        self.state().files.insert((dossier.to_owned(), name.to_owned()), expected);
    }

    pub(crate) fn package(&self) {
        self.state().packages += 1;
    }

    /// Records a complete package: bytes left by earlier calls, and the resume offset of the last call.
    pub(crate) fn resumed(&self, left: u64, resume_offset: u64) {
        self.state().resumed += u64::from(resume_offset > 0);
        if resume_offset > left {
            self.finding(format!("a download resumed at {resume_offset} bytes, but {left} were on disk"));
        }
    }

    /// Records a finding.
    pub(crate) fn finding(&self, finding: String) {
        self.state().findings.push(finding);
    }

    /// Counts an error and checks that its text is complete.
    pub(crate) fn error(&self, error: &Error) {
        let line = error.to_string();
        let mut state = self.state();
        if line.is_empty() || line.chars().any(char::is_control) {
            state.findings.push(format!("an error of several lines: {line:?}"));
        }
        if error.operation().is_none() {
            state.findings.push(format!("an error without an operation: {line}"));
        }
        let status = error.status().map(|status| format!(" {}", status.as_u16())).unwrap_or_default();
        *state.errors.entry(format!("{}{status}", error.kind().name())).or_default() += 1;
    }

    pub(crate) fn dossiers(&self) -> BTreeMap<String, ExpectedState> {
        self.state().dossiers.clone()
    }

    pub(crate) fn files(&self) -> BTreeMap<(String, String), ExpectedState> {
        self.state().files.clone()
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        self.state().findings.clone()
    }

    pub(crate) fn errors(&self) -> Vec<(String, u64)> {
        self.state().errors.clone().into_iter().collect()
    }

    pub(crate) fn counts(&self) -> Counts {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts { calls: get(&self.calls), failed: get(&self.failed), retries: get(&self.retries) }
    }

    pub(crate) fn checked(&self) -> String {
        let state = self.state();
        let count =
            |expected| state.dossiers.values().chain(state.files.values()).filter(|state| **state == expected).count();
        format!(
            "{} dossiers and {} files ({} created, {} deleted, {} not created, {} unknown to their client), {} packages ({} of them by several calls)",
            state.dossiers.len(),
            state.files.len(),
            count(ExpectedState::Present),
            count(ExpectedState::Deleted),
            count(ExpectedState::NotSent),
            count(ExpectedState::Unknown) + count(ExpectedState::MaybeDeleted),
            state.packages,
            state.resumed
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Records {
    fn retrying(&self, _: &Retrying<'_>) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, call: &CallEnded<'_>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(call.outcome.is_err()), Ordering::Relaxed);
    }
}
