//! What the clients remember: every call, every failure, and of each thing that was to be made what they were told of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use documine::{CallEnded, Error, Observer, Retrying};

/// What a client was told of something that it wanted to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is there.
    Made,
    /// The request never reached the service.
    NotSent,
    /// Nobody knows.
    Perhaps,
    /// It was there, and was deleted.
    Deleted,
    /// It was there, and nobody knows whether it still is.
    PerhapsDeleted,
}

impl Told {
    /// What a failed creation means.
    pub(crate) fn by(error: &Error) -> Self {
        if error.was_sent() { Self::Perhaps } else { Self::NotSent }
    }
}

/// All that is remembered, shared by all clients.
pub(crate) struct Records {
    limit: u64,
    deadline: Instant,
    calls: AtomicU64,
    failed: AtomicU64,
    retries: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By the name of the dossier, which no other has.
    dossiers: BTreeMap<String, Told>,
    /// By the name of the dossier and of the file.
    files: BTreeMap<(String, String), Told>,
    errors: BTreeMap<String, u64>,
    packages: u64,
    /// Of them those that went on with the part of an earlier call.
    resumed: u64,
    findings: Vec<String>,
}

/// Numbers for the report.
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
            kept: Mutex::default(),
        }
    }

    /// Whether there is anything left to do.
    pub(crate) fn goes_on(&self) -> bool {
        self.calls.load(Ordering::Relaxed) < self.limit && Instant::now() < self.deadline
    }

    pub(crate) fn dossier(&self, name: &str, told: Told) {
        self.kept().dossiers.insert(name.to_owned(), told);
    }

    pub(crate) fn file(&self, dossier: &str, name: &str, told: Told) {
        self.kept().files.insert((dossier.to_owned(), name.to_owned()), told);
    }

    pub(crate) fn package(&self) {
        self.kept().packages += 1;
    }

    /// A package came whole, of which an earlier call had left so many bytes; the last one went on behind so many.
    pub(crate) fn resumed(&self, left: u64, resumed_at: u64) {
        self.kept().resumed += u64::from(resumed_at > 0);
        if resumed_at > left {
            self.wrong(format!("a download went on behind {resumed_at} bytes, but there were {left}"));
        }
    }

    /// Something that must not be.
    pub(crate) fn wrong(&self, finding: String) {
        self.kept().findings.push(finding);
    }

    /// Counts an error that a caller saw, and looks whether it says what an error has to print.
    pub(crate) fn error(&self, error: &Error) {
        let line = error.to_string();
        let mut kept = self.kept();
        if line.is_empty() || line.chars().any(char::is_control) {
            kept.findings.push(format!("an error that is not one line: {line:?}"));
        }
        if error.operation().is_none() {
            kept.findings.push(format!("an error that names no operation: {line}"));
        }
        let status = error.status().map(|status| format!(" {}", status.as_u16())).unwrap_or_default();
        *kept.errors.entry(format!("{}{status}", error.kind().name())).or_default() += 1;
    }

    pub(crate) fn dossiers(&self) -> BTreeMap<String, Told> {
        self.kept().dossiers.clone()
    }

    pub(crate) fn files(&self) -> BTreeMap<(String, String), Told> {
        self.kept().files.clone()
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        self.kept().findings.clone()
    }

    pub(crate) fn errors(&self) -> Vec<(String, u64)> {
        self.kept().errors.clone().into_iter().collect()
    }

    pub(crate) fn counts(&self) -> Counts {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts { calls: get(&self.calls), failed: get(&self.failed), retries: get(&self.retries) }
    }

    pub(crate) fn checked(&self) -> String {
        let kept = self.kept();
        let told = |told| kept.dossiers.values().chain(kept.files.values()).filter(|found| **found == told).count();
        format!(
            "{} dossiers and {} files ({} made, {} deleted, {} surely not made, {} unknown to their client), {} packages ({} of them by several calls)",
            kept.dossiers.len(),
            kept.files.len(),
            told(Told::Made),
            told(Told::Deleted),
            told(Told::NotSent),
            told(Told::Perhaps) + told(Told::PerhapsDeleted),
            kept.packages,
            kept.resumed
        )
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
