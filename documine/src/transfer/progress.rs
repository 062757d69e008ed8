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

struct TotalState {
    moved: u64,
    /// The length of all files so far; `None` if one of them is unknown.
    length: Option<u64>,
    /// Set when no further file follows.
    is_complete: bool,
}

impl TotalProgress {
    pub(crate) fn new(callback: impl Progress) -> Self {
        let state = TotalState { moved: 0, length: Some(0), is_complete: false };
        Self { callback: Box::new(callback), state: Mutex::new(state) }
    }

    /// Returns the progress of one file, which is added to the total and reported to `own`. A file that cannot be read has no length and counts
    /// as empty, unless its length is unknown.
    pub(crate) fn add_file(
        self: Arc<Self>,
        length: Option<u64>,
        is_unknown: bool,
        own: Option<Arc<dyn Progress>>,
    ) -> Arc<dyn Progress> {
        self.update(|state| {
            let length = if is_unknown { None } else { Some(length.unwrap_or(0)) };
            state.length = state.length.zip(length).map(|(all, length)| all.saturating_add(length));
            false
        });
        Arc::new(FileShare { total: self, moved: Mutex::new(0), own })
    }

    /// Reports the total, which is known when no further file follows.
    pub(crate) fn finish_total(&self) {
        self.update(|state| !std::mem::replace(&mut state.is_complete, true));
    }

    /// Changes the state and, if the change returns true, reports it. Under the lock, so that concurrent reports arrive in order.
    fn update(&self, change: impl FnOnce(&mut TotalState) -> bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if change(&mut state) {
            self.callback.moved(state.moved, state.length.filter(|_| state.is_complete));
        }
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

#[cfg(all(test, feature = "indicatif"))]
mod tests {
    use super::*;

    #[test]
    fn progress_bar_follows_a_transfer() {
        let bar = indicatif::ProgressBar::hidden();
        for (moved, total) in [(10, None), (20, Some(100)), (0, Some(100)), (100, Some(100))] {
            Progress::moved(&bar, moved, total);
            assert_eq!((bar.position(), bar.length()), (moved, total));
        }
    }
}
