//! Progress reports of transfers.

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
