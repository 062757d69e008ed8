//! The builders of the calls, their parameters and options.

use std::fmt;
use std::sync::Arc;

use crate::client::named_call;
use crate::list::named_list;
use crate::models::{DownloadId, DownloadStatus};
use crate::transfer::download::SaveOptions;
use crate::transfer::{IfExists, PackageStream, Progress, Saved, Written};

named_list! {
    /// Lists the account's packages (`getDownloads`; its path is inferred). Created by [`Client::downloads`](crate::Client::downloads).
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// for package in client.downloads().await? {
    ///     println!("{}: {:?}", package.download_id, package.status);
    /// }
    /// # Ok(()) }
    /// ```
    ListDownloads(()) -> DownloadStatus
}

named_call! {
    /// Fetches the status of a package (`getDownload`). Created by [`DownloadHandle::get`](crate::DownloadHandle::get).
    ///
    /// ```
    /// # async fn f(download: documine::DownloadHandle) -> documine::Result<()> {
    /// println!("{:?}", download.get().await?.status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such package.
    GetDownload(DownloadId) -> DownloadStatus
}

named_call! {
    /// Deletes a package (`deleteDownload`). Created by [`DownloadHandle::delete`](crate::DownloadHandle::delete) and [`Package::delete`](crate::Package::delete).
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// package.delete().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such package.
    DeleteDownload(DownloadId) -> ()
}

named_call! {
    /// Downloads a package as a stream of bytes (`downloadPackage`). Created by [`Package::stream`](crate::Package::stream) and [`DownloadHandle::stream`](crate::DownloadHandle::stream).
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// use futures_util::TryStreamExt;
    /// let mut chunks = package.stream().await?;
    /// while let Some(chunk) = chunks.try_next().await? {
    ///     println!("{} bytes", chunk.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if the package was deleted or has expired; [`ErrorKind::Integrity`](crate::ErrorKind::Integrity)
    /// if it is [too large](Self::max_bytes).
    StreamPackage(Streaming) -> PackageStream
}

named_call! {
    /// Downloads a package into a file (`downloadPackage`). Created by [`Package::save_to`](crate::Package::save_to) and [`Package::save_in`](crate::Package::save_in).
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// use documine::transfer::IfExists;
    /// let saved = package.save_to("q3.zip").if_exists(IfExists::Refuse).resumable(true).await?;
    /// println!("{} bytes", saved.bytes);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) for an incomplete or too large package; [`ErrorKind::File`](crate::ErrorKind::File) if the
    /// file cannot be written.
    SavePackage(Saving) -> Saved
}

named_call! {
    /// Downloads a package into a writer (`downloadPackage`). Created by [`Package::save_into`](crate::Package::save_into).
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// let in_memory = package.save_into(Vec::new()).max_bytes(64 << 20).await?.writer;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As for [`SavePackage`].
    WritePackage<W>(Writing<W>) -> Written<W>
}

/// Parameters of a download as a stream.
#[derive(Debug)]
pub(crate) struct Streaming {
    pub(super) id: DownloadId,
    pub(super) max_bytes: Option<u64>,
}

/// Parameters of a download into a file.
#[derive(Clone)]
pub(crate) struct Saving {
    pub(super) id: DownloadId,
    pub(crate) options: SaveOptions,
    pub(super) max_bytes: Option<u64>,
    pub(crate) progress: Option<Arc<dyn Progress>>,
}

impl fmt::Debug for Saving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving").field("id", &self.id).field("options", &self.options).finish_non_exhaustive()
    }
}

/// Parameters of a download into a writer.
pub(crate) struct Writing<W> {
    pub(super) id: DownloadId,
    pub(super) writer: W,
    pub(super) max_bytes: Option<u64>,
    pub(super) progress: Option<Arc<dyn Progress>>,
}

impl<W> fmt::Debug for Writing<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing").field("id", &self.id).finish_non_exhaustive()
    }
}

impl StreamPackage {
    /// Sets the largest package to download, in bytes. Default: no limit. If the service announces a larger size, the call fails before the
    /// first byte is read, otherwise the stream ends as soon as the limit is exceeded: [`ErrorKind::Integrity`](crate::ErrorKind).
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.call.params.max_bytes = Some(bytes);
        self
    }
}

impl SavePackage {
    /// Sets a callback for the number of downloaded bytes.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.call.params.progress = Some(Arc::new(progress));
        self
    }

    /// Sets the largest package to download, in bytes. Default: no limit. If the service announces a larger size, the call fails before the
    /// first byte is read, otherwise as soon as the limit is exceeded: [`ErrorKind::Integrity`](crate::ErrorKind).
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.call.params.max_bytes = Some(bytes);
        self
    }

    /// Sets how to treat an existing file of the same name.
    pub fn if_exists(mut self, rule: IfExists) -> Self {
        self.call.params.options.if_exists = rule;
        self
    }

    /// Sets whether the downloaded bytes are kept if the call fails, is dropped, or ends with its process; the next resumable call for the same package and
    /// destination resumes the download. Off by default, because a failed call leaves files behind.
    ///
    /// A part of another package is discarded, and each preparation creates another package. Store [`PackageJob::to_ref`](crate::PackageJob::to_ref) to resume the same package
    /// in another process.
    ///
    /// The bytes are kept in `NAME.part`, and `NAME.part.json` records their checksum (in a folder `package-ID.zip.part`, because the name is
    /// not known yet). After a process was killed, less than 1 MiB is downloaded again; after a system crash, less than 5 MiB. Both files are
    /// deleted when a call succeeds, and when resuming is impossible: the package was deleted or changed, or the service does not support range
    /// requests. On a full disk, free some space and repeat the call. Before a download is resumed, the bytes are compared with their checksum;
    /// if they differ, the download restarts. A part or record that is a link or belongs to another user is rejected.
    ///
    /// If two such calls run at once, the second one waits up to 5 s for the first, longer if the first was dropped and still writes to disk;
    /// then the second call fails. If another process is downloading the same file, the call fails at once.
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// let saved = package.save_to("q3.zip").resumable(true).await?;
    /// println!("{} of {} bytes were already downloaded", saved.resume_offset, saved.bytes);
    /// # Ok(()) }
    /// ```
    pub fn resumable(mut self, yes: bool) -> Self {
        self.call.params.options.resumable = yes;
        self
    }
}

impl<W> WritePackage<W> {
    /// Sets the largest package to download, in bytes. Default: no limit; set one if the writer is in memory. If the service announces a larger
    /// size, the call fails before the first byte is read, otherwise as soon as the limit is exceeded:
    /// [`ErrorKind::Integrity`](crate::ErrorKind).
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.call.params.max_bytes = Some(bytes);
        self
    }

    /// Sets a callback for the number of downloaded bytes.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.call.params.progress = Some(Arc::new(progress));
        self
    }
}
