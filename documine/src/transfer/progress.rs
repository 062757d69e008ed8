//! Progress reports of transfers.

use std::sync::{Arc, Mutex, PoisonError};

/// Receives the progress of a transfer. Implemented by any `Fn(u64, Option<u64>)`.
///
/// ```
/// # fn f(package: documine::Package) {
/// let call = package.save_to("out.zip").with_progress(|moved, total| eprintln!("{moved} of {total:?}"));
/// # }
/// ```
pub trait Progress: Send + Sync + 'static {
    /// Reports `moved` bytes of `total`, if the total is known. After a restart, `moved` starts at 0 again.
    fn moved(&self, moved: u64, total: Option<u64>);

    /// Reports that a download resumes after `bytes` bytes of an earlier call or of an interrupted response.
    fn resume_offset(&self, bytes: u64) {
        let _ = bytes;
    }
}

impl<F: Fn(u64, Option<u64>) + Send + Sync + 'static> Progress for F {
    fn moved(&self, moved: u64, total: Option<u64>) {
        self(moved, total);
    }
}

/// The progress of several uploads together.
pub(crate) struct TotalProgress {
    callback: Box<dyn Progress>,
    state: Mutex<TotalState>,
}

#[derive(Default)]
struct TotalState {
    moved: u64,
    /// The length of all files so far.
    length: u64,
    /// True if a file has an unknown length.
    is_unknown: bool,
    /// True if an upload has started.
    has_started: bool,
    /// The files that are neither being uploaded nor skipped nor failed.
    pending: usize,
    /// Set when no further file follows.
    all_taken: bool,
}

impl TotalState {
    /// Returns the length of all files, once it is known.
    fn total(&self) -> Option<u64> {
        (self.all_taken && self.pending == 0 && !self.is_unknown).then_some(self.length)
    }
}

impl TotalProgress {
    pub(crate) fn new(callback: impl Progress) -> Self {
        Self { callback: Box::new(callback), state: Mutex::default() }
    }

    /// Counts a file before it is known whether it will be uploaded.
    pub(crate) fn take_file(self: &Arc<Self>) -> TakenFile {
        self.update(|state| {
            state.pending += 1;
            false
        });
        TakenFile { total: Arc::clone(self) }
    }

    /// States that no further file follows.
    pub(crate) fn all_taken(&self) {
        self.update_total(|state| state.all_taken = true);
    }

    /// Changes the state and, if the total becomes known, reports it.
    fn update_total(&self, change: impl FnOnce(&mut TotalState)) {
        self.update(|state| {
            let was_known = state.total().is_some();
            change(state);
            state.has_started && !was_known && state.total().is_some()
        });
    }

    /// Changes the state and, if the change returns true, reports it. Under the lock, so that concurrent reports arrive in order.
    fn update(&self, change: impl FnOnce(&mut TotalState) -> bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if change(&mut state) {
            self.callback.moved(state.moved, state.total());
        }
    }
}

/// A file of several uploads. Does not count if it is dropped.
pub(crate) struct TakenFile {
    total: Arc<TotalProgress>,
}

impl TakenFile {
    /// Returns the progress of this file, which is added to the total and reported to `own`. A file that cannot be read has no length and counts as
    /// empty, unless its length is unknown.
    pub(crate) fn start(
        self,
        length: Option<u64>,
        is_unknown: bool,
        own: Option<Arc<dyn Progress>>,
    ) -> Arc<dyn Progress> {
        self.total.update(|state| {
            state.length = state.length.saturating_add(length.unwrap_or(0));
            state.is_unknown |= is_unknown;
            state.has_started = true;
            false
        });
        Arc::new(FileShare { total: Arc::clone(&self.total), moved: Mutex::new(0), own })
    }
}

impl Drop for TakenFile {
    fn drop(&mut self) {
        self.total.update_total(|state| state.pending = state.pending.saturating_sub(1));
    }
}

/// The progress of one of several uploads.
struct FileShare {
    total: Arc<TotalProgress>,
    /// The bytes of this file in the total.
    moved: Mutex<u64>,
    own: Option<Arc<dyn Progress>>,
}

impl Progress for FileShare {
    fn moved(&self, moved: u64, total: Option<u64>) {
        if let Some(own) = &self.own {
            own.moved(moved, total);
        }
        let mut before = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *before, moved);
        self.total.update(|state| {
            state.moved = state.moved.saturating_sub(before).saturating_add(moved);
            true
        });
    }
}

/// Updates the position of a progress bar, and its length once the total is known.
#[cfg(feature = "indicatif")]
impl Progress for indicatif::ProgressBar {
    fn moved(&self, moved: u64, total: Option<u64>) {
        if let Some(total) = total
            && self.length() != Some(total)
        {
            self.set_length(total);
        }
        self.set_position(moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Reports = Arc<Mutex<Vec<(u64, Option<u64>)>>>;

    fn total() -> (Reports, Arc<TotalProgress>) {
        let reports = Reports::default();
        let recorder = Arc::clone(&reports);
        let record = move |moved: u64, total: Option<u64>| {
            recorder.lock().unwrap_or_else(PoisonError::into_inner).push((moved, total));
        };
        (reports, Arc::new(TotalProgress::new(record)))
    }

    #[test]
    fn total_is_known_when_all_files_are_taken_and_started_or_skipped() {
        let (reports, total) = total();
        let [first, second, skipped] = [(); 3].map(|()| total.take_file());
        total.all_taken();
        let first = first.start(Some(5), false, None);
        first.moved(2, Some(5));
        let second = second.start(Some(7), false, None);
        assert_eq!(*reports.lock().unwrap_or_else(PoisonError::into_inner), [(2, None)]);
        drop(skipped);
        second.moved(7, Some(7));
        assert_eq!(*reports.lock().unwrap_or_else(PoisonError::into_inner), [(2, None), (2, Some(12)), (9, Some(12))]);
    }

    #[test]
    fn nothing_is_reported_if_no_upload_starts() {
        let (reports, total) = total();
        let skipped = total.take_file();
        total.all_taken();
        drop(skipped);
        assert_eq!(*reports.lock().unwrap_or_else(PoisonError::into_inner), []);
    }

    #[test]
    fn total_stays_unknown_with_a_file_of_unknown_length() {
        let (reports, total) = total();
        let file = total.take_file().start(None, true, None);
        total.all_taken();
        file.moved(3, None);
        assert_eq!(*reports.lock().unwrap_or_else(PoisonError::into_inner), [(3, None)]);
    }

    #[cfg(feature = "indicatif")]
    #[test]
    fn progress_bar_follows_a_transfer() {
        let bar = indicatif::ProgressBar::hidden();
        for (moved, total) in [(10, None), (20, Some(100)), (0, Some(100)), (100, Some(100))] {
            Progress::moved(&bar, moved, total);
            assert_eq!((bar.position(), bar.length()), (moved, total));
        }
    }
}
