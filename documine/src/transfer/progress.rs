//! How far a transfer has come.

/// Is told how far a transfer has come. Any `Fn(u64, Option<u64>)` is one.
///
/// ```
/// # fn f(package: documine::Package) {
/// let call = package.save_to("out.zip").with_progress(|moved, total| eprintln!("{moved} of {total:?}"));
/// # }
/// ```
pub trait Progress: Send + Sync + 'static {
    /// `moved` bytes so far, of `total` where that is known. Where a transfer has to begin anew, `moved` begins at 0 again.
    fn moved(&self, moved: u64, total: Option<u64>);

    /// A download goes on behind the first `bytes`, which an earlier call or an answer that broke off has brought.
    fn resumed_at(&self, bytes: u64) {
        let _ = bytes;
    }
}

impl<F: Fn(u64, Option<u64>) + Send + Sync + 'static> Progress for F {
    fn moved(&self, moved: u64, total: Option<u64>) {
        self(moved, total);
    }
}

/// A bar on the terminal, as the program has set it up: it gets the length once that is known, and the position.
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
    fn a_bar_follows_a_transfer() {
        let bar = indicatif::ProgressBar::hidden();
        for (moved, total) in [(10, None), (20, Some(100)), (0, Some(100)), (100, Some(100))] {
            Progress::moved(&bar, moved, total);
            assert_eq!((bar.position(), bar.length()), (moved, total));
        }
    }
}
