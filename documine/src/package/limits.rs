//! How much a package may hold before it is refused.

/// How much is taken out of a package before it is refused: small archives can unpack to more than any disk has.
///
/// Sizes are held against these limits twice: what the archive says when it is opened, and what really comes while it is read.
///
/// ```
/// # async fn f() -> documine::Result<()> {
/// use documine::{Contents, PackageLimits};
/// let limits = PackageLimits::default().entry_bytes(16 << 30).total_bytes(64 << 30);
/// let contents = Contents::open_within("q3.zip", limits).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "limits do nothing by themselves"]
pub struct PackageLimits {
    pub(super) entries: u64,
    pub(super) entry_bytes: u64,
    pub(super) total_bytes: u64,
    pub(super) ratio: u64,
    pub(super) memory_bytes: u64,
}

impl Default for PackageLimits {
    /// 100,000 entries; 2 GiB for one and 8 GiB for all of them, unpacked; 250 times the packed size; 256 MiB in memory.
    fn default() -> Self {
        Self { entries: 100_000, entry_bytes: 2 << 30, total_bytes: 8 << 30, ratio: 250, memory_bytes: 256 << 20 }
    }
}

impl PackageLimits {
    /// How many entries, folders counted. Default: 100,000.
    pub fn entries(mut self, number: u64) -> Self {
        self.entries = number;
        self
    }

    /// How many bytes one entry unpacks to. Default: 2 GiB.
    pub fn entry_bytes(mut self, bytes: u64) -> Self {
        self.entry_bytes = bytes;
        self
    }

    /// How many bytes all entries unpack to. Default: 8 GiB.
    pub fn total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// How many times its packed size an entry unpacks to, where that is more than 1 MiB. Default: 250. Deflate itself ends at 1032.
    pub fn ratio(mut self, times: u64) -> Self {
        self.ratio = times;
        self
    }

    /// Sets the memory that one call may use, in bytes: for an entry that is [`read`](super::Contents::read), for the components of all files,
    /// for the rows of all reports. Default: 256 MiB.
    ///
    /// It bounds what is built, not only what is read. A cell of a report counts 32 bytes and a text of it 24 more than its letters; what is
    /// needed on the way counts too: the packed report, one of its parts at a time, and its shared texts. Of components the JSON counts, and
    /// what is built of it may take 4 times as much, estimated as in [`max_answer_size`](crate::ClientBuilder::max_answer_size).
    pub fn memory_bytes(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }
}
