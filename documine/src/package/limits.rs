//! Limits for the content of packages.

/// Limits for the content of a package, because a small archive can unpack to more than any disk holds.
///
/// Sizes are compared with the limits twice: the stated sizes when the archive is opened, and the actual sizes while entries are read.
///
/// ```
/// # async fn f() -> documine::Result<()> {
/// use documine::package::{PackageArchive, PackageLimits};
/// let limits = PackageLimits::default().entry_bytes(16 << 30).total_bytes(64 << 30);
/// let contents = PackageArchive::open_within("q3.zip", limits).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "limits have no effect until they are passed to a call"]
pub struct PackageLimits {
    pub(super) entries: u64,
    pub(super) entry_bytes: u64,
    pub(super) total_bytes: u64,
    pub(super) ratio: u64,
    pub(super) memory_bytes: u64,
}

impl Default for PackageLimits {
    /// 100,000 entries; unpacked size 2 GiB per entry and 8 GiB in total; compression ratio 250; 256 MiB of memory.
    fn default() -> Self {
        Self { entries: 100_000, entry_bytes: 2 << 30, total_bytes: 8 << 30, ratio: 250, memory_bytes: 256 << 20 }
    }
}

impl PackageLimits {
    /// Sets the largest number of entries, including folders. Default: 100,000.
    pub fn entries(mut self, number: u64) -> Self {
        self.entries = number;
        self
    }

    /// Sets the largest unpacked size of one entry, in bytes. Default: 2 GiB.
    pub fn entry_bytes(mut self, bytes: u64) -> Self {
        self.entry_bytes = bytes;
        self
    }

    /// Sets the largest unpacked size of all entries, in bytes. Default: 8 GiB.
    pub fn total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Sets the largest ratio of unpacked to packed size, for entries of more than 1 MiB. Default: 250. The maximum of Deflate is 1032.
    pub fn ratio(mut self, times: u64) -> Self {
        self.ratio = times;
        self
    }

    /// Sets the memory limit of one call, in bytes: for an entry that is [`read`](super::PackageArchive::read), for the components of all files, for
    /// the rows of all reports. Default: 256 MiB.
    ///
    /// The limit covers parsed values, not only the input. A cell of a report counts 32 bytes, a text cell 24 bytes more than its characters.
    /// Intermediate data counts too: the packed report, one of its parts at a time, and its shared strings. For components, the JSON counts, and
    /// the parsed values may take 4 times as much, estimated as in [`max_response_size`](crate::ClientBuilder::max_response_size).
    pub fn memory_bytes(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }
}
