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
